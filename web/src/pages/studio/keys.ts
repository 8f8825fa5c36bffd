/** The keys of the studio. */
import { useEffect, useRef } from "react";
import { isTaken } from "../meeting/hooks";

export type StudioKey = "m" | "v" | "s";

export function useStudioKeys(active: boolean, handlers: Record<StudioKey, () => void>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (!active) return;
    const down = (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      if (isTaken(event) || event.repeat || !(key in latest.current)) return;
      event.preventDefault();
      latest.current[key as StudioKey]();
    };
    document.addEventListener("keydown", down);
    return () => document.removeEventListener("keydown", down);
  }, [active]);
}
