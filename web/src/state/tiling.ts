// What of a meeting is on the page: who has which tile, how large it is, and what is asked of the server for it. Told
// the time, holds no timer; knows no socket and no component.

import type { ParticipantId, Wish } from "../client/protocol";
import { layout, type LayoutState, PAGE_TILES, type Pictures, wishes } from "./layout";
import { TileOrder } from "./order";
import type { Inside } from "./roster";
import type { LayoutView } from "./types";

/** What a tile counts for before the page was drawn, in device pixels: the lowest layer. */
const FIRST_HEIGHT = 180;

export class Tiling {
  page: LayoutState = { choice: "auto", page: 0, pinned: new Set(), voiceOnly: false };
  private order = new TileOrder();
  private readonly heights = new Map<string, number>();
  /** Whether the page has said how large any tile is. */
  private measured = false;

  constructor(private readonly pictures: () => Pictures) {}

  /** Another meeting of people, in which everybody takes a place anew. */
  enter(): void {
    this.order = new TileOrder();
  }

  /** Nothing was asked for yet in a new session. */
  begin(): void {
    this.measured = this.heights.size > 0;
  }

  turn(change: Partial<LayoutState>): void {
    this.page = { ...this.page, ...change };
  }

  tiles(inside: Inside, self: ParticipantId, now: number): LayoutView {
    return layout(inside, self, this.page, this.order, this.pictures(), now);
  }

  /** When the order changes by itself. */
  nextChange(now: number): number | null {
    return this.order.nextChange(PAGE_TILES, now);
  }

  /** How large a tile is on the page, 0 where it went; whether that is new. */
  seen(tile: string, height: number): boolean {
    this.measured = true;
    if ((this.heights.get(tile) ?? 0) === height) return false;
    if (height > 0) this.heights.set(tile, height);
    else this.heights.delete(tile);
    return true;
  }

  /** What is asked for what is on the page; null before it was drawn. */
  wishes(shown: LayoutView, inside: Inside): Wish[] | null {
    return this.measured ? wishes(shown, this.heights, inside, this.page.voiceOnly) : null;
  }

  /** Whoever has just come in asks for small pictures before the page is drawn: they are there when it is. */
  firstWishes(inside: Inside, self: ParticipantId, now: number): Wish[] {
    const shown = this.tiles(inside, self, now);
    const heights = new Map([...shown.stage, ...shown.tiles].map(({ key }) => [key, FIRST_HEIGHT]));
    return wishes(shown, heights, inside, this.page.voiceOnly);
  }
}
