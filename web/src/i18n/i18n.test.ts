import { describe, expect, test } from "vitest";
import { en } from "./en";
import { preferredLanguage } from "./index";
import { zhCN } from "./zh-CN";

function flatten(texts: object, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(texts) as [string, unknown][]) {
    const name = path ? `${path}.${key}` : key;
    if (typeof value === "string") found.set(name, value);
    else for (const [inner, text] of flatten(value as object, name)) found.set(inner, text);
  }
  return found;
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/gu)].map((match) => match[1]).sort();

describe("texts", () => {
  const english = flatten(en);
  const chinese = flatten(zhCN);

  // acceptance: M9
  test("have the same keys in both languages", () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  });
  // acceptance: M9
  test("are never empty and name the same values", () => {
    for (const [key, text] of english) {
      const other = chinese.get(key) ?? "";
      expect(text.trim(), key).not.toBe("");
      expect(other.trim(), key).not.toBe("");
      expect(placeholders(other), key).toEqual(placeholders(text));
    }
  });
  test("are really Chinese in Chinese", () => {
    const same = [...chinese].filter(([key, text]) => key !== "app.title" && !/\p{Script=Han}/u.test(text) && /\p{Letter}/u.test(text.replace(/\{\{\w+\}\}/gu, "")));
    expect(same).toEqual([]);
  });
});

describe("the language", () => {
  test("is the chosen one, else the browser's first that we have, else English", () => {
    expect(preferredLanguage("en", ["zh-CN"])).toBe("en");
    expect(preferredLanguage(null, ["pt-BR", "zh-Hans-CN", "en"])).toBe("zh-CN");
    expect(preferredLanguage(null, ["pt-BR"])).toBe("en");
    expect(preferredLanguage(null, ["en-GB", "zh"])).toBe("en");
  });
});
