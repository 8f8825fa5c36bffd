/** How a bitrate is written. */
import { useTranslation } from "react-i18next";

/** In the units people know it by. */
export function useBitrateWords(): (kbps: number) => string {
  const { i18n } = useTranslation();
  return (kbps) => {
    const unit = kbps >= 1000 ? "megabit-per-second" : "kilobit-per-second";
    return new Intl.NumberFormat(i18n.language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: kbps >= 1000 ? 1 : 0 }).format(kbps >= 1000 ? kbps / 1000 : kbps);
  };
}
