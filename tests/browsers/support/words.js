/** The words of the web app in each of its languages, so that a test can press a button whatever it is called. */
import { readFileSync } from "node:fs";

/** A file has objects in TypeScript, whose types end before the first brace; parts of them may stand in files of their own. */
function load(file, name) {
  const text = readFileSync(new URL(`../../../web/src/i18n/${file}.ts`, import.meta.url), "utf8");
  const parts = [...text.matchAll(/^import \{ (.+) \} from "\.\/(.+)";$/gmu)].flatMap(([, names, part]) => names.split(", ").map((one) => [one, part]));
  const begins = text.indexOf("{", text.indexOf(name ? `export const ${name} ` : "export const"));
  const literal = text.slice(begins, text.indexOf("\n};", begins) + 2);
  return new Function(...parts.map(([one]) => one), `return ${literal}`)(...parts.map(([one, part]) => load(part, one)));
}

export function words(language) {
  const all = load(language);
  return (key) => {
    const found = key.split(".").reduce((node, part) => node?.[part], all);
    if (typeof found !== "string") throw new Error(`${language} has no words for ${key}`);
    return found;
  };
}
