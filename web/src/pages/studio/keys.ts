/** The keys of the studio. */
import { isTaken, useKeys } from "../keys";

const KEYS = ["m", "v", "s"] as const;
type StudioKey = (typeof KEYS)[number];

function keyOf(event: KeyboardEvent): StudioKey | null {
  const pressed = event.key.toLowerCase();
  if (isTaken(event) || event.repeat) return null;
  return KEYS.find((key) => key === pressed) ?? null;
}

export function useStudioKeys(active: boolean, handlers: Record<StudioKey, () => void>): void {
  useKeys(active, keyOf, handlers);
}
