// The watch page of a broadcast as data: which way it comes, how it plays, where one is in it. Decides when the other
// way is taken; knows no page.

import { HlsPlayer } from "../client/hls";
import { broadcast, RestError, type ShownBroadcast } from "../client/rest";
import { WhepPlayer } from "../client/whep";
import { remember, remembered } from "./remembered";
import { Store } from "./store";
import type { Refusal } from "./types";
import type { WatchActions, WatchModel, WatchMoved, WatchPlace, WatchView, WatchWay } from "./watch-types";

const LOOK_MS = 500;
/** Delay is no stopwatch: it is written anew so seldom. */
const DELAY_EVERY = 4;
/** While nothing plays the server is asked so often whether the broadcast is over. */
const ASK_EVERY = 10;
/** So close to the end of what there is, it is live. */
const LIVE_WITHIN_S = 4;
/** A shorter window is nothing to rewind in. */
const WORTH_REWINDING_S = 8;
const AGAIN_MS = 3_000;
/** Once may be the moment in which somebody begins. */
const MISSED_AFTER = 2;

const EVENTS = ["play", "pause", "resize", "loadedmetadata"] as const;
const MOVED: Readonly<Record<string, WatchMoved>> = { "broadcast-full": "full", "server-busy": "busy", "no-common-codec": "codec" };

export function createWatch(id: string): WatchModel {
  return modelOf(new Watch(id, false));
}

/** Silent, and by the way on which one sees most of what is sent; what viewers chose stays as it was. */
export function createPreview(id: string): WatchModel {
  return modelOf(new Watch(id, true));
}

function modelOf(watch: Watch): WatchModel {
  return { view: watch.view, place: watch.place, actions: watch.actions, close: () => watch.close() };
}

class Watch {
  readonly view = new Store<WatchView>({
    phase: { kind: "connecting" }, title: "", way: "fast", mayChoose: false, moved: null, soundBlocked: false, paused: false,
    muted: remembered("watch.muted") === "on", volume: volumeOf(remembered("watch.volume")), variants: [], variant: -1, height: 0, delay: null, captions: null,
  });
  readonly place = new Store<WatchPlace | null>(null);
  readonly actions: WatchActions;
  private video: HTMLVideoElement | null = null;
  private whep: WhepPlayer | null = null;
  private hls: HlsPlayer | null = null;
  private hlsUrl: string | null = null;
  /** Where all is that the server keeps, */
  private furtherUrl: string | null = null;
  /** and whether that is played. */
  private isFurther = false;
  private stream: MediaStream | null = null;
  private known = false;
  private closed = false;
  private looks = 0;
  /** How often in a row somebody sent of whom nothing came. */
  private missed = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly look = setInterval(() => this.lookAround(), LOOK_MS);
  private readonly leave = () => this.whep?.close();
  private readonly comeBack = ({ persisted }: PageTransitionEvent) => persisted && this.resume();

  constructor(private readonly id: string, private readonly preview: boolean) {
    if (preview) this.show({ muted: true });
    this.actions = this.makeActions();
    window.addEventListener("pagehide", this.leave);
    window.addEventListener("pageshow", this.comeBack);
    void this.begin();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.look);
    clearTimeout(this.timer);
    window.removeEventListener("pagehide", this.leave);
    window.removeEventListener("pageshow", this.comeBack);
    this.stop();
  }

  /** From the browser's memory, by its back button: connections ended when the page went. */
  private resume(): void {
    const { phase, way, moved, paused } = this.view.get();
    const over = phase.kind === "failed" || phase.kind === "ended";
    // Who rewound and paused finds the place again.
    if (!this.known || over || (way === "steady" && paused)) return;
    this.take(way, moved);
  }

  private makeActions(): WatchActions {
    return {
      attach: (video) => this.attach(video),
      hear: () => {
        this.show({ soundBlocked: false, muted: false });
        this.sound();
        this.play();
      },
      toggle: () => {
        const { video } = this;
        if (!video) return;
        if (video.paused) this.play();
        else video.pause();
      },
      skip: (seconds) => {
        const place = this.place.get();
        if (!place) return;
        const to = place.at + seconds;
        if (place.further && to < place.from) this.take("steady", this.view.get().moved, place.to - to);
        else this.seek(to);
      },
      seek: (to) => this.seek(to),
      goFurther: () => {
        const place = this.place.get();
        if (place?.further) this.take("steady", this.view.get().moved, place.to - place.at);
      },
      toLive: () => {
        const place = this.place.get();
        if (place) this.seek(place.to);
        this.play();
      },
      setMuted: (muted) => {
        remember("watch.muted", muted ? "on" : "off");
        this.show({ muted, soundBlocked: false });
        this.sound();
      },
      setVolume: (volume) => {
        remember("watch.volume", String(Math.round(volume * 100)));
        this.show({ volume, muted: false, soundBlocked: false });
        this.sound();
      },
      setVariant: (variant) => {
        this.hls?.setVariant(variant);
        this.show({ variant });
      },
      setWay: (way) => {
        remember("watch.way", way);
        this.take(way, null);
      },
      setCaptions: (on) => {
        this.hls?.setCaptions(on);
        this.show({ captions: on });
      },
    };
  }

  /** What there is, and by which way it comes. */
  private async begin(): Promise<void> {
    try {
      const said = await broadcast(this.id);
      if (this.closed) return;
      this.known = true;
      this.learn(said);
      this.show({ title: said.title });
      const wanted = this.preview ? null : remembered("watch.way");
      this.take(this.hlsUrl !== null && wanted !== "fast" ? "steady" : "fast", null);
    } catch (error) {
      if (this.closed) return;
      const rest = error instanceof RestError ? error : new RestError("unreachable", 0, null, "");
      if (rest.code === "not-found") this.fail(rest);
      else this.timer = setTimeout(() => void this.begin(), rest.retryAfter === null ? AGAIN_MS : rest.retryAfter * 1000);
    }
  }

  private attach(video: HTMLVideoElement | null): void {
    const { video: old, view } = this;
    if (old === video) return;
    if (old) for (const name of EVENTS) old.removeEventListener(name, this.onElement);
    this.video = video;
    if (!video) {
      this.hls?.close();
      this.hls = null;
      return;
    }
    for (const name of EVENTS) video.addEventListener(name, this.onElement);
    this.sound();
    const { way, phase } = view.get();
    if (way === "steady" && phase.kind !== "failed") this.take("steady", view.get().moved);
    else if (this.stream) this.showStream(this.stream);
  }

  /** The system's own buttons pause, too; that a new source begins paused, and an ended one stops, is nobody's wish. */
  private readonly onElement = ({ type }: Event) => {
    const { video } = this;
    if (!video) return;
    if (type === "loadedmetadata" && !this.view.get().paused) this.play();
    if (type === "play") this.show({ paused: false });
    else if (type === "pause" && !video.ended) this.show({ paused: true });
    this.show({ height: video.videoHeight });
  };

  /** `behind`: from so many seconds before the end, with all that the server keeps. */
  private take(way: WatchWay, moved: WatchMoved | null, behind: number | null = null): void {
    this.stop();
    this.isFurther = behind !== null;
    this.place.set(null);
    this.show({ way, moved, phase: { kind: "connecting" }, variants: [], variant: -1, delay: null, captions: null, paused: false });
    if (way === "fast") this.takeFast();
    else {
      const url = this.isFurther ? this.furtherUrl : this.hlsUrl;
      if (this.video && url !== null) this.takeSteady(this.video, url, behind);
    }
  }

  /** By which ways the server says that it comes. */
  private learn({ hls_url, rewind_url }: ShownBroadcast): void {
    this.hlsUrl = hls_url === undefined ? null : ownAddress(hls_url);
    this.furtherUrl = rewind_url === undefined || this.hlsUrl === null ? null : ownAddress(rewind_url);
    this.show({ mayChoose: this.hlsUrl !== null });
  }

  private takeFast(): void {
    const player = new WhepPlayer(`/whep/${encodeURIComponent(this.id)}`, {
      state: (kind) => this.show({ phase: { kind } }),
      stream: (stream) => this.showStream(stream),
      refused: (code) => {
        if (this.hlsUrl === null || this.view.get().moved === "unplayable") return false;
        this.take("steady", MOVED[code] ?? "busy");
        return true;
      },
      failed: (error) => this.fail(error),
    });
    this.whep = player;
    player.start();
  }

  private takeSteady(video: HTMLVideoElement, url: string, behind: number | null): void {
    const player = new HlsPlayer(url, video, {
      state: (kind) => this.show({ phase: kind === "ended" ? { kind, again: true } : { kind } }),
      variants: (variants) => this.show({ variants }),
      captions: (there) => this.show({ captions: there ? (this.view.get().captions ?? false) : null }),
      failed: () => {
        const { moved } = this.view.get();
        // Neither way plays: what the first one said counts.
        if (moved !== null) this.fail(new RestError("no-common-codec", 406, null, ""));
        else this.take("fast", "unplayable");
      },
    }, behind);
    this.hls = player;
    player.start();
  }

  private showStream(stream: MediaStream): void {
    this.stream = stream;
    if (!this.video) return;
    this.video.srcObject = stream;
    this.play();
  }

  private play(): void {
    const { video } = this;
    if (!video) return;
    video.play().catch((error: unknown) => {
      // Without a click the browser plays silent pictures only.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError" || video.muted) return;
      this.show({ soundBlocked: true });
      this.sound();
      // A phone that saves power plays nothing by itself.
      video.play().catch(() => this.show({ paused: true }));
    });
  }

  private sound(): void {
    const { muted, soundBlocked, volume } = this.view.get();
    if (!this.video) return;
    this.video.muted = muted || soundBlocked;
    this.video.volume = volume;
  }

  private seek(to: number): void {
    const place = this.place.get();
    if (!place || !this.video) return;
    if (this.isFurther && this.view.get().phase.kind !== "ended" && to >= place.to - LIVE_WITHIN_S) {
      this.take("steady", this.view.get().moved);
      return;
    }
    this.video.currentTime = Math.max(place.from, Math.min(place.to, to));
    this.lookAround();
    if (this.view.get().phase.kind === "ended") {
      this.show({ phase: { kind: "playing" } });
      this.play();
    }
  }

  private lookAround(): void {
    this.looks += 1;
    const { hls, video } = this;
    const range = hls && video ? hls.range() : null;
    const worth = range && video && range.to - range.from >= WORTH_REWINDING_S;
    const { isFurther } = this;
    this.place.set(worth ? {
      from: range.from, to: range.to, at: Math.min(video.currentTime, range.to),
      live: !isFurther && range.to - video.currentTime < LIVE_WITHIN_S, further: !isFurther && this.furtherUrl !== null,
    } : null);
    const playing = this.view.get().phase.kind === "playing";
    if (!playing && this.looks % ASK_EVERY === 0) void (hls ? this.askAnew() : this.askWhetherMissed());
    if (this.looks % DELAY_EVERY !== 0 || !playing) return;
    if (hls) this.showDelay(hls.delay());
    else void this.whep?.delay().then((delay) => this.showDelay(delay));
  }

  /** What the server says while nothing plays: it is over, or what is sent now comes by the other way alone. */
  private async askAnew(): Promise<void> {
    try {
      const said = await broadcast(this.id);
      if (!this.hls || this.view.get().phase.kind === "playing") return;
      this.learn(said);
      if (said.live && this.hlsUrl === null) this.take("fast", null);
      else if (this.isFurther && this.furtherUrl === null) this.take("steady", this.view.get().moved);
    } catch (error) {
      if (error instanceof RestError && error.code === "not-found" && this.hls && this.view.get().phase.kind !== "ended") this.fail(error);
    }
  }

  /** Somebody sends, and nothing comes by the fast way: an encoder whose stream takes the other one. */
  private async askWhetherMissed(): Promise<void> {
    const isWaiting = () => this.whep !== null && this.view.get().phase.kind === "waiting";
    if (!isWaiting()) {
      this.missed = 0;
      return;
    }
    const said = await broadcast(this.id).catch(() => null);
    if (!said || !isWaiting()) return;
    this.missed = said.live && said.hls_url !== undefined ? this.missed + 1 : 0;
    if (said.hls_url === undefined || this.missed < MISSED_AFTER || this.view.get().moved === "unplayable") return;
    this.missed = 0;
    this.learn(said);
    this.take("steady", "only");
  }

  private showDelay(delay: number | null): void {
    const rounded = delay === null ? null : Math.max(0.1, Math.round(delay * 10) / 10);
    if (rounded !== this.view.get().delay) this.show({ delay: rounded });
  }

  private fail(error: RestError): void {
    this.stop();
    // It was there when the page came: it has ended.
    if (error.code === "not-found" && this.known) this.show({ phase: { kind: "ended", again: false } });
    else this.show({ phase: { kind: "failed", refusal: { code: error.code as Refusal["code"], retryAfter: error.retryAfter } } });
  }

  private stop(): void {
    this.whep?.close();
    this.hls?.close();
    this.whep = this.hls = null;
    this.isFurther = false;
    this.stream = null;
    if (this.video) this.video.srcObject = null;
  }

  private show(change: Partial<WatchView>): void {
    if (!this.closed) this.view.update((view) => ({ ...view, ...change }));
  }
}

/** Asked for where this page came from: the server may have several names. */
function ownAddress(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

export function volumeOf(stored: string | null): number {
  const percent = stored === null ? NaN : Number(stored);
  return percent >= 0 && percent <= 100 ? percent / 100 : 1;
}
