// What the watch page shows and what it may ask. Codes and numbers only; plain data, so that a gallery can make it up.

import type { Readable, Refusal } from "./types";

export type WatchPhase =
  | { kind: "connecting" }
  /** Nobody publishes yet; asked again by itself. */
  | { kind: "waiting" }
  | { kind: "playing" }
  /** No more viewers fit in; asked again by itself. */
  | { kind: "full" }
  | { kind: "reconnecting" }
  /** It was there, and is over. `again`: what was sent can still be watched. */
  | { kind: "ended"; again: boolean }
  | { kind: "failed"; refusal: Refusal };

/** By WebRTC with the least delay, or by HLS, which rewinds and suits thin links. */
export type WatchWay = "fast" | "steady";

/** Why the other way was taken than the one wanted. */
export type WatchMoved = "full" | "busy" | "codec" | "only" | "unplayable";

export interface WatchVariant {
  id: number;
  height: number;
  kbps: number;
}

export interface WatchView {
  phase: WatchPhase;
  title: string;
  way: WatchWay;
  /** Both ways exist. */
  mayChoose: boolean;
  moved: WatchMoved | null;
  /** The browser plays without sound until there is a click. */
  soundBlocked: boolean;
  paused: boolean;
  muted: boolean;
  /** 0 to 1. */
  volume: number;
  variants: readonly WatchVariant[];
  /** -1: the player chooses. */
  variant: number;
  /** Lines of the picture that is shown. */
  height: number;
  /** Seconds between what is sent and what is shown. */
  delay: number | null;
  captions: boolean | null;
}

/** Where one is in what can be watched, in seconds of the player. */
export interface WatchPlace {
  from: number;
  to: number;
  at: number;
  /** What is shown is what is sent. */
  live: boolean;
  /** The server keeps more than what is before `from`: see `goFurther`. */
  further: boolean;
}

export interface WatchActions {
  /** The element to play in; null when it goes. */
  attach: (video: HTMLVideoElement | null) => void;
  hear: () => void;
  toggle: () => void;
  skip: (seconds: number) => void;
  seek: (to: number) => void;
  /** Makes all that the server keeps the place to go back in, and stays where one is. */
  goFurther: () => void;
  toLive: () => void;
  setMuted: (muted: boolean) => void;
  setVolume: (volume: number) => void;
  setVariant: (id: number) => void;
  setWay: (way: WatchWay) => void;
  setCaptions: (on: boolean) => void;
}

/** `createWatch(broadcastId)` in `state/watch.ts`. */
export interface WatchModel {
  view: Readable<WatchView>;
  /** Null where there is nothing to rewind. */
  place: Readable<WatchPlace | null>;
  actions: WatchActions;
  close: () => void;
}
