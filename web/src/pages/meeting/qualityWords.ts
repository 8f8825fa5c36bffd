/** What is said of a connection: how good it is, and why it is no better, in plain words. */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { ConnectionView } from "../../state/types";
import { millisecondWords, rateWords, shareWords } from "../figures";

/** Why; null where it is good or nothing more is known. */
export function causeWords({ cause: view }: ConnectionView, name: string, t: TFunction, language: string): string | null {
  if (!view) return null;
  const { whose, cause } = view;
  switch (cause.kind) {
    case "loss": {
      const percent = shareWords(cause.percent / 100, language);
      if (whose === "them") return t("network.cause.them.loss", { name, percent });
      return cause.link === "uplink" ? t("network.cause.you.lossUplink", { percent }) : t("network.cause.you.lossDownlink", { percent });
    }
    case "delay":
      return t(`network.cause.${whose}.delay`, { name, time: millisecondWords(cause.ms, language) });
    case "thin": {
      const rate = rateWords(cause.kbps, t, language);
      if (whose === "them") return t("network.cause.them.thin", { name, rate });
      return cause.link === "uplink" ? t("network.cause.you.thinUplink", { rate }) : t("network.cause.you.thinDownlink", { rate });
    }
    case "processor":
      return t(`network.cause.${whose}.processor`, { name });
  }
}

export function useCauseWords(): (connection: ConnectionView, name: string) => string | null {
  const { t, i18n } = useTranslation();
  return (connection, name) => causeWords(connection, name, t, i18n.language);
}
