// One source of one person: fetches what will be heard or seen soon, forgets what was, and keeps its element where the
// replay is. Knows the other lanes not.

import type { bytesOf, segmentsOf } from "../recordings";
import { RestError } from "../rest";
import { endOf, type File, fileAt, knownBytes, type Segment, segmentAfter, type Source, stretches, takeSegments, unknownFrom } from "./index";
import type { Media, MediaParts } from "./media";
import { decide, type Range, rangeAt } from "./sync";

/** How far ahead is fetched, in seconds; pictures are the larger part. */
const AHEAD = { audio: 30, video: 16 };
/** What lies further behind is forgotten, and what lies further ahead after one went back. */
const BEHIND = 12;
const BEYOND = 20;
/** Before something begins its element already stands there. */
const READY_BEFORE = 1;
/** The same for a picture while the one before it still stands. */
const SHOWN_BEFORE = 0.15;
/** Of a file that grows, so much is known ahead before it is asked what came since (seconds). */
const KNOWN_AHEAD = 8;
/** After a failure; doubles each time. */
const AGAIN_AFTER_MS = 500;
const AGAIN_AT_MOST_MS = 8_000;
/** A decoder that gave up so often gets no more to do. */
const FAILURES = 3;
/** An element this near to where the replay will go on (seconds) stands there. */
const PLACED = 0.1;
/** A picture goes on to stand where there is no next one for so long (seconds): its sender had a moment's trouble. */
const STANDS = 2.5;
/** `HTMLMediaElement.HAVE_CURRENT_DATA` */
const HAS_PICTURE = 2;

export interface LaneParts {
  media: MediaParts;
  segments: typeof segmentsOf;
  bytes: typeof bytesOf;
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface LaneTells {
  /** The browser wants a click first. */
  blocked(): void;
  /** This device has no sound. */
  soundless(): void;
  /** The server has none of it any more, or gives nobody any. */
  gone(): void;
}

export interface Moment {
  target: number;
  running: boolean;
  rate: number;
  leads: boolean;
  volume: number;
}

export class Lane {
  private media: Media | null = null;
  /** The file whose head the element has. */
  private begun: File | null = null;
  /** How many bytes of each. */
  private readonly had = new Map<Segment, number>();
  /** What was appended last: only what follows it may begin without a key frame. */
  private last: Segment | null = null;
  /** What no decoder takes. */
  private readonly bad = new Set<Segment>();
  private loading: { abort: AbortController; segment: Segment | null } | null = null;
  /** Until a list of segments comes. */
  private known: readonly Range[] | null = null;
  private target = 0;
  private ahead: number;
  private failures = 0;
  private closed = false;
  private refused = false;
  /** Its picture is where the replay is. */
  showing = false;

  constructor(
    readonly source: Source,
    private readonly duration: () => number,
    /** What was captured before this can be asked for (seconds). */
    private readonly edge: () => number,
    private readonly parts: LaneParts,
    private readonly told: LaneTells,
  ) {
    this.ahead = AHEAD[source.kind];
  }

  private get stretches(): readonly Range[] {
    return (this.known ??= stretches(this.source));
  }

  get element(): Media["element"] | null {
    return this.media?.element ?? null;
  }

  /** Whether what is here cannot be played by this browser. */
  unplayable(at: number): boolean {
    if (!this.isDue(at)) return false;
    return this.refused || fileAt(this.source, at)?.playable === false;
  }

  /** Whether there is something at this place. */
  isDue(at: number): boolean {
    return rangeAt(this.stretches, at) !== null;
  }

  /** Whether something begins or goes on between two times, or may, as far as is known. */
  isDueWithin(from: number, to: number): boolean {
    return this.stretches.some(([begins, ends]) => begins < to && ends > from) || this.isUnknownWithin(from, to);
  }

  /** Whether a file has grown there since it was asked what is in it. */
  private isUnknownWithin(from: number, to: number): boolean {
    const edge = this.edge();
    return this.source.files.some((file) => {
      const end = Math.min(endOf(file), edge);
      return file.playable && file.known >= 0 && file.known < Math.min(to, end) && from < end;
    });
  }

  /** Whether it could go on from here at once; what will never come is not waited for. While the others play, it is
   * enough that something is here. */
  isReady(at: number, running: boolean): boolean {
    if (this.isUnknownWithin(at, at + PLACED)) return false;
    if (!this.isDue(at) || this.unplayable(at)) return true;
    const { media } = this;
    if (!media) return false;
    if (rangeAt(media.buffered(), at)) {
      const { seeking, readyState, currentTime } = media.element;
      return running || (!seeking && readyState >= HAS_PICTURE && Math.abs(currentTime - at) < PLACED);
    }
    const file = fileAt(this.source, at);
    if (!file || file.known < 0) return false;
    const segment = file.segments[segmentAfter(file, at)];
    return segment === undefined || segment.from > at || this.has(segment) || this.bad.has(segment);
  }

  /** How far off its element is; null where it does not play. */
  skew(at: number): number | null {
    const { element } = this;
    return element && !element.paused && !element.seeking && element.readyState > HAS_PICTURE && this.showing ? element.currentTime - at : null;
  }

  /** The replay jumped: what is on its way there is of no use any more. */
  jump(to: number): void {
    this.target = to;
    const segment = this.loading?.segment;
    if (segment && (segment.to <= to || segment.from > to + this.ahead)) this.loading?.abort.abort();
    const ranges = this.media?.buffered() ?? [];
    // Browsers forget by themselves where memory is short.
    for (const one of this.had.keys()) if (!rangeAt(ranges, (one.from + one.to) / 2)) this.had.delete(one);
  }

  /** Brings the element to where the replay is, and sees to what comes next. */
  look({ target, running, rate, leads, volume }: Moment): void {
    this.target = target;
    void this.fill();
    const { media } = this;
    if (!media) {
      this.showing = false;
      return;
    }
    const { element } = media;
    if (element.error) {
      // Firefox plays what is muted also where it finds no sound card.
      if (/sink/iu.test(element.error.message)) {
        this.shut();
        this.told.soundless();
      } else this.fail(target);
      return;
    }
    if (this.source.kind === "audio") {
      element.volume = volume;
      element.muted = volume === 0;
    }
    const buffered = media.buffered();
    const decision = decide({
      kind: this.source.kind, position: element.currentTime, seeking: element.seeking, target, running, rate, buffered, leads,
    });
    const stands = this.source.kind === "video" && target >= element.currentTime && target - element.currentTime < STANDS;
    this.showing = (decision.do !== "rest" || stands) && element.readyState >= HAS_PICTURE;
    switch (decision.do) {
      case "rest":
        this.rest(element, buffered, target);
        break;
      case "hold":
        if (!element.paused) element.pause();
        break;
      case "place":
        element.currentTime = decision.at;
        if (!running && !element.paused) element.pause();
        break;
      case "play":
        if (element.playbackRate !== decision.rate) element.playbackRate = decision.rate;
        if (element.paused) this.play(element);
        break;
    }
  }

  /** A recording that goes on has files that grew, and new ones; and those that did not grow, by now. */
  grow(newer: Source): void {
    this.known = null;
    for (const { track, ...file } of newer.files) {
      const old = this.source.files.find((one) => one.track.id === track.id);
      if (old) {
        old.track = track;
        if (old.known >= 0 && track.bytes <= knownBytes(old)) old.known = track.complete ? Infinity : this.edge();
      } else this.source.files.push({ track, ...file });
    }
  }

  private has(segment: Segment): boolean {
    return (this.had.get(segment) ?? 0) >= segment.length;
  }

  /** It has no element until it is looked at again; what is known of its files stays. */
  shut(): void {
    this.loading?.abort.abort();
    this.media?.close();
    this.media = this.begun = this.last = null;
    this.had.clear();
    this.showing = false;
  }

  close(): void {
    this.closed = true;
    this.shut();
  }

  private play(element: Media["element"]): void {
    element.play().catch((error: unknown) => {
      // A pause or another place ends the call before; only a refusal needs a click.
      if ((error as { name?: string }).name === "NotAllowedError") this.told.blocked();
    });
  }

  private rest(element: Media["element"], buffered: readonly Range[], target: number): void {
    if (!element.paused) element.pause();
    const next = buffered.find(([from]) => from > target && from <= target + (this.showing ? SHOWN_BEFORE : READY_BEFORE));
    if (next && !element.seeking && Math.abs(element.currentTime - next[0]) > 0.01) element.currentTime = next[0];
  }

  /** The decoder gave up: another one goes on behind what it did not take. */
  private fail(at: number): void {
    this.failures += 1;
    const file = fileAt(this.source, at);
    const segment = file?.segments[segmentAfter(file, at)];
    if (segment) this.bad.add(segment);
    this.shut();
    this.refused = this.failures >= FAILURES;
  }

  /** Fetches and appends until there is enough; one at a time. */
  private async fill(): Promise<void> {
    if (this.loading || this.closed || this.refused) return;
    const abort = new AbortController();
    const loading: { abort: AbortController; segment: Segment | null } = { abort, segment: null };
    this.loading = loading;
    try {
      let failed = 0;
      for (;;) {
        const next = this.next();
        if (!next || this.closed) return;
        loading.segment = next.segment;
        try {
          await this.load(next.file, next.segment, abort.signal);
          failed = 0;
        } catch (error) {
          if (abort.signal.aborted || this.closed) return;
          if (!this.mayHelpAgain(error, next)) return;
          await this.parts.wait(Math.min(AGAIN_AT_MOST_MS, AGAIN_AFTER_MS * 2 ** failed++), abort.signal).catch(() => undefined);
          if (abort.signal.aborted) return;
        }
      }
    } finally {
      this.loading = null;
    }
  }

  private mayHelpAgain(error: unknown, { file, segment }: { file: File; segment: Segment | null }): boolean {
    if (error instanceof RestError) {
      if (error.code === "unreachable" || error.status >= 500 || error.status === 429) return true;
      // It was deleted, or nobody may see it any more.
      this.refused = true;
      this.told.gone();
      return false;
    }
    if ((error as { name?: string }).name === "QuotaExceededError") {
      this.ahead = Math.max(4, this.ahead / 2);
      return true;
    }
    if (segment) this.bad.add(segment);
    else file.playable = false;
    return true;
  }

  /** What is wanted first: a file's list of segments, or a segment. */
  private next(): { file: File; segment: Segment | null } | null {
    const until = this.target + this.ahead;
    let from = this.target;
    for (;;) {
      const file = fileAt(this.source, from);
      if (!file || file.track.start_ms / 1000 > until) return null;
      if (file.playable) {
        if (file.known < 0 || file.known < Math.min(this.target + KNOWN_AHEAD, endOf(file), this.edge())) return { file, segment: null };
        const first = segmentAfter(file, from);
        for (const segment of first < 0 ? [] : file.segments.slice(first)) {
          if (segment.from > until) return null;
          if (!this.has(segment) && !this.bad.has(segment)) return { file, segment };
        }
      }
      from = endOf(file);
    }
  }

  private async load(file: File, segment: Segment | null, signal: AbortSignal): Promise<void> {
    if (!segment) {
      // What is said after this may be in the answer already, what was said before is.
      const known = file.track.complete ? Infinity : this.edge();
      const from = unknownFrom(file);
      const list = await this.parts.segments(file.track, from, signal);
      takeSegments(file, from, list);
      file.known = known;
      this.known = null;
      // Nothing that is whole was written: there is no head either.
      if (list.init === 0 && file.track.complete) file.playable = false;
      return;
    }
    const media = (this.media ??= this.parts.media.open(this.source.kind, this.duration()));
    const head = this.begun === file ? null : this.parts.bytes(file.track.url, 0, file.init, signal);
    const goesOn = head === null && this.last === segment ? (this.had.get(segment) ?? 0) : 0;
    const until = segment.length;
    const [start, bytes] = await Promise.all([head, this.parts.bytes(file.track.url, segment.offset + goesOn, until - goesOn, signal)]);
    if (this.media !== media || signal.aborted) return;
    await this.forget(media);
    // What it would go on from may just have been forgotten.
    if (goesOn > 0 && this.had.get(segment) !== goesOn) return;
    this.last = null;
    if (start) {
      // Until all of the head is in, it has none.
      this.begun = null;
      await media.use(file.type);
      await media.append(start);
      this.begun = file;
    }
    await media.append(bytes);
    if (this.media !== media) return;
    this.had.set(segment, until);
    this.last = segment;
  }

  private async forget(media: Media): Promise<void> {
    const ranges = media.buffered();
    const [first, last] = [ranges[0], ranges[ranges.length - 1]];
    const behind = this.target - BEHIND;
    const beyond = this.target + this.ahead + BEYOND;
    if (first && first[0] < behind - BEHIND) await this.remove(media, 0, behind);
    if (last && last[1] > beyond) await this.remove(media, beyond, last[1] + 1);
  }

  private async remove(media: Media, from: number, to: number): Promise<void> {
    await media.remove(from, to);
    for (const one of this.had.keys()) if (one.from < to && one.to > from) this.had.delete(one);
  }
}
