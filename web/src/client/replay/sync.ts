// What one element has to do to be where the replay is. Pure: numbers in, a decision out.

/** Further off it is placed anew (seconds). */
export const HARD_SKEW = 0.3;
/** Nobody sees a picture, or hears one voice against another, that is off by less. */
const UNSEEN = { video: 0.015, audio: 0.04 };
/** How much faster or slower it may play to come back: voices keep their pitch, and nobody notices. */
const NUDGE = { video: 0.2, audio: 0.05 };
/** How many times a second what it is off would be made good. */
const EAGERNESS = 3;
/** An element that is placed while the others play is late by what that takes. */
const PLACING = 0.12;
/** Two ranges of a buffer that are this near to each other are one. */
const TOUCHING = 0.02;

export type Range = readonly [from: number, to: number];

export interface Watched {
  kind: "audio" | "video";
  /** Where the element is, and whether it is on its way elsewhere. */
  position: number;
  seeking: boolean;
  /** Where the replay is, whether it runs, and how fast. */
  target: number;
  running: boolean;
  rate: number;
  /** What the element could play at once. */
  buffered: readonly Range[];
  /** The sound that leads the clock is never bent. */
  leads: boolean;
}

export type Decision =
  /** There is nothing at this place: neither picture nor sound. */
  | { do: "rest" }
  | { do: "place"; at: number }
  | { do: "play"; rate: number }
  /** Shown as it stands. */
  | { do: "hold" };

/** The range that a position lies in. */
export function rangeAt(ranges: readonly Range[], position: number): Range | null {
  return ranges.find(([from, to]) => position >= from - TOUCHING && position < to) ?? null;
}

export function decide(watched: Watched): Decision {
  const { position, target, running, rate, buffered } = watched;
  const here = rangeAt(buffered, target);
  if (!here) return { do: "rest" };
  if (watched.seeking) return running ? { do: "play", rate } : { do: "hold" };
  const skew = position - target;
  // Beyond a hole no element comes by itself.
  const cut = position < here[0] - TOUCHING || position > here[1] + TOUCHING;
  if (!running) return Math.abs(skew) > UNSEEN.video || cut ? { do: "place", at: Math.max(target, here[0]) } : { do: "hold" };
  if (cut || Math.abs(skew) > HARD_SKEW) {
    // Where the range ends before it would be there, the place itself is as good.
    const ahead = target + PLACING * rate;
    return { do: "place", at: Math.max(ahead < here[1] ? ahead : target, here[0]) };
  }
  if (watched.leads || Math.abs(skew) <= UNSEEN[watched.kind]) return { do: "play", rate };
  const bend = Math.max(-NUDGE[watched.kind], Math.min(NUDGE[watched.kind], -skew * EAGERNESS));
  return { do: "play", rate: rate * (1 + bend) };
}
