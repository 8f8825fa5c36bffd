/** Shows how loud a sound is. Knows no microphone. */
import { useTranslation } from "react-i18next";
import styles from "./LevelMeter.module.css";

const BARS = 14;

/** `level` from 0 to 1. The bars are decoration; screen readers get the meter's value. */
export function LevelMeter({ level, label }: { level: number; label: string }) {
  const { t } = useTranslation();
  const lit = Math.round(Math.min(1, Math.max(0, level)) * BARS);
  return (
    <div
      className={styles.meter}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((lit / BARS) * 100)}
      aria-valuetext={lit > 0 ? t("devices.soundHeard") : t("devices.silence")}
    >
      {Array.from({ length: BARS }, (_, i) => (
        <span key={i} className={styles.bar} data-lit={i < lit || undefined} />
      ))}
    </div>
  );
}
