/** A small word or number that marks something. Knows no meeting. */
import type { ReactNode } from "react";
import { cx } from "./cx";
import styles from "./Badge.module.css";

type Tone = "neutral" | "accent" | "warn" | "danger";

export function Badge({ tone = "neutral", icon, children }: { tone?: Tone; icon?: ReactNode; children: ReactNode }) {
  return (
    <span className={cx(styles.badge, styles[tone])}>
      {icon}
      {children}
    </span>
  );
}

/** A count on the corner of a button; its words belong into the button's label. */
export function Count({ value, tone = "danger" }: { value: number; tone?: "danger" | "accent" | "neutral" }) {
  if (value <= 0) return null;
  // Drawn by the style sheet: the number is no text of the button, whose label says it already.
  return <span className={cx(styles.count, styles[`count-${tone}`])} data-count={value > 99 ? "99+" : value} aria-hidden="true" />;
}
