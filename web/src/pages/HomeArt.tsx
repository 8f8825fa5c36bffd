/** The picture on the start page: a meeting, drawn. Decoration with a name. */
import { cx } from "../ui/cx";
import styles from "./HomeArt.module.css";

interface PersonProps {
  x: number;
  y: number;
  width: number;
  height: number;
  tone: string | undefined;
  /** Where the head is, across the tile from 0 to 1. */
  at: number;
  scale: number;
  hair: "bun" | "short" | "long" | "none";
}

function Person({ x, y, width, height, tone, at, scale, hair }: PersonProps) {
  const cx0 = width * at;
  const head = 40 * scale;
  const cy0 = height * 0.46;
  const id = `clip-${x}-${y}`;
  return (
    <g transform={`translate(${x} ${y})`} className={tone}>
      <clipPath id={id}>
        <rect width={width} height={height} rx={22} />
      </clipPath>
      <rect width={width} height={height} rx={22} className={styles.ground} />
      <g clipPath={`url(#${id})`}>
        <circle cx={width * (1 - at) + 20} cy={height * 0.18} r={height * 0.42} className={styles.light} />
        {hair === "long" && <rect x={cx0 - head * 1.22} y={cy0 - head * 1.2} width={head * 2.44} height={head * 3.4} rx={head * 1.2} className={styles.hair} />}
        {hair === "bun" && <circle cx={cx0 + head * 0.35} cy={cy0 - head * 1.22} r={head * 0.5} className={styles.hair} />}
        <rect x={cx0 - head * 2.05} y={cy0 + head * 1.38} width={head * 4.1} height={height} rx={head * 1.65} className={styles.body} />
        <rect x={cx0 - head * 0.42} y={cy0 + head * 0.5} width={head * 0.84} height={head * 1.5} rx={head * 0.42} className={styles.neck} />
        <circle cx={cx0} cy={cy0} r={head} className={styles.head} />
        {hair !== "none" && (
          <path
            d={`M${cx0 - head * 1.04} ${cy0 - head * 0.1} a${head * 1.04} ${head * 1.04} 0 0 1 ${head * 2.08} 0 q${-head * 0.5} ${-head * 0.62} ${-head * 1.1} ${-head * 0.6} q${-head * 0.62} 0 ${-head * 0.98} ${head * 0.6}z`}
            className={styles.hair}
          />
        )}
      </g>
    </g>
  );
}

function Plate({ x, y, width }: { x: number; y: number; width: number }) {
  return (
    <g transform={`translate(${x} ${y})`}>
      <rect width={width} height={20} rx={8} className={styles.plate} />
      <rect x={10} y={8} width={width - 20} height={4} rx={2} className={styles.plateLine} />
    </g>
  );
}

export function HomeArt({ label, className }: { label: string; className?: string | undefined }) {
  return (
    <svg viewBox="-6 -6 572 482" role="img" aria-label={label} className={cx(styles.art, className)}>
      <Person x={0} y={0} width={340} height={290} tone={styles.green} at={0.5} scale={1.22} hair="bun" />
      <rect x={-1.5} y={-1.5} width={343} height={293} rx={23.5} className={styles.ring} />
      <Plate x={14} y={256} width={84} />
      <g transform="translate(300 24)" className={styles.wave}>
        <rect x={-8} y={-6} width={4} height={12} rx={2} />
        <rect x={0} y={-11} width={4} height={22} rx={2} />
        <rect x={8} y={-7} width={4} height={14} rx={2} />
      </g>
      <Person x={356} y={0} width={204} height={137} tone={styles.ochre} at={0.46} scale={0.66} hair="short" />
      <Plate x={368} y={107} width={58} />
      <Person x={356} y={153} width={204} height={137} tone={styles.blue} at={0.54} scale={0.66} hair="long" />
      <Plate x={368} y={260} width={70} />
      <Person x={0} y={306} width={204} height={164} tone={styles.plum} at={0.5} scale={0.76} hair="long" />
      <Plate x={12} y={440} width={64} />
      <Person x={220} y={306} width={204} height={164} tone={styles.clay} at={0.48} scale={0.76} hair="short" />
      <Plate x={232} y={440} width={76} />
      <g transform="translate(440 306)">
        <rect width={120} height={164} rx={22} className={styles.invite} />
        <path d="M60 66v32M44 82h32" className={styles.plus} />
      </g>
    </svg>
  );
}
