/** What a refusal is called in the language of the page. */
import { useTranslation } from "react-i18next";
import { en } from "../i18n/en";

type Known = Exclude<keyof typeof en.refusal, "retry_one" | "retry_other" | "other">;

function isKnown(code: string): code is Known {
  return code in en.refusal && !code.startsWith("retry") && code !== "other";
}

/** Gives the sentence for a code, and when to try again where that is known. */
export function useRefusalText(): (refusal: { code: string; retryAfter: number | null }) => string {
  const { t } = useTranslation();
  return ({ code, retryAfter }) => {
    const sentence = isKnown(code) ? t(`refusal.${code}`) : t("refusal.other");
    return retryAfter ? `${sentence} ${t("refusal.retry", { count: retryAfter })}` : sentence;
  };
}
