/** How many columns make the tiles largest. Knows no element. */

export interface GridSize {
  columns: number;
  width: number;
  height: number;
}

/** Wider than a cinema strip or narrower than a phone held upright cuts too much of a face. */
const WIDEST = 16 / 9;
const NARROWEST = 0.8;

/** The tile size at which `count` tiles fill a box of `width` × `height` best. */
export function bestGrid(width: number, height: number, count: number, gap: number): GridSize {
  let best: GridSize = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    let w = (width - gap * (columns - 1)) / columns;
    let h = (height - gap * (rows - 1)) / rows;
    if (w <= 0 || h <= 0) continue;
    if (w / h > WIDEST) w = h * WIDEST;
    if (w / h < NARROWEST) h = w / NARROWEST;
    if (w * h > best.width * best.height + 1) best = { columns, width: Math.floor(w), height: Math.floor(h) };
  }
  return best;
}
