/** The words of the web app in each of its languages, so that a test can press a button whatever it is called. */
import { readFileSync } from "node:fs";

/** A file is an object in TypeScript whose types end before the first brace; parts of it may be files of their own. */
function load(file) {
  const text = readFileSync(new URL(`../../../web/src/i18n/${file}.ts`, import.meta.url), "utf8");
  const parts = [...text.matchAll(/^import \{ (\w+) \} from "\.\/(.+)";$/gmu)];
  const literal = text.slice(text.indexOf("{", text.indexOf("export const")), text.lastIndexOf("}") + 1);
  return new Function(...parts.map(([, name]) => name), `return ${literal}`)(...parts.map(([, , part]) => load(part)));
}

export function words(language) {
  const all = load(language);
  return (key) => {
    const found = key.split(".").reduce((node, part) => node?.[part], all);
    if (typeof found !== "string") throw new Error(`${language} has no words for ${key}`);
    return found;
  };
}
