// Small pictures of moments, for the bar: the key frame before the moment, decoded alone. One at a time, the last wanted
// first, kept while there is room. Knows no player and no page.

import { bytesOf, segmentsOf } from "../recordings";
import { RestError } from "../rest";
import { type File, fileAt, type Segment, segmentAfter, type Source, takeSegments, typeOf, unknownFrom } from "./index";
import { firstPicture, withStartCodes } from "./keyframe";

/** Most key frames of cameras fit; the rest of a larger one is fetched then. */
const FIRST_BYTES = 48 * 1024;
/** Nothing larger is fetched to be seen so small. */
const MOST_BYTES = 2 * 1024 * 1024;
const KEPT = 80;
/** After the server gave none: until it is asked for again. */
const AGAIN_MS = 2_000;
/** A picture stands for so long after its segment (seconds). */
const STANDS = 3;
/** What the small pictures fit in, with what displays need that draw several dots for one. */
const [WIDTH, HEIGHT] = [320, 180];

export interface PreviewParts {
  segments: typeof segmentsOf;
  bytes: typeof bytesOf;
  /** Whether a codec (RFC 6381) can be decoded here. */
  supports(codec: string): Promise<boolean>;
  decode(codec: string, picture: Uint8Array): Promise<HTMLCanvasElement>;
  wait(milliseconds: number): Promise<void>;
}

type Need = { what: "support"; file: File } | { what: "list"; file: File } | { what: "picture"; file: File; segment: Segment; key: string };

export class Previews {
  /** Null: there is none. */
  private readonly pictures = new Map<string, HTMLCanvasElement | null>();
  /** Own lists: the player's say only what it needs. */
  private readonly files = new Map<string, File>();
  private readonly support = new Map<string, boolean>();
  private wanted: number | null = null;
  private working = false;
  private readonly end = new AbortController();

  constructor(
    /** Sources that may have something to see at a time, the best first. */
    private readonly sources: (at: number) => readonly Source[],
    /** Up to where there is anything (seconds). */
    private readonly edge: () => number,
    private readonly changed: () => void,
    private readonly parts: PreviewParts = BROWSER_PREVIEWS,
  ) {}

  /** The picture, or whether one may come; asks for nothing. */
  get(at: number): HTMLCanvasElement | "coming" | null {
    const found = this.resolve(at);
    return found && "what" in found ? "coming" : found;
  }

  /** From now on this moment is the one that is wanted. */
  want(at: number | null): void {
    this.wanted = at;
    if (!this.working) void this.work();
  }

  close(): void {
    this.wanted = null;
    this.end.abort();
  }

  private async work(): Promise<void> {
    this.working = true;
    for (;;) {
      const need = this.wanted === null ? null : this.resolve(this.wanted);
      if (!need || !("what" in need)) break;
      const error: unknown = await this.satisfy(need).then(() => null, (thrown: unknown) => thrown);
      if (this.end.signal.aborted) break;
      // A connection comes back; what is no picture stays none.
      if (mayHelpAgain(error)) await this.parts.wait(AGAIN_MS);
      else if (error !== null) this.giveUp(need);
      if (this.end.signal.aborted) break;
      this.changed();
    }
    this.working = false;
  }

  private resolve(at: number): HTMLCanvasElement | Need | null {
    for (const source of this.sources(at)) {
      const found = this.resolveIn(source, at);
      if (found) return found;
    }
    return null;
  }

  private resolveIn(source: Source, at: number): HTMLCanvasElement | Need | null {
    const known = fileAt(source, at);
    if (!known || known.track.start_ms / 1000 > at) return null;
    const { track } = known;
    const file = this.files.get(track.id) ?? { track, type: typeOf(track), playable: true, init: 0, segments: [], known: -1 };
    file.track = track;
    this.files.set(track.id, file);
    if (!file.playable) return null;
    const supported = this.support.get(track.codecs);
    if (supported === undefined) return { what: "support", file };
    if (!supported) return null;
    if (file.known <= at && file.known < this.edge()) return { what: "list", file };
    const next = segmentAfter(file, at);
    const here = file.segments[next];
    const segment = here && here.from <= at ? here : before(file, next, at);
    if (!segment) return null;
    const key = `${track.id}:${segment.offset}`;
    const picture = this.pictures.get(key);
    if (picture === undefined) return { what: "picture", file, segment, key };
    return picture;
  }

  private async satisfy(need: Need): Promise<void> {
    const { file } = need;
    const { signal } = this.end;
    switch (need.what) {
      case "support":
        this.support.set(file.track.codecs, await this.parts.supports(file.track.codecs));
        return;
      case "list": {
        const known = file.track.complete ? Infinity : this.edge();
        const from = unknownFrom(file);
        takeSegments(file, from, await this.parts.segments(file.track, from, signal));
        file.known = known;
        return;
      }
      case "picture":
        this.keep(need.key, await this.parts.decode(file.track.codecs, await this.picture(file, need.segment, signal)));
    }
  }

  private async picture({ track }: File, { offset, length }: Segment, signal: AbortSignal): Promise<Uint8Array> {
    const first = new Uint8Array(await this.parts.bytes(track.url, offset, Math.min(length, FIRST_BYTES), signal));
    const place = firstPicture(first);
    if (!place || place.to > Math.min(length, MOST_BYTES)) throw new Error("no picture");
    const picture = new Uint8Array(place.to - place.from);
    picture.set(first.subarray(place.from, place.to));
    if (place.to > first.length) {
      picture.set(new Uint8Array(await this.parts.bytes(track.url, offset + first.length, place.to - first.length, signal)), first.length - place.from);
    }
    if (track.codec === "h264") withStartCodes(picture);
    return picture;
  }

  private keep(key: string, picture: HTMLCanvasElement | null): void {
    this.pictures.set(key, picture);
    const [oldest] = this.pictures.keys();
    if (this.pictures.size > KEPT && oldest !== undefined) this.pictures.delete(oldest);
  }

  private giveUp(need: Need): void {
    if (need.what === "picture") this.keep(need.key, null);
    else if (need.what === "support") this.support.set(need.file.track.codecs, false);
    else need.file.playable = false;
  }
}

function mayHelpAgain(error: unknown): boolean {
  return error instanceof RestError && (error.code === "unreachable" || error.status >= 500 || error.status === 429);
}

/** The segment before a place, where what it ends with may still stand. */
function before(file: File, next: number, at: number): Segment | undefined {
  const one = file.segments[next < 0 ? file.segments.length - 1 : next - 1];
  return one && at - one.to < STANDS ? one : undefined;
}

export const BROWSER_PREVIEWS: PreviewParts = {
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  segments: segmentsOf,
  bytes: bytesOf,
  async supports(codec) {
    if (!("VideoDecoder" in globalThis)) return false;
    return (await VideoDecoder.isConfigSupported({ codec })).supported ?? false;
  },
  async decode(codec, picture) {
    const canvas = document.createElement("canvas");
    let failed: unknown = new Error("no picture came out");
    const decoder = new VideoDecoder({
      output(frame) {
        const scale = Math.min(WIDTH / frame.displayWidth, HEIGHT / frame.displayHeight, 1);
        canvas.width = Math.round(frame.displayWidth * scale);
        canvas.height = Math.round(frame.displayHeight * scale);
        canvas.getContext("2d")?.drawImage(frame, 0, 0, canvas.width, canvas.height);
        frame.close();
        failed = null;
      },
      error(error) {
        failed = error;
      },
    });
    try {
      decoder.configure({ codec, optimizeForLatency: true });
      decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: 0, data: picture }));
      await decoder.flush();
    } finally {
      if (decoder.state !== "closed") decoder.close();
    }
    if (failed) throw failed instanceof Error ? failed : new Error("the picture could not be decoded");
    return canvas;
  },
};
