/** The mark: three couches around whoever speaks, as at a symposium. */
import { cx } from "./cx";
import styles from "./Logo.module.css";

export function Mark({ className, live }: { className?: string | undefined; live?: boolean | undefined }) {
  return (
    <svg viewBox="0 0 32 32" className={cx(styles.mark, live && styles.live, className)} aria-hidden="true">
      <rect x={8.6} y={2} width={14.8} height={6.6} rx={3.3} className={styles.couch} />
      <rect x={2} y={10.6} width={6.6} height={19.4} rx={3.3} className={styles.couch} />
      <rect x={23.4} y={10.6} width={6.6} height={19.4} rx={3.3} className={styles.couch} />
      <circle cx={16} cy={19.4} r={4.6} className={styles.speaker} />
    </svg>
  );
}

export function Logo() {
  return (
    <span className={styles.logo}>
      <Mark />
      <span translate="no">{NAME}</span>
    </span>
  );
}

/** The product's name is the same in every language. */
const NAME = "Symposia";
