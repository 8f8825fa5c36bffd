// What the studio shows and what it may ask. Codes and numbers only; plain data, so that a gallery can make it up.

import type { Push } from "../client/push";
import type { Corner } from "../client/studio/compositor";
import type { DeviceCause, DeviceKind, DevicesView, Millis, Readable, Refusal } from "./types";

export type StudioSource = "camera" | "screen" | "both";
export type StudioCodec = "H264" | "VP9" | "VP8";
export type StudioQuality = "540" | "720" | "1080";

export type StudioPhase =
  | { kind: "loading" }
  /** The key is not in this tab; `wrong`: the one that was given is not right. */
  | { kind: "key"; wrong: boolean }
  | { kind: "preview"; refusal: Refusal | null }
  | { kind: "connecting" }
  | { kind: "live"; since: Millis }
  | { kind: "reconnecting"; since: Millis }
  /** Sent for so long, and ended by its maker. */
  | { kind: "ended"; lasted: Millis }
  /** There is no such broadcast, or no server. */
  | { kind: "failed"; refusal: Refusal };

/** How others push and watch. */
export interface StudioBroadcast {
  id: string;
  title: string;
  watchUrl: string;
  whipUrl: string;
  rtmpUrl: string | null;
  srtUrl: string | null;
  streamKey: string | null;
}

export interface StudioInput {
  on: boolean;
  busy: boolean;
  error: DeviceCause | null;
}

/** What leaves, as the browser counts it; looked at once a second. */
export interface StudioSending {
  kbps: number;
  framesPerSecond: number;
  width: number;
  height: number;
  codec: string;
  /** What keeps the picture smaller than wished. */
  limited: "cpu" | "bandwidth" | null;
  /** Bits a second of the last minute, oldest first. */
  history: readonly number[];
}

export interface StudioView {
  phase: StudioPhase;
  broadcast: StudioBroadcast | null;
  source: StudioSource;
  corner: Corner;
  /** What viewers get. */
  picture: MediaStream | null;
  camera: StudioInput;
  microphone: StudioInput;
  screen: StudioInput & { sound: boolean };
  devices: DevicesView;
  viewers: number;
  /** Somebody else sends to this broadcast now. */
  taken: boolean;
  /** What another program pushes to this broadcast now. */
  push: Push | null;
  sending: StudioSending | null;
  reconnects: number;
  /** The browser draws too slowly while nobody looks at the page: viewers get the screen without the camera. */
  plainWhileHidden: boolean;
  codec: StudioCodec;
  codecs: readonly StudioCodec[];
  quality: StudioQuality;
  simulcast: boolean;
}

export interface StudioActions {
  giveKey: (key: string) => void;
  setSource: (source: StudioSource) => void;
  setCorner: (corner: Corner) => void;
  setCamera: (on: boolean) => void;
  setMicrophone: (on: boolean) => void;
  chooseDevice: (kind: DeviceKind, id: string) => void;
  retryDevice: (kind: DeviceKind) => void;
  testSpeaker: () => void;
  /** 0 to 1, of the microphone. */
  level: () => number;
  /** 0 to 1, of the shared tab. */
  screenLevel: () => number;
  setCodec: (codec: StudioCodec) => void;
  setQuality: (quality: StudioQuality) => void;
  setSimulcast: (on: boolean) => void;
  goLive: () => void;
  end: () => void;
}

/** `createStudio(broadcastId)` in `state/studio.ts`. */
export interface StudioModel {
  view: Readable<StudioView>;
  actions: StudioActions;
  close: () => void;
}
