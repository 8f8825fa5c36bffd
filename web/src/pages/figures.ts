/** How figures of a network are written in the reader's language. Knows no page. */
import type { TFunction } from "i18next";

function written(value: number, language: string, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 0, ...options }).format(value);
}

/** `300 kbit/s`, `2.4 Mbit/s`. */
export function rateWords(kbps: number, t: TFunction, language: string): string {
  return kbps < 1000
    ? t("network.kbps", { value: written(kbps, language) })
    : t("network.mbps", { value: written(kbps / 1000, language, { maximumFractionDigits: 1 }) });
}

/** Of a share from 0 to 1; a trace of something is not nothing. */
export function shareWords(share: number, language: string): string {
  const digits = share > 0 && share < 0.01 ? 1 : 0;
  return written(share, language, { style: "percent", maximumFractionDigits: digits });
}

/** `480 ms`. */
export function millisecondWords(ms: number, language: string): string {
  return written(ms, language, { style: "unit", unit: "millisecond", unitDisplay: "short" });
}

/** `1.5 s`. */
export function secondWords(seconds: number, language: string): string {
  return written(seconds, language, { style: "unit", unit: "second", unitDisplay: "short", maximumFractionDigits: 1 });
}

export function countWords(count: number, language: string): string {
  return written(count, language);
}
