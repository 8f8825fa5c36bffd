// Where the media of one source lies: its files one after the other, and the segments in them. Pure.

import type { RecordingTrack, SegmentList, TrackSource } from "../recordings";
import type { Range } from "./sync";

/** Segments this near to each other play on without a hole (seconds). */
const TOUCHING = 0.1;
/** A packet or two between silences (DTX) is no sound worth placing an element for. */
const SHORTEST_SOUND = 0.1;

export interface Segment {
  offset: number;
  length: number;
  from: number;
  to: number;
}

/** A file, and where its segments are once that is known. */
export interface File {
  track: RecordingTrack;
  /** What the browser is asked about, and told when the file begins. */
  type: string;
  playable: boolean;
  /** Bytes of the head; 0 before the segments are known. */
  init: number;
  segments: Segment[];
}

/** What one person sent of one kind, in however many files. */
export interface Source {
  key: string;
  participant: number;
  source: TrackSource;
  kind: "audio" | "video";
  files: File[];
}

export function typeOf(track: RecordingTrack): string {
  return track.mime.includes("codecs") ? track.mime : `${track.mime}; codecs="${track.codecs}"`;
}

/** The sources that a recording's files belong to. */
export function sourcesOf(tracks: readonly RecordingTrack[], playable: (type: string) => boolean): Source[] {
  const found = new Map<string, Source>();
  for (const track of [...tracks].sort((a, b) => a.start_ms - b.start_ms)) {
    const key = `${track.participant}-${track.source}`;
    const { participant, source, kind } = track;
    const type = typeOf(track);
    const one = found.get(key) ?? { key, participant, source, kind, files: [] };
    one.files.push({ track, type, playable: playable(type), init: 0, segments: [] });
    found.set(key, one);
  }
  return [...found.values()];
}

export function segments(list: SegmentList): Segment[] {
  return list.segments.map(([offset, length, start, end]) => ({ offset, length, from: start / 1000, to: end / 1000 }));
}

/** Between which times there is something; before the segments are known, as the file says. */
export function stretches(source: Source): Range[] {
  const found: [number, number][] = [];
  for (const file of source.files) {
    const { start_ms, duration_ms } = file.track;
    const pieces: Range[] = file.init > 0 ? file.segments.map(({ from, to }) => [from, to] as const) : [[start_ms / 1000, (start_ms + duration_ms) / 1000]];
    for (const [from, to] of pieces) {
      const last = found[found.length - 1];
      if (last && from <= last[1] + TOUCHING) last[1] = Math.max(last[1], to);
      else found.push([from, to]);
    }
  }
  return source.kind === "audio" ? found.filter(([from, to]) => to - from >= SHORTEST_SOUND) : found;
}

/** The file that is heard or seen at a time, or the next after it. */
export function fileAt(source: Source, time: number): File | null {
  const end = ({ track, segments }: File) => Math.max((track.start_ms + track.duration_ms) / 1000, segments[segments.length - 1]?.to ?? 0);
  return source.files.find((file) => end(file) > time) ?? null;
}

/** The first segment of a file that ends after `time`; -1 where none does. */
export function segmentAfter(file: File, time: number): number {
  let [low, high] = [0, file.segments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((file.segments[middle]?.to ?? 0) > time) high = middle;
    else low = middle + 1;
  }
  return low < file.segments.length ? low : -1;
}
