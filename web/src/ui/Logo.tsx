/** The mark: seats in a circle, one of them speaking. */
import { cx } from "./cx";
import styles from "./Logo.module.css";

const SEATS = 7;

export function Mark({ className, live }: { className?: string | undefined; live?: boolean | undefined }) {
  const seats = Array.from({ length: SEATS }, (_, i) => (360 / SEATS) * i);
  return (
    <svg viewBox="-16 -16 32 32" className={cx(styles.mark, live && styles.live, className)} aria-hidden="true">
      {seats.map((angle, i) => (
        <rect
          key={angle}
          x={-3.1}
          y={-14.6}
          width={6.2}
          height={9.4}
          rx={3.1}
          transform={`rotate(${angle})`}
          className={i === 0 ? styles.speaker : styles.seat}
        />
      ))}
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
