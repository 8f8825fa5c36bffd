/** The keys of the replay page. Knows what they do by name only. */
import { useKeys } from "../keys";

export type ReplayKey =
  | "play" | "back" | "forward" | "stepBack" | "stepForward" | "louder" | "quieter" | "mute" | "fullScreen" | "slower" | "faster"
  | "previousChapter" | "nextChapter" | "layout" | "live" | "help";

const KEYS: Record<string, ReplayKey> = {
  " ": "play", k: "play", j: "back", l: "forward", ArrowLeft: "stepBack", ArrowRight: "stepForward", ArrowUp: "louder", ArrowDown: "quieter",
  m: "mute", f: "fullScreen", "<": "slower", ",": "slower", ">": "faster", ".": "faster", p: "previousChapter", n: "nextChapter", v: "layout", g: "live", "?": "help",
};

/** Keys belong to the field one writes in, the menu or dialog that is open, and the browser's own combinations. */
function keyOf(event: KeyboardEvent): ReplayKey | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const key = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return key;
  if (target.closest('textarea, select, [contenteditable], [role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"], input:not([type="range"])')) return null;
  // On a button the space bar presses it; arrows walk through tabs, and move the slider that has the focus.
  if (event.key === " " && target.closest("button, a, [role=tab]")) return null;
  if (event.key.startsWith("Arrow") && target.closest('[role="tablist"], [data-own-arrows]')) return null;
  // Up and down scroll what is scrolled.
  if ((event.key === "ArrowUp" || event.key === "ArrowDown") && target.closest("aside")) return null;
  return key;
}

export function useReplayKeys(active: boolean, handlers: Record<ReplayKey, () => void>): void {
  // Before the slider, whose own steps are others.
  useKeys(active, keyOf, handlers, { early: true });
}
