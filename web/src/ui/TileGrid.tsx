/** Lays tiles of one size into the room there is. Knows no tile. */
import { type CSSProperties, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { bestGrid } from "./grid";
import styles from "./TileGrid.module.css";

const GAP = 10;

interface TileGridProps {
  label: string;
  count: number;
  children: ReactNode;
}

/** `children` are `count` `<li>` elements. */
export function TileGrid({ label, count, children }: TileGridProps) {
  const box = useRef<HTMLUListElement>(null);
  const [room, setRoom] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setRoom({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const grid = bestGrid(room.width, room.height, count, GAP);
  const size = { "--tile-width": `${grid.width}px`, "--tile-height": `${grid.height}px`, "--tile-gap": `${GAP}px` } as CSSProperties;
  return (
    <ul ref={box} className={styles.grid} aria-label={label} style={size}>
      {children}
    </ul>
  );
}
