// What is said to the person for a while. Told the time by its timers only.

import type { Notice, NoticeWhat } from "./types";

/** Milliseconds until a notice goes by itself; null: it waits for an answer. */
const LIFETIMES: Record<NoticeWhat["kind"], number | null> = {
  muted: 6_000,
  "asked-to-unmute": null,
  knock: null,
  hand: 6_000,
  chat: 6_000,
  joined: 3_000,
  left: 3_000,
  role: 6_000,
  "screen-started": 4_000,
  policy: 6_000,
  "device-lost": 8_000,
  "device-error": 8_000,
  refused: 6_000,
  spotlight: 5_000,
  back: 4_000,
  consent: null,
  recording: 8_000,
  marked: 3_000,
};
/** More than anybody reads. */
const KEPT = 20;

export class Notices {
  private list: Notice[] = [];
  private next = 1;
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();

  constructor(private readonly changed: () => void) {}

  get(): Notice[] {
    return this.list;
  }

  add(what: NoticeWhat): void {
    // The same again replaces the old one.
    if (what.kind === "asked-to-unmute") {
      this.remove((other) => other.kind === what.kind && other.source === what.source);
    } else if (what.kind === "knock") {
      this.remove((other) => other.kind === what.kind && other.person === what.person);
    }
    if (what.kind === "recording" || what.kind === "consent") this.remove((other) => other.kind === "consent" || other.kind === "recording");
    const notice: Notice = { id: this.next++, lifetime: LIFETIMES[what.kind], what };
    this.list = [...this.list, notice];
    if (notice.lifetime !== null) {
      this.timers.set(notice.id, setTimeout(() => this.dismiss(notice.id), notice.lifetime));
    }
    while (this.list.length > KEPT) this.drop(this.list.find(({ lifetime }) => lifetime !== null) ?? this.list[0]);
    this.changed();
  }

  dismiss(id: number): void {
    this.drop(this.list.find((notice) => notice.id === id));
    this.changed();
  }

  find(id: number): NoticeWhat | null {
    return this.list.find((notice) => notice.id === id)?.what ?? null;
  }

  /** Takes back those that are no longer true. */
  remove(over: (what: NoticeWhat) => boolean): void {
    for (const notice of this.list.filter(({ what }) => over(what))) this.drop(notice);
  }

  clear(): void {
    this.remove(() => true);
  }

  private drop(notice: Notice | undefined): void {
    if (!notice) return;
    clearTimeout(this.timers.get(notice.id));
    this.timers.delete(notice.id);
    this.list = this.list.filter((other) => other !== notice);
  }
}
