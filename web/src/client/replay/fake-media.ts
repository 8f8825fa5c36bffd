// Media elements and a server for tests, in a time that passes when a test says so. An element plays what was appended,
// stands still at holes, and needs a moment to get anywhere.

import type { RecordingTrack } from "../recordings";
import { RestError } from "../rest";
import type { Media, Playable } from "./media";
import { ReplayPlayer, type PlayerParts, type PlayerState } from "./player";
import { type Range, rangeAt } from "./sync";

const SEGMENT_S = 2;
const HEAD = 100;
const PER_SECOND = 1_000;
const SEEK_MS = 60;

class FakeElement implements Playable {
  paused = true;
  playbackRate = 1;
  volume = 1;
  muted = false;
  error: MediaError | null = null;
  ranges: Range[] = [];
  seeks = 0;
  private at = 0;
  private seeksFor = 0;

  constructor(private readonly refuses: () => boolean, private readonly deaf: () => boolean, private readonly drift: number) {}

  get currentTime(): number {
    return this.at;
  }
  set currentTime(to: number) {
    this.at = to;
    this.seeksFor = SEEK_MS;
    this.seeks += 1;
  }
  get seeking(): boolean {
    return this.seeksFor > 0;
  }
  get readyState(): number {
    return this.seeking || !rangeAt(this.ranges, this.at) ? 1 : 4;
  }
  play(): Promise<void> {
    if (this.refuses()) return Promise.reject(new DOMException("a click first", "NotAllowedError"));
    this.paused = false;
    if (this.deaf() && !this.muted) this.error = { message: "OnMediaSinkAudioError" } as MediaError;
    return Promise.resolve();
  }
  pause(): void {
    this.paused = true;
  }
  pass(ms: number): void {
    const range = rangeAt(this.ranges, this.at);
    if (this.seeking) {
      if (range) this.seeksFor = Math.max(0, this.seeksFor - ms);
    } else if (!this.paused && range) {
      this.at = Math.min(range[1], this.at + (ms / 1000) * this.playbackRate * this.drift);
    }
  }
}

export interface FakeFile {
  participant?: number;
  source?: RecordingTrack["source"];
  codec?: string;
  /** Seconds in which there is something. */
  pieces: [number, number][];
  /** Its clock runs so much faster than others. */
  drift?: number;
}

export class World {
  time = 1_000;
  /** What a request takes; null: never an answer. */
  latency: number | null = 20;
  /** By file. */
  away = new Set<string>();
  /** The server has this file no more. */
  lost = new Set<string>();
  refuses = false;
  /** No sound card: what is not muted fails, as in Firefox. */
  deaf = false;
  quota = Infinity;
  readonly asked: string[] = [];
  readonly types: string[] = [];
  readonly elements: { kind: string; element: FakeElement; closed: boolean; url: string }[] = [];
  readonly tracks: RecordingTrack[];
  readonly player: ReplayPlayer;
  states: PlayerState[] = [];
  /** What else happens as time passes. */
  happens: () => void = () => undefined;
  private looks: { every: number; at: number; look: () => void }[] = [];
  private waits: { until: number; done: () => void }[] = [];

  /** `written`: of a recording that goes on (seconds). */
  constructor(readonly files: FakeFile[], duration: number, written: number | null = null) {
    this.tracks = this.tracksOf(written === null);
    this.player = new ReplayPlayer(() => this.states.push(this.player.get()), this.parts());
    this.player.load(this.tracks, duration * 1000, written === null ? null : written * 1000);
  }

  /** The files as the server tells of them now. */
  tracksOf(complete: boolean): RecordingTrack[] {
    return this.files.map((file, index) => {
      const source = file.source ?? "microphone";
      const audio = source === "microphone" || source === "screen-audio";
      const codec = file.codec ?? (audio ? "opus" : "vp8");
      const [from, to] = [file.pieces[0]?.[0] ?? 0, file.pieces[file.pieces.length - 1]?.[1] ?? 0];
      return {
        id: String(index + 1), participant: file.participant ?? 1, name: `P${file.participant ?? 1}`, kind: audio ? "audio" : "video",
        source, codec, codecs: codec, mime: audio ? "audio/mp4" : "video/webm", url: `/files/${index + 1}`, bytes: HEAD + to * PER_SECOND,
        start_ms: from * 1000, duration_ms: (to - from) * 1000, complete, width: null, height: null,
      };
    });
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    while (this.time < until) {
      this.time += 10;
      this.happens();
      for (const { element, closed } of this.elements) if (!closed) element.pass(10);
      for (const wait of this.waits.filter((one) => one.until <= this.time)) wait.done();
      this.waits = this.waits.filter((one) => one.until > this.time);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      for (const one of this.looks) {
        if (one.at > this.time) continue;
        one.at += one.every;
        one.look();
      }
    }
  }

  /** The elements of a file that are open. */
  of(file: number): FakeElement {
    const found = this.elements.find(({ url, closed }) => url === `/files/${file}` && !closed);
    if (!found) throw new Error(`no element plays file ${file}`);
    return found.element;
  }

  private parts(): PlayerParts {
    const answer = async <T>(signal: AbortSignal, give: () => T): Promise<T> => {
      await this.wait(this.latency ?? 1e9, signal);
      return give();
    };
    return {
      now: () => this.time,
      every: (every, look) => {
        this.looks.push({ every, at: this.time + every, look });
        return () => (this.looks = this.looks.filter((one) => one.look !== look));
      },
      wait: (ms, signal) => this.wait(ms, signal),
      segments: (track, known, signal) =>
        answer(signal, () => {
          this.asked.push(`${track.id} segments${known > 0 ? ` from ${(known - HEAD) / PER_SECOND}` : ""}`);
          const pieces = this.files[Number(track.id) - 1]?.pieces ?? [];
          const segments = pieces.flatMap(([from, to]) => {
            const cuts: [number, number, number, number][] = [];
            for (let at = from; at < to; at += SEGMENT_S) {
              const end = Math.min(to, at + SEGMENT_S);
              cuts.push([HEAD + at * PER_SECOND, (end - at) * PER_SECOND, at * 1000, end * 1000]);
            }
            return cuts;
          });
          return { init: HEAD, segments: segments.filter(([offset]) => offset >= known) };
        }),
      bytes: (url, offset, length, signal) =>
        answer(signal, () => {
          this.asked.push(`${url.slice("/files/".length)} ${offset === 0 ? "head" : (offset - HEAD) / PER_SECOND}`);
          if (this.lost.has(url)) throw new RestError("not-found", 404, null, "lost");
          if (this.away.has(url)) throw new RestError("unreachable", 0, null, "away");
          // What it holds stands in it: whose it is, and from when to when.
          const text = offset === 0 ? `head ${url}` : `${url} ${(offset - HEAD) / PER_SECOND} ${(offset - HEAD + length) / PER_SECOND}`;
          return new TextEncoder().encode(text).buffer;
        }),
      media: { playable: (type) => !type.includes("hevc"), open: (kind) => this.open(kind) },
    };
  }

  private open(kind: "audio" | "video"): Media {
    const entry = { kind, element: new FakeElement(() => this.refuses && kind === "audio", () => this.deaf && kind === "audio", 1), closed: false, url: "" };
    this.elements.push(entry);
    const { element } = entry;
    return {
      element,
      buffered: () => element.ranges,
      use: (type) => {
        this.types.push(type);
        return Promise.resolve();
      },
      append: (bytes) => {
        const [first = "", from, to] = new TextDecoder().decode(bytes).split(" ");
        if (first === "head") {
          entry.url = from ?? "";
          const drift = this.files[Number(entry.url.slice("/files/".length)) - 1]?.drift;
          if (drift) Object.assign(element, { drift });
          return Promise.resolve();
        }
        const range: Range = [Number(from), Number(to)];
        const long = element.ranges.reduce((sum, [begin, end]) => sum + end - begin, 0);
        if (long > this.quota) return Promise.reject(new DOMException("full", "QuotaExceededError"));
        element.ranges = join([...element.ranges, range]);
        return Promise.resolve();
      },
      remove: (from, to) => {
        element.ranges = element.ranges.flatMap(([begin, end]): Range[] => [[begin, Math.min(end, from)] as const, [Math.max(begin, to), end] as const]).filter(([begin, end]) => end > begin);
        return Promise.resolve();
      },
      close: () => {
        entry.closed = true;
      },
    };
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(new DOMException("aborted", "AbortError"));
      const ended = () => reject(new DOMException("aborted", "AbortError"));
      const done = () => {
        signal.removeEventListener("abort", ended);
        resolve();
      };
      this.waits.push({ until: this.time + ms, done });
      signal.addEventListener("abort", ended);
    });
  }
}

function join(ranges: Range[]): Range[] {
  const found: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = found[found.length - 1];
    if (last && from <= last[1] + 0.001) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}
