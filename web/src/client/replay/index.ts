// Where the media of one source lies: its files one after the other, and the segments in them. Pure.

import type { RecordingTrack, SegmentList, TrackSource } from "../recordings";
import type { Range } from "./sync";

/** Segments this near to each other play on without a hole (seconds). */
const TOUCHING = 0.1;
/** A packet or two between silences (DTX) is no sound worth placing an element for. */
const SHORTEST_SOUND = 0.1;

/** The last one of a file that grows grows, too. */
export interface Segment {
  readonly offset: number;
  length: number;
  readonly from: number;
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
  /** Up to here all segments are known (seconds); below 0 before they were asked for. */
  known: number;
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
    one.files.push({ track, type, playable: playable(type), init: 0, segments: [], known: -1 });
    found.set(key, one);
  }
  return [...found.values()];
}

/** From which byte on a file's segments are to be asked for: the last that is known may have grown. */
export function unknownFrom(file: File): number {
  return file.segments[file.segments.length - 1]?.offset ?? 0;
}

/** Takes what was asked for from `unknownFrom` on. Segments that were known stay the same ones. */
export function takeSegments(file: File, from: number, list: SegmentList): void {
  const before = new Map(file.segments.map((one) => [one.offset, one]));
  const newer = list.segments.map(([offset, length, start, end]) => {
    const one = before.get(offset) ?? { offset, length, from: start / 1000, to: end / 1000 };
    [one.length, one.to] = [length, end / 1000];
    return one;
  });
  file.segments = [...file.segments.filter(({ offset }) => offset < from), ...newer];
  file.init = list.init;
}

/** When a file ends; one that grows has no end. */
export function endOf({ track, segments }: File): number {
  if (!track.complete) return Infinity;
  return Math.max((track.start_ms + track.duration_ms) / 1000, segments[segments.length - 1]?.to ?? 0);
}

/** Bytes of a file that its known segments reach to. */
export function knownBytes({ init, segments }: File): number {
  const last = segments[segments.length - 1];
  return last ? last.offset + last.length : init;
}

/** Between which times there is something; before the segments are known, as the file says. */
export function stretches(source: Source): Range[] {
  const found: [number, number][] = [];
  for (const file of source.files) {
    const { start_ms, duration_ms } = file.track;
    const pieces: Range[] = file.known >= 0 ? file.segments.map(({ from, to }) => [from, to] as const) : [[start_ms / 1000, (start_ms + duration_ms) / 1000]];
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
  return source.files.find((file) => endOf(file) > time) ?? null;
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
