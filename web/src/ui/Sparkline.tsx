/** A small line of figures in time, the newest at the right end. Decoration: the figure itself stands beside it. */
import styles from "./Sparkline.module.css";

const WIDTH = 120;
const HEIGHT = 32;

interface SparklineProps {
  values: readonly (number | null)[];
  /** How many it has room for. */
  length: number;
  /** The top of the scale where the figures stay below it. */
  least: number;
}

export function Sparkline({ values, length, least }: SparklineProps) {
  const top = Math.max(least, ...values.map((value) => value ?? 0)) * 1.08;
  const x = (index: number) => WIDTH - ((values.length - 1 - index) / (length - 1)) * WIDTH;
  const points = values.flatMap((value, index) => (value === null ? [] : [`${x(index).toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`]));
  const first = points[0]?.split(",")[0] ?? WIDTH;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className={styles.line} aria-hidden="true">
      {points.length > 1 && (
        <>
          <polygon points={`${first},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} className={styles.area} />
          <polyline points={points.join(" ")} className={styles.stroke} vectorEffect="non-scaling-stroke" />
        </>
      )}
    </svg>
  );
}
