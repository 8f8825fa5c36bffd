import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "..");
/** Attributes that people read or hear. */
const SPOKEN = new Set(["label", "aria-label", "title", "placeholder", "alt", "hint", "error", "word", "action", "note", "aria-valuetext", "menuLabel", "hindrance"]);
const WORDS = /\p{Letter}{2,}/u;

const SHOWN_OPERATORS = new Set([ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.PlusToken]);

function literals(file: string, text: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const report = (node: ts.Node, words: string) => {
    if (!WORDS.test(words)) return;
    found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${words.trim()}`);
  };
  /** What an expression may come to, where that is written down in it. */
  const values = (node: ts.Expression): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) report(node, node.text);
    else if (ts.isConditionalExpression(node)) [node.whenTrue, node.whenFalse].forEach(values);
    else if (ts.isParenthesizedExpression(node)) values(node.expression);
    else if (ts.isBinaryExpression(node)) {
      // Of `a === "x" && <p/>` only the end is shown; of `a ?? "x"` both may be.
      if (node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) values(node.right);
      else if (SHOWN_OPERATORS.has(node.operatorToken.kind)) [node.left, node.right].forEach(values);
    }

    if (ts.isTemplateExpression(node)) [node.head, ...node.templateSpans.map((span) => span.literal)].forEach((part) => report(part, part.text));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) report(node, node.text);
    if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText())) {
      if (node.initializer && ts.isStringLiteral(node.initializer)) report(node, node.initializer.text);
      if (node.initializer && ts.isJsxExpression(node.initializer) && node.initializer.expression) values(node.initializer.expression);
    }
    if (ts.isJsxExpression(node) && node.expression && !ts.isJsxAttribute(node.parent)) values(node.expression);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

// acceptance: M9
describe("components", () => {
  test("hold no literal text", () => {
    const files = ["ui", "pages"].flatMap((folder) =>
      readdirSync(join(SOURCE, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".tsx"))
        .map((name) => join(folder, name)),
    );
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => literals(file, readFileSync(join(SOURCE, file), "utf8")))).toEqual([]);
  });
  test("would be caught with some", () => {
    const text = 'const a = <p title="Hello">{on ? "Yes" : no}{`${n} people`}Some words<b className="fine" /></p>;';
    expect(literals("x.tsx", text).map((line) => line.replace(/^\S+ /u, ""))).toEqual(["Hello", "Yes", "people", "Some words"]);
  });
});
