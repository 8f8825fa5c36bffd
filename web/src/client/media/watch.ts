// What videos the page shows, as the server wants to hear it: in order of importance, as many as
// there are slots, and not at every pixel of a window that is being resized.

import type { TrackId, Wish } from "../protocol";
import { trackKey } from "./slots";

/** Between a change on the page and its wish; a page turn changes nine tiles at once. */
const SETTLE_MS = 120;
/** Heights are rounded up to these, in device pixels: the server has three layers, not a thousand. */
const STEPS = [90, 135, 180, 270, 360, 540, 720, 1080, 1440, 2160];

/** The wishes of a session that has said none. */
const NOTHING = "[]";

export function roundedHeight(height: number): number {
  return STEPS.find((step) => height <= step) ?? 2160;
}

export class WatchList {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private next: Wish[] = [];
  private said = NOTHING;

  constructor(
    private readonly slots: number,
    private readonly send: (videos: Wish[]) => void,
  ) {}

  /** Most important first. */
  set(videos: readonly (TrackId & { height: number })[]): void {
    const seen = new Set<string>();
    this.next = videos
      .filter((video) => video.height > 0 && !seen.has(trackKey(video)) && seen.add(trackKey(video)))
      .slice(0, this.slots)
      .map(({ participant, source, height }) => ({ participant, source, height: roundedHeight(height) }));
    // Somebody waits for the first pictures; what was said too early is mended after the pause.
    if (this.said === NOTHING) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), SETTLE_MS);
  }

  /** Says it again: a new session of the server's has heard nothing yet. */
  repeat(): void {
    this.said = NOTHING;
    this.flush();
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const words = JSON.stringify(this.next);
    if (words === this.said) return;
    this.said = words;
    this.send(this.next);
  }
}
