// What the replay page shows and asks. Types only.

import type { ExportLayout, RecordingDetail, RecordingExports } from "../../client/recordings";
import type { PlayerState } from "../../client/replay/player";
import type { Readable, Refusal } from "../types";
import type { ReplayLayout, ReplayLayoutChoice } from "./layout";
import type { Chapter, Line } from "./story";

export type { Chapter, ExportLayout, Line, PlayerState, ReplayLayout, ReplayLayoutChoice, RecordingDetail, RecordingExports };
export type { ReplayTile } from "./layout";

export type ReplayPhase = { kind: "loading" } | { kind: "failed"; refusal: Refusal } | { kind: "ready" };

export interface ReplayView {
  phase: ReplayPhase;
  recording: RecordingDetail | null;
  player: PlayerState;
  layout: ReplayLayout;
  chapters: readonly Chapter[];
  /** The one that plays, by its place. */
  chapter: number;
  lines: readonly Line[];
  /** The last that was there; -1 before the first. */
  line: number;
  /** Nothing was kept here: why, and until when (seconds). */
  gap: { why: RecordingDetail["gaps"][number]["why"]; to: number } | null;
  /** Names of those who speak. */
  speaking: readonly string[];
  /** Null before they are known. */
  exports: RecordingExports | null;
  /** Why the last thing that was asked did not come to be. */
  refused: Refusal | null;
}

export interface ReplayActions {
  toggle: () => void;
  /** Seconds. */
  seek: (to: number) => void;
  /** Where the recording goes on: to what happens now. */
  goLive: () => void;
  skip: (by: number) => void;
  /** The next chapter, or the one before. */
  toChapter: (by: 1 | -1) => void;
  setRate: (rate: number) => void;
  /** The next faster or slower one. */
  stepRate: (by: 1 | -1) => void;
  setVolume: (volume: number) => void;
  toggleMuted: () => void;
  setLayout: (choice: ReplayLayoutChoice) => void;
  setPage: (page: number) => void;
  /** The element that has a tile's picture. */
  picture: (key: string) => HTMLElement | null;
  readExports: () => void;
  startExport: (layout: ExportLayout) => void;
  endExport: (layout: ExportLayout) => void;
}

/** Small pictures of moments, for the bar. */
export interface ReplayPreviews {
  /** Changes when another one is there. */
  changes: Readable<number>;
  /** Asks for one; null: for none. */
  want: (at: number | null) => void;
  get: (at: number) => HTMLCanvasElement | "coming" | null;
}

export interface ReplayModel {
  view: Readable<ReplayView>;
  /** Seconds; changes several times a second. */
  position: Readable<number>;
  previews: ReplayPreviews;
  actions: ReplayActions;
  close: () => void;
}
