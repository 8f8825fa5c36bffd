/** A place that one drags to: it is shown at once, and taken when the hand rests. */
import { useCallback, useEffect, useRef, useState } from "react";

/** While one drags, places are tried this often: each costs a request. */
const SETTLE_MS = 150;

/** Where the hand is, null while nobody drags; and what is called with each place on the way. */
export function useDragged(take: (to: number) => void): [number | null, (to: number) => void] {
  const [dragged, setDragged] = useState<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const drag = useCallback(
    (to: number) => {
      setDragged(to);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        take(to);
        setDragged(null);
      }, SETTLE_MS);
    },
    [take],
  );
  return [dragged, drag];
}
