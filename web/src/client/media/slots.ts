// Which receive slot carries whose track, and the stream of each track: the same MediaStream for as
// long as the track is known, whichever slot it comes by. Knows neither peer connection nor socket.

import type { PauseReason, Slot, Source, TrackId } from "../protocol";

/** A slot that was pointed elsewhere shows old pictures for a moment: it waits for new ones… */
const SETTLE_MS = 500;
/** …but not for ever: a still screen may send none. */
const SETTLE_MAX_MS = 3_000;

/** What is known of a remote track. */
export interface RemoteTrack {
  id: TrackId;
  /** Holds the slot's track, or none while no slot carries this one. */
  stream: MediaStream;
  /** Why no picture flows although it is wanted. */
  paused: PauseReason | null;
  /** Pictures of this track, and no longer those of the slot's last one, are there. */
  live: boolean;
}

/** How many pictures a slot has decoded so far. */
export interface Decoded {
  frames: number;
  keyFrames: number;
}

interface Bound {
  mid: string;
  track: MediaStreamTrack;
  since: number;
  /** At the time it was pointed here; null until the first count. */
  before: Decoded | null;
}

interface Entry extends RemoteTrack {
  bound: Bound | null;
}

export function trackKey(id: TrackId): string {
  return `${id.participant}:${id.source}`;
}

export class Slots {
  private readonly tracks = new Map<string, Entry>();
  private readonly byMid = new Map<string, MediaStreamTrack>();
  private newest: Slot[] = [];
  /** Slots that may hold pictures of an earlier track. */
  private readonly used = new Set<string>();

  /** `makeStream` is `() => new MediaStream()` in a browser. */
  constructor(private readonly makeStream: () => MediaStream) {}

  /** Says which track the peer connection receives in each slot; a new peer connection says it anew. */
  setReceivers(receivers: ReadonlyMap<string, MediaStreamTrack>, now: number): void {
    this.byMid.clear();
    this.used.clear();
    for (const [mid, track] of receivers) this.byMid.set(mid, track);
    for (const entry of this.tracks.values()) this.unbind(entry);
    this.apply(this.newest, now);
  }

  /** All slots as the server says they are now. */
  apply(slots: readonly Slot[], now: number): void {
    this.newest = [...slots];
    const wanted = new Map(slots.map((slot) => [trackKey(slot), slot]));
    for (const [key, entry] of this.tracks) {
      const slot = wanted.get(key);
      if (entry.bound && entry.bound.mid !== slot?.mid) this.unbind(entry);
      if (!slot) this.tracks.delete(key);
    }
    for (const [key, slot] of wanted) {
      let entry = this.tracks.get(key);
      if (!entry) {
        const id = { participant: slot.participant, source: slot.source };
        entry = { id, stream: this.makeStream(), paused: null, live: false, bound: null };
        this.tracks.set(key, entry);
      }
      entry.paused = slot.paused ?? null;
      const track = this.byMid.get(slot.mid);
      if (track && !entry.bound) {
        entry.bound = { mid: slot.mid, track, since: now, before: null };
        entry.stream.addTrack(track);
        // Nobody else's pictures can come out of a slot that never carried any.
        entry.live = track.kind === "audio" || !this.used.has(slot.mid);
        this.used.add(slot.mid);
      }
    }
  }

  /** The server's word on some slots may have been missed: any may have carried anything. */
  doubt(): void {
    for (const mid of this.byMid.keys()) this.used.add(mid);
  }

  /** Slots whose pictures may still be those of the last track. */
  unsettled(): string[] {
    return [...this.tracks.values()].flatMap((entry) => (entry.bound && !entry.live ? [entry.bound.mid] : []));
  }

  /** Tells what an unsettled slot has decoded. Returns whether the track became live by it. */
  decoded(mid: string, count: Decoded, now: number): boolean {
    const entry = [...this.tracks.values()].find((one) => one.bound?.mid === mid);
    if (!entry?.bound || entry.live) return false;
    entry.bound.before ??= count;
    const { before, since } = entry.bound;
    const grown = count.frames > before.frames;
    // Its first key frame may have come before the word about it, then no second one comes.
    const settled = now - since >= SETTLE_MS && grown;
    const still = now - since >= SETTLE_MAX_MS && count.frames > 0 && entry.paused === null;
    entry.live = (count.keyFrames > before.keyFrames && grown) || settled || still;
    return entry.live;
  }

  get(participant: number, source: Source): RemoteTrack | null {
    return this.tracks.get(trackKey({ participant, source })) ?? null;
  }

  /** Video slots that should carry packets now. */
  flowing(): number {
    return [...this.tracks.values()].filter((entry) => entry.bound?.track.kind === "video" && !entry.paused).length;
  }

  clear(): void {
    for (const entry of this.tracks.values()) this.unbind(entry);
    this.tracks.clear();
    this.newest = [];
  }

  private unbind(entry: Entry): void {
    if (!entry.bound) return;
    entry.stream.removeTrack(entry.bound.track);
    entry.bound = null;
    entry.live = false;
  }
}
