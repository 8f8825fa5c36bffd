/** Which language the page speaks, and how texts are looked up. Knows no page. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en";
import { zhCN } from "./zh-CN";

type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> };
export type Texts = Same<typeof en>;

export const LANGUAGES = [
  { id: "en", name: "English" },
  { id: "zh-CN", name: "简体中文" },
] as const;
export type Language = (typeof LANGUAGES)[number]["id"];

const KEY = "symposia.language";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: Texts };
  }
}

/** What was chosen on this device, else the first of the browser's languages that we have. */
export function preferredLanguage(chosen: string | null, browser: readonly string[]): Language {
  const wanted = chosen ? [chosen, ...browser] : browser;
  for (const language of wanted) {
    if (/^zh\b/iu.test(language)) return "zh-CN";
    if (/^en\b/iu.test(language)) return "en";
  }
  return "en";
}

export function startLanguages(language?: Language): void {
  const first = language ?? preferredLanguage(read(), navigator.languages);
  void i18next.use(initReactI18next).init({
    lng: first,
    fallbackLng: "en",
    resources: { en: { translation: en }, "zh-CN": { translation: zhCN } },
    // React escapes by itself.
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  document.documentElement.lang = first;
  i18next.on("languageChanged", (now) => (document.documentElement.lang = now));
}

export function chooseLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  void i18next.changeLanguage(language);
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
