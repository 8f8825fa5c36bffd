/** The keys of the replay page. Knows what they do by name only. */
import { useEffect, useRef } from "react";

export type ReplayKey =
  | "play" | "back" | "forward" | "stepBack" | "stepForward" | "louder" | "quieter" | "mute" | "fullScreen" | "slower" | "faster"
  | "previousChapter" | "nextChapter" | "layout" | "live" | "help";

const KEYS: Record<string, ReplayKey> = {
  " ": "play", k: "play", j: "back", l: "forward", ArrowLeft: "stepBack", ArrowRight: "stepForward", ArrowUp: "louder", ArrowDown: "quieter",
  m: "mute", f: "fullScreen", "<": "slower", ",": "slower", ">": "faster", ".": "faster", p: "previousChapter", n: "nextChapter", v: "layout", g: "live", "?": "help",
};

/** Keys belong to the field one writes in, the menu or dialog that is open, and the browser's own combinations. */
export function keyOf(event: Pick<KeyboardEvent, "key" | "target" | "defaultPrevented" | "ctrlKey" | "metaKey" | "altKey" | "isComposing">): ReplayKey | null {
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
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (!active) return;
    const down = (event: KeyboardEvent) => {
      const key = keyOf(event);
      if (!key) return;
      event.preventDefault();
      latest.current[key]();
    };
    // Before the slider, whose own steps are others.
    document.addEventListener("keydown", down, true);
    return () => document.removeEventListener("keydown", down, true);
  }, [active]);
}
