// Recordings by REST: the list, one recording, its media by ranges, who may see it, the composed file. Types only, and
// the calls; knows no player.

import { call, failureOf, json, RestError } from "./rest";

export const RECORDING_STATES = ["recording", "paused", "suspended", "finishing", "finished", "broken"] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];

/** Who may watch, beside administrators: the fewest first. */
export const VISIBILITIES = ["nobody", "host", "participants", "link"] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export interface RecordingSummary {
  id: string;
  meeting_id: string;
  title: string;
  state: RecordingState;
  /** Milliseconds since the Unix epoch. */
  started_at: number;
  duration_ms: number;
  /** While it runs: what was captured before this can be played. */
  written_ms: number;
  bytes: number;
  /** Names of those who were there. */
  participants: string[];
  visibility: Visibility;
  link_expires_at: number | null;
  replay_url: string;
  /** Only where recordings go elsewhere. */
  upload: { state: "uploading" | "retrying" | "finished"; bytes_left: number; error?: string } | null;
}

export const TRACK_SOURCES = ["microphone", "camera", "screen", "screen-audio"] as const;
export type TrackSource = (typeof TRACK_SOURCES)[number];

/** One file: one codec of one source of one person. */
export interface RecordingTrack {
  id: string;
  participant: number;
  name: string;
  kind: "audio" | "video";
  source: TrackSource;
  codec: string;
  /** RFC 6381. */
  codecs: string;
  mime: string;
  url: string;
  bytes: number;
  start_ms: number;
  duration_ms: number;
  /** No more comes. */
  complete: boolean;
  width: number | null;
  height: number | null;
}

export interface RecordingDetail extends RecordingSummary {
  tracks: RecordingTrack[];
  /** The sound of everybody as one file; null until it is made. */
  mix: { url: string; bytes: number } | null;
  /** Times in which nothing was kept. */
  gaps: { from_ms: number; to_ms: number; why: "paused" | "disk-full" | "read-only" | "slow" | "failed" }[];
  ended: string | null;
  /** Whether the asker may rename, delete and share. */
  manage: boolean;
}

/** Where the media lies in a file: the head, then offset, bytes, start and end in milliseconds of each segment. */
export interface SegmentList {
  init: number;
  segments: [offset: number, length: number, startMs: number, endMs: number][];
}

/** What happened, in milliseconds since the recording began (`recordings/src/timeline.rs`). */
export type TimelineEntry = { at_ms: number } & TimelineEvent;

export type TimelineEvent =
  | { event: "joined"; participant: number; name: string }
  | { event: "left"; participant: number }
  | { event: "renamed"; participant: number; name: string }
  | { event: "source"; participant: number; source: TrackSource; on: boolean }
  /** The loudest first; nobody where empty. */
  | { event: "speaking"; participants: number[] }
  | { event: "chat"; participant: number; name: string; text: string }
  | { event: "mark"; text: string };

export type ExportLayout = "grid" | "speaker";

/** A file made of all tracks by the server. */
export interface RecordingExport {
  layout: ExportLayout;
  state: "queued" | "running" | "finished" | "failed";
  /** 0 to 1. */
  progress: number;
  bytes: number | null;
  error: string | null;
  url: string | null;
}

export interface RecordingExports {
  exports: RecordingExport[];
  available: boolean;
  /** Why it is not available. */
  reason: string | null;
}

export interface RecordingPage {
  recordings: RecordingSummary[];
  /** To be given as `before`; null at the end. */
  next: string | null;
}

export interface RecordingChange {
  title?: string;
  visibility?: Visibility;
  link_expires_at?: number | null;
}

const at = (id: string, more = "") => `/recordings/${encodeURIComponent(id)}${more}`;

/** `query` looks into titles and names of participants. */
export function recordings(query: string, before: string | null = null): Promise<RecordingPage> {
  const wanted = new URLSearchParams();
  if (query) wanted.set("query", query);
  if (before !== null) wanted.set("before", before);
  const asked = wanted.toString();
  return json("GET", asked ? `/recordings?${asked}` : "/recordings");
}

export function recording(id: string): Promise<RecordingDetail> {
  return json("GET", at(id));
}

/** What came after so many entries. */
export async function timeline(id: string, from = 0): Promise<TimelineEntry[]> {
  return (await json<{ entries: TimelineEntry[] }>("GET", at(id, `/timeline?from=${from}`))).entries;
}

/** Exchanges the secret of a link for a cookie. */
export async function openRecording(id: string, token: string): Promise<void> {
  await call("POST", at(id, "/open"), { token });
}

export function changeRecording(id: string, change: RecordingChange): Promise<RecordingSummary> {
  return json("PATCH", at(id), change);
}

/** Makes a link; the one before is no longer valid. */
export function makeLink(id: string): Promise<{ url: string; expires_at: number | null }> {
  return json("POST", at(id, "/link"), {});
}

export async function deleteRecording(id: string): Promise<void> {
  await call("DELETE", at(id));
}

export function exportsOf(id: string): Promise<RecordingExports> {
  return json("GET", at(id, "/exports"));
}

export function startExport(id: string, layout: ExportLayout): Promise<RecordingExport> {
  return json("POST", at(id, "/export"), { layout });
}

/** Cancels it, or removes the file. */
export async function endExport(id: string, layout: ExportLayout): Promise<void> {
  await call("DELETE", at(id, `/exports/${layout}`));
}

/** Those that begin at a byte or later. */
export function segmentsOf(track: RecordingTrack, from: number, signal: AbortSignal): Promise<SegmentList> {
  return get(`${track.url}/segments?from=${from}`, { signal }, async (answer) => (await answer.json()) as SegmentList);
}

/** So many bytes of a file from an offset on. */
export function bytesOf(url: string, offset: number, length: number, signal: AbortSignal): Promise<ArrayBuffer> {
  const wanted = { signal, headers: { Range: `bytes=${offset}-${offset + length - 1}` } };
  return get(url, wanted, async (answer) => {
    const bytes = await answer.arrayBuffer();
    // A proxy that knows no ranges gives all of it.
    return answer.status === 200 ? bytes.slice(offset, offset + length) : bytes;
  });
}

async function get<T>(url: string, wanted: RequestInit, read: (answer: Response) => Promise<T>): Promise<T> {
  try {
    const answer = await fetch(url, { credentials: "same-origin", ...wanted });
    if (!answer.ok) throw await failureOf(answer);
    return await read(answer);
  } catch (error) {
    if (wanted.signal?.aborted || error instanceof RestError) throw error;
    // Also where the network went away in the middle of it.
    throw new RestError("unreachable", 0, null, "no answer");
  }
}
