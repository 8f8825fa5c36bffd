/** How many columns make the tiles largest. Knows no element. */

export interface GridSize {
  columns: number;
  width: number;
  height: number;
}

/** Cameras are wide: a wider tile cuts heads, a narrower one shoulders. Only upright pages take upright tiles. */
const WIDEST = 16 / 9;
const NARROWEST = 1;
const NARROWEST_UPRIGHT = 0.8;
/** On an upright page a wide tile shows small faces. */
const WIDEST_UPRIGHT = 4 / 3;

/** The tile size at which `count` tiles fill a box of `width` × `height` best. */
export function bestGrid(width: number, height: number, count: number, gap: number): GridSize {
  const upright = width < height;
  const widest = upright ? WIDEST_UPRIGHT : WIDEST;
  const narrowest = upright ? NARROWEST_UPRIGHT : NARROWEST;
  let best: GridSize = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    let w = (width - gap * (columns - 1)) / columns;
    let h = (height - gap * (rows - 1)) / rows;
    if (w <= 0 || h <= 0) continue;
    if (w / h > widest) w = h * widest;
    if (w / h < narrowest) h = w / narrowest;
    if (w * h > best.width * best.height + 1) best = { columns, width: Math.floor(w), height: Math.floor(h) };
  }
  return best;
}
