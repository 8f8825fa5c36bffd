// Plays a live stream by HLS: hls.js, which is loaded only where a stream is played so, or the browser's own player
// where hls.js cannot: at the end of it, or so far behind the end. While there is no playlist it asks again. Knows no
// page.

import type Hls from "hls.js";
import { failureOf, RestError } from "./rest";
import { timed } from "./timed";

const AGAIN_MS = 2_000;
const AGAIN_MAX_MS = 15_000;
/** A picture that stands for so long is gone. */
const STANDS_AFTER_MS = 3_000;
const LOOK_MS = 500;
/** An answer that is not there by then will not come: the request went into a dead connection. */
const ASK_WITHIN_MS = 8_000;
/** The browser's own player, which tells of nothing, is set up anew when its picture stands for so long. */
const STANDS_FOR_GOOD_MS = 20_000;
/** A decoder that stumbled is set up anew so often, then all is. */
const RECOVERIES = 2;
/** Kept behind what is shown: a few steps back cost no request. */
const KEPT_BEHIND_S = 90;

/** Before the first sound of its playlist hls.js loads nothing; sounds begin so much after pictures at most. */
const INSIDE_S = 0.1;

/** Who fell behind plays so much faster until they are where they were. */
const CATCH_UP = 1.08;

export type HlsState = "connecting" | "waiting" | "playing" | "reconnecting" | "ended";

export interface Variant {
  id: number;
  height: number;
  kbps: number;
}

export interface HlsHandlers {
  state(state: HlsState): void;
  /** Best first; empty where the player chooses by itself. */
  variants(list: readonly Variant[]): void;
  /** There are captions. */
  captions(there: boolean): void;
  /** The browser plays no such format. */
  failed(why: "unplayable"): void;
}

export class HlsPlayer {
  private hls: Hls | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private look: ReturnType<typeof setInterval> | undefined;
  private attempts = 0;
  private recoveries = 0;
  private played = false;
  private over = false;
  private closed = false;
  private standsSince: number | null = null;
  private lastTime = -1;
  private state: HlsState | null = null;
  /** The browser's own player has it. */
  private own = false;
  private readonly onEnded = () => this.end();
  private readonly onFailed = () => {
    if (this.own) this.again();
  };
  private readonly onKnown = () => {
    const range = this.own && this.behind !== null ? this.range() : null;
    if (range) this.video.currentTime = Math.max(range.from, range.to - (this.behind ?? 0));
  };

  constructor(
    private readonly url: string,
    private readonly video: HTMLVideoElement,
    private readonly handlers: HlsHandlers,
    /** Seconds before the end at which it begins, with a playlist that reaches so far; null to be at the end. */
    private behind: number | null = null,
  ) {}

  start(): void {
    this.say("connecting");
    this.video.addEventListener("ended", this.onEnded);
    this.video.addEventListener("error", this.onFailed);
    this.video.addEventListener("loadedmetadata", this.onKnown);
    void this.attempt();
  }

  close(): void {
    this.closed = true;
    this.video.removeEventListener("ended", this.onEnded);
    this.video.removeEventListener("error", this.onFailed);
    this.video.removeEventListener("loadedmetadata", this.onKnown);
    this.drop();
  }

  /** -1 leaves the choice to the player. */
  setVariant(id: number): void {
    if (this.hls) this.hls.nextLevel = id;
  }

  setCaptions(on: boolean): void {
    if (!this.hls) return;
    this.hls.subtitleTrack = on ? 0 : -1;
    this.hls.subtitleDisplay = on;
  }

  /** How far what is shown is behind what is sent, in seconds; null where nobody can tell. */
  delay(): number | null {
    const said = this.hls?.latency ?? 0;
    return this.over || this.behind !== null || said <= 0 ? null : said;
  }

  /** From where to where one can go, in the element's seconds; the end is where live is shown. */
  range(): { from: number; to: number } | null {
    const { seekable } = this.video;
    if (seekable.length === 0) return null;
    const last = seekable.end(seekable.length - 1);
    const to = Math.min(this.over ? last : (this.hls?.liveSyncPosition ?? last), last);
    const details = this.hls?.latestLevelDetails;
    // Where the oldest segment goes with each new one, it is gone before it is loaded.
    const first = details?.fragments[details.live && details.startSN > 0 ? 1 : 0];
    return { from: Math.min(Math.max(seekable.start(0), first ? first.start + INSIDE_S : 0), to), to };
  }

  private async attempt(): Promise<void> {
    this.drop();
    if (this.closed) return;
    try {
      // Asked for by ourselves first: what hls.js does with a refusal is to try for a long time.
      await timed(ASK_WITHIN_MS, async (signal) => {
        const response = await fetch(this.url, { headers: { Accept: "application/vnd.apple.mpegurl" }, signal });
        if (!response.ok) throw await failureOf(response);
        // The player asks by itself.
        await response.body?.cancel();
      });
      if (this.closed) return;
      const { default: Player } = await import("hls.js");
      if (this.closed) return;
      if (Player.isSupported()) this.play(Player);
      else if (this.video.canPlayType("application/vnd.apple.mpegurl")) {
        this.own = true;
        this.video.src = this.url;
      } else {
        this.handlers.failed("unplayable");
        return;
      }
      this.watchFlow();
    } catch (error) {
      if (this.closed) return;
      if (error instanceof RestError) this.onRefusal(error);
      else this.again();
    }
  }

  private play(Player: typeof Hls): void {
    const atEnd = this.behind === null;
    const hls = new Player({ lowLatencyMode: atEnd, backBufferLength: KEPT_BEHIND_S, maxLiveSyncPlaybackRate: atEnd ? CATCH_UP : 1, enableWorker: false, renderTextTracksNatively: true });
    this.hls = hls;
    let begun = atEnd;
    hls.on(Player.Events.MANIFEST_PARSED, () => {
      const variants = hls.levels.map(({ height, bitrate }, id) => ({ id, height, kbps: Math.round(bitrate / 1000) }));
      this.handlers.variants(variants.sort((a, b) => b.height - a.height || b.kbps - a.kbps));
    });
    hls.on(Player.Events.SUBTITLE_TRACKS_UPDATED, (_, { subtitleTracks }) => this.handlers.captions(subtitleTracks.length > 0));
    hls.on(Player.Events.LEVEL_UPDATED, (_, { details }) => {
      this.over = !details.live;
      if (begun) return;
      begun = true;
      hls.startLoad(Math.max(details.fragmentStart + INSIDE_S, details.edge - (this.behind ?? 0)));
    });
    hls.on(Player.Events.ERROR, (_, { fatal, type, details }) => {
      if (!fatal || this.hls !== hls) return;
      if (details === Player.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) {
        this.drop();
        this.handlers.failed("unplayable");
      } else if (type === Player.ErrorTypes.MEDIA_ERROR && this.recoveries < RECOVERIES) {
        this.recoveries += 1;
        hls.recoverMediaError();
      } else this.again();
    });
    hls.loadSource(this.url);
    hls.attachMedia(this.video);
  }

  /** Without a playlist nobody sends, or not yet: whether the broadcast is over for good, others know. */
  private onRefusal({ status, retryAfter }: RestError): void {
    this.drop();
    this.say(this.played ? "reconnecting" : status >= 500 ? "connecting" : "waiting");
    this.timer = setTimeout(() => void this.attempt(), retryAfter === null ? AGAIN_MS : retryAfter * 1000);
  }

  private watchFlow(): void {
    clearInterval(this.look);
    this.look = setInterval(() => {
      const { currentTime, paused, ended, readyState } = this.video;
      if (ended) return;
      const moves = currentTime !== this.lastTime;
      this.lastTime = currentTime;
      if (moves && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && currentTime > 0) {
        this.standsSince = null;
        this.attempts = this.recoveries = 0;
        this.played = true;
        this.say("playing");
      } else if (paused) this.standsSince = null;
      else {
        this.standsSince ??= Date.now();
        const stoodMs = Date.now() - this.standsSince;
        if (this.own && stoodMs >= STANDS_FOR_GOOD_MS) this.again();
        else if (this.played && stoodMs >= STANDS_AFTER_MS) this.say("reconnecting");
      }
    }, LOOK_MS);
  }

  private end(): void {
    this.over = true;
    this.say("ended");
  }

  private again(): void {
    this.drop();
    if (this.closed) return;
    this.say(this.played ? "reconnecting" : "connecting");
    const wait = Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** this.attempts);
    this.attempts += 1;
    this.timer = setTimeout(() => void this.attempt(), wait);
  }

  private say(state: HlsState): void {
    if (this.state === state || this.closed) return;
    this.state = state;
    this.handlers.state(state);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearInterval(this.look);
    // Where it goes on.
    const range = this.behind !== null && this.played ? this.range() : null;
    if (range) this.behind = Math.max(0, range.to - this.video.currentTime);
    this.standsSince = null;
    this.lastTime = -1;
    const { hls, own, video } = this;
    this.hls = null;
    this.own = false;
    hls?.destroy();
    if (own) {
      video.removeAttribute("src");
      video.load();
    }
  }
}
