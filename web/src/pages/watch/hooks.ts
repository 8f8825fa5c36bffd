/** What the player does to the browser around it: full screen of its own frame, picture in picture, keys. */
import { type RefObject, useCallback } from "react";
import { isTaken, useKeys } from "../keys";
import { type FullScreen, useFullScreen } from "../meeting/hooks";

interface PhoneVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

/**
 * The whole page, on which the frame then covers the rest: menus and tooltips lie outside of the frame. On an iPhone the
 * video itself, which is all that it lets a page enlarge.
 */
export function useWhole(frame: RefObject<HTMLElement | null>): FullScreen {
  const page = useFullScreen();
  const toggle = useCallback(() => frame.current?.querySelector<PhoneVideo>("video")?.webkitEnterFullscreen?.(), [frame]);
  if (page.possible) return page;
  return { possible: "webkitEnterFullscreen" in HTMLVideoElement.prototype, on: page.on, toggle };
}

export function canBeSmall(): boolean {
  return (document as Partial<Pick<Document, "pictureInPictureEnabled">>).pictureInPictureEnabled === true;
}

export function toggleSmall(video: HTMLVideoElement | null): void {
  const done = document.pictureInPictureElement ? document.exitPictureInPicture() : video?.requestPictureInPicture();
  done?.catch(() => undefined);
}

export type WatchKey = "play" | "back" | "forward" | "stepBack" | "stepForward" | "louder" | "quieter" | "mute" | "fullScreen" | "live" | "captions" | "help";

const KEYS: Readonly<Record<string, WatchKey>> = {
  " ": "play", k: "play", j: "back", l: "forward", ArrowLeft: "stepBack", ArrowRight: "stepForward", ArrowUp: "louder", ArrowDown: "quieter",
  m: "mute", f: "fullScreen", End: "live", c: "captions", "?": "help",
};

/** What a key means here; null where it belongs to what has the focus. */
function keyOf(event: KeyboardEvent): WatchKey | null {
  const key = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  const target = event.target instanceof Element ? event.target : null;
  const slider = target?.matches('input[type="range"]') ?? false;
  if (key === null || (isTaken(event) && !slider)) return null;
  // A slider has its own arrows, a button its own space bar; a page that is longer than the screen scrolls.
  if (slider && (event.key.startsWith("Arrow") || event.key === "End")) return null;
  if (event.key === " " && target?.closest("button, a, summary")) return null;
  return key;
}

export function useWatchKeys(active: boolean, handlers: Record<WatchKey, () => void>): void {
  useKeys(active, keyOf, handlers);
}
