// The replay page as data: ties the player to what happened in the recording.

import {
  endExport, exportsOf, openRecording, type RecordingDetail, recording, startExport, timeline, type TimelineEntry,
} from "../../client/recordings";
import { ReplayPlayer, SPEEDS } from "../../client/replay/player";
import { type PreviewParts, Previews } from "../../client/replay/previews";
import { RestError } from "../../client/rest";
import { Store } from "../store";
import type { Refusal } from "../types";
import { previewed, replayLayout, type ReplayLayoutChoice } from "./layout";
import { Story } from "./story";
import type { ReplayActions, ReplayModel, ReplayPreviews, ReplayView } from "./types";

/** How often is asked what was written meanwhile: by who watches it as it comes, and by others; where nobody answered;
 * and how far an export is. */
const LIVE_AGAIN_MS = 1_500;
const AGAIN_MS = 5_000;
const UNSEEN_AGAIN_MS = 30_000;
const FAILED_AGAIN_MS = 4_000;
/** Who is no further behind needs to hear of what comes (seconds). */
const NEAR_S = 15;
const EXPORT_AGAIN_MS = 1_500;
const DRAW_MS = 200;
/** A chapter begun less long ago counts as the one before. */
const BACK_S = 3;

export interface ReplayParts {
  open: typeof openRecording;
  detail: typeof recording;
  timeline: typeof timeline;
  exports: typeof exportsOf;
  startExport: typeof startExport;
  endExport: typeof endExport;
  player(changed: () => void): ReplayPlayer;
  /** Of small pictures; the browser's own where absent. */
  previews?: PreviewParts;
  /** Whether anybody sees the page. */
  seen(): boolean;
}

const BROWSER_PARTS: ReplayParts = {
  open: openRecording,
  detail: recording,
  timeline,
  exports: exportsOf,
  startExport,
  endExport,
  player: (changed) => new ReplayPlayer(changed),
  seen: () => document.visibilityState === "visible",
};

/** `token`: of a link; it is exchanged for a cookie, and `opened` is told when nobody needs it any more. */
export function createReplay(id: string, token: string | null, opened: () => void, parts: ReplayParts = BROWSER_PARTS): ReplayModel {
  return new Replay(id, token, opened, parts);
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof RestError) return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
  throw error;
}

const unfinished = (detail: RecordingDetail) => detail.state !== "finished" && detail.state !== "broken";

class Replay implements ReplayModel {
  readonly view: Store<ReplayView>;
  readonly position = new Store(0);
  readonly previews: ReplayPreviews;
  readonly actions: ReplayActions;
  private readonly small: Previews;
  private readonly player: ReplayPlayer;
  private story = new Story({ tracks: [] }, []);
  private detail: RecordingDetail | null = null;
  private readonly entries: TimelineEntry[] = [];
  private reading = false;
  /** What the server refused to the player was asked about. */
  private doubted = false;
  /** When what was written since is asked for, at the latest; null where all is there. */
  private readAt: number | null = null;
  private choice: ReplayLayoutChoice = "grid";
  private page = 0;
  private closed = false;
  private readonly timers: Partial<Record<"exports" | "draw", ReturnType<typeof setTimeout>>> = {};

  constructor(private readonly id: string, token: string | null, opened: () => void, private readonly parts: ReplayParts) {
    this.player = parts.player(() => this.draw());
    this.view = new Store<ReplayView>({
      phase: { kind: "loading" }, recording: null, player: this.player.get(), layout: { choice: "grid", mode: "grid", stage: [], tiles: [], page: 0, pages: 1 },
      chapters: [], chapter: -1, lines: [], line: -1, gap: null, speaking: [], exports: null, refused: null,
    });
    this.actions = this.makeActions();
    const changes = new Store(0);
    const seen = (at: number) => previewed(this.story, at).flatMap((key) => this.player.source(key) ?? []);
    this.small = new Previews(seen, () => this.player.edge(), () => changes.update((now) => now + 1), parts.previews);
    this.previews = { changes, want: (at) => this.small.want(at), get: (at) => this.small.get(at) };
    this.timers.draw = setInterval(() => this.draw(), DRAW_MS);
    void this.begin(token, opened);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timers.exports);
    clearInterval(this.timers.draw);
    this.small.close();
    this.player.close();
  }

  private async begin(token: string | null, opened: () => void): Promise<void> {
    try {
      if (token) {
        await this.parts.open(this.id, token);
        opened();
      }
      await this.read();
    } catch (error) {
      if (!this.closed) this.view.update((now) => ({ ...now, phase: { kind: "failed", refusal: refusalOf(error) } }));
    }
  }

  private async read(): Promise<void> {
    const known = this.entries.length;
    // In this order: what happened when the recording was over already is all that happened.
    const detail = await this.parts.detail(this.id);
    const entries = await this.parts.timeline(this.id, known);
    if (this.closed) return;
    this.readAt = unfinished(detail) ? performance.now() : null;
    this.take(detail, entries);
  }

  /** It is nobody's to see any more: nothing plays, and nothing is waited for. */
  private end(error: RestError): void {
    this.close();
    this.view.update((now) => ({ ...now, phase: { kind: "failed", refusal: refusalOf(error) } }));
  }

  /** Asks what was written meanwhile, where that is due. */
  private readAgain(): void {
    if (this.reading) return;
    const { playing, live, duration, gone } = this.player.get();
    // Once: a single file may be lost, and the rest goes on.
    if (gone && !this.doubted) {
      this.doubted = true;
      this.readAt = -Infinity;
    }
    if (this.readAt === null) return;
    const near = live === true || duration - this.player.position() < NEAR_S;
    const patience = playing && near ? LIVE_AGAIN_MS : playing || this.parts.seen() ? AGAIN_MS : UNSEEN_AGAIN_MS;
    if (performance.now() < this.readAt + patience) return;
    this.reading = true;
    this.read()
      .catch((error: unknown) => {
        if (this.closed) return;
        // What plays goes on to play, the next time may do better; but what was deleted does not come back.
        if (error instanceof RestError && error.status === 404) this.end(error);
        else this.readAt = performance.now() + FAILED_AGAIN_MS - LIVE_AGAIN_MS;
      })
      .finally(() => {
        this.reading = false;
      });
  }

  private take(detail: RecordingDetail, entries: readonly TimelineEntry[]): void {
    if (!this.detail || entries.length > 0 || detail.tracks.length !== this.detail.tracks.length) {
      this.entries.push(...entries);
      this.story = new Story(detail, this.entries);
    }
    this.detail = detail;
    this.player.load(detail.tracks, detail.duration_ms, unfinished(detail) ? detail.written_ms : null);
    this.view.update((now) => ({ ...now, phase: { kind: "ready" }, recording: detail, chapters: this.story.chapters, lines: this.story.lines }));
    this.draw();
  }

  /** The view at this moment; what did not change stays the same. */
  private draw(): void {
    if (this.closed || !this.detail) return;
    this.readAgain();
    const at = this.player.position();
    this.position.set(at);
    const player = this.player.get();
    const layout = replayLayout(this.story, this.detail.tracks, at, this.choice, this.page, player);
    const before = this.view.get();
    if (JSON.stringify(layout) !== JSON.stringify(before.layout)) this.player.want([...layout.stage, ...layout.tiles].map(({ key }) => key));
    const people = this.story.peopleAt(at);
    const speaking = this.story.speakingAt(at).flatMap((id) => people.find((person) => person.id === id)?.name ?? []);
    const inGap = this.detail.gaps.find(({ from_ms, to_ms }) => from_ms <= at * 1000 && at * 1000 < to_ms);
    const gap = inGap ? { why: inGap.why, to: inGap.to_ms / 1000 } : null;
    const now = { player, layout, gap, chapter: this.story.chapterAt(at), line: this.story.lineAt(at), speaking };
    const changed = (Object.keys(now) as (keyof typeof now)[]).filter((key) => JSON.stringify(now[key]) !== JSON.stringify(before[key]));
    if (changed.length > 0) this.view.update((view) => ({ ...view, ...Object.fromEntries(changed.map((key) => [key, now[key]])) }));
  }

  private makeActions(): ReplayActions {
    const { player } = this;
    const drawn = <A extends unknown[]>(action: (...given: A) => void) => (...given: A) => {
      action(...given);
      this.draw();
    };
    return {
      toggle: drawn(() => (player.get().playing ? player.pause() : player.play())),
      seek: drawn((to: number) => player.seek(to)),
      goLive: drawn(() => player.goLive()),
      skip: drawn((by: number) => player.seek(player.position() + by)),
      toChapter: drawn((by: 1 | -1) => this.toChapter(by)),
      setRate: drawn((rate: number) => player.setRate(rate)),
      stepRate: drawn((by: 1 | -1) => {
        const next = SPEEDS[SPEEDS.findIndex((speed) => speed === player.get().rate) + by];
        if (next !== undefined) player.setRate(next);
      }),
      setVolume: drawn((volume: number) => player.setVolume(volume)),
      toggleMuted: drawn(() => player.setMuted(!player.get().muted)),
      setLayout: drawn((choice: ReplayLayoutChoice) => {
        this.choice = choice;
        this.page = 0;
      }),
      setPage: drawn((page: number) => {
        this.page = page;
      }),
      // The browser's player has elements; what stands in for it in tests has none on a page.
      picture: (key) => player.picture(key) as HTMLElement | null,
      readExports: () => {
        // The sound of everybody is made after the end.
        if (this.detail?.mix === null && this.readAt === null) this.readAt = -Infinity;
        void this.readExports();
      },
      startExport: (layout) => void this.ask(() => this.parts.startExport(this.id, layout)),
      endExport: (layout) => void this.ask(() => this.parts.endExport(this.id, layout)),
    };
  }

  private toChapter(by: 1 | -1): void {
    const { chapters } = this.story;
    const at = this.player.position();
    const current = this.story.chapterAt(at);
    const begun = at - (chapters[current]?.at ?? 0) > BACK_S;
    const next = chapters[by > 0 ? current + 1 : begun ? current : current - 1];
    if (next) this.player.seek(next.at);
  }

  private async ask(asked: () => Promise<unknown>): Promise<void> {
    this.view.update((now) => ({ ...now, refused: null }));
    try {
      await asked();
    } catch (error) {
      const refused = refusalOf(error);
      if (!this.closed) this.view.update((now) => ({ ...now, refused }));
    }
    await this.readExports();
  }

  /** Again and again while one is under way. */
  private async readExports(): Promise<void> {
    clearTimeout(this.timers.exports);
    try {
      const exports = await this.parts.exports(this.id);
      if (this.closed) return;
      this.view.update((now) => ({ ...now, exports }));
      const running = exports.exports.some(({ state }) => state === "queued" || state === "running");
      clearTimeout(this.timers.exports);
      if (running) this.timers.exports = setTimeout(() => void this.readExports(), EXPORT_AGAIN_MS);
    } catch (error) {
      const refused = refusalOf(error);
      if (this.closed) return;
      // A server without any export has no such address.
      if (refused.code === "not-found") this.view.update((now) => ({ ...now, exports: { exports: [], available: false, reason: null } }));
      else this.view.update((now) => ({ ...now, refused }));
    }
  }
}
