/** The words of the web app in each of its languages, so that a test can press a button whatever it is called. */
import { readFileSync } from "node:fs";

/** The files are an object in TypeScript whose types end before the first brace. */
export function words(language) {
  const text = readFileSync(new URL(`../../../web/src/i18n/${language}.ts`, import.meta.url), "utf8");
  const literal = text.slice(text.indexOf("{", text.indexOf("export const")), text.lastIndexOf("}") + 1);
  const all = new Function(`return ${literal}`)();
  return (key) => {
    const found = key.split(".").reduce((node, part) => node?.[part], all);
    if (typeof found !== "string") throw new Error(`${language} has no words for ${key}`);
    return found;
  };
}
