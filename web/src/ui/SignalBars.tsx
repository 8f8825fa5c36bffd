/** How good a connection is, as three bars. Decoration: the words stand in the label around it. */
import styles from "./SignalBars.module.css";

export function SignalBars({ bars }: { bars: 0 | 1 | 2 | 3 }) {
  return (
    <svg viewBox="0 0 16 16" className={styles.bars} data-bars={bars} aria-hidden="true">
      {[1, 2, 3].map((bar) => (
        <rect key={bar} x={bar * 5 - 4} y={15 - bar * 4.4} width={3.6} height={bar * 4.4} rx={1.2} data-lit={bar <= bars || undefined} />
      ))}
      {bars === 0 && <path d="M2.5 2.5l11 11" className={styles.none} />}
    </svg>
  );
}
