// Which way a viewer takes, with both players played by hand.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HlsHandlers } from "../client/hls";
import { RestError } from "../client/rest";
import type { WhepHandlers } from "../client/whep";
import { createWatch, volumeOf } from "./watch";
import type { WatchModel } from "./watch-types";

const played = vi.hoisted(() => ({ whep: [] as { handlers: unknown; closed: boolean }[], hls: [] as { url: string; handlers: unknown; closed: boolean; behind: number | null }[], shown: [] as unknown[] }));

vi.mock("../client/whep", () => ({
  WhepPlayer: class {
    closed = false;
    constructor(_url: string, public handlers: unknown) {
      played.whep.push(this);
    }
    start() {}
    delay = () => Promise.resolve(0.21);
    close() {
      this.closed = true;
    }
  },
}));
vi.mock("../client/hls", () => ({
  HlsPlayer: class {
    closed = false;
    constructor(public url: string, public video: unknown, public handlers: unknown, public behind: number | null) {
      played.hls.push(this);
    }
    start() {}
    delay = () => 2.04;
    range = () => ({ from: 100, to: 160 });
    setVariant() {}
    setCaptions() {}
    close() {
      this.closed = true;
    }
  },
}));
vi.mock("../client/rest", async (original) => ({
  ...(await original<Record<string, unknown>>()),
  broadcast: () => {
    const next = played.shown.shift();
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  },
}));

class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  muted = false;
  volume = 1;
  videoHeight = 720;
  currentTime = 158;
  srcObject: unknown = null;
  blocked = false;
  play = () => {
    if (this.blocked && !this.muted) return Promise.reject(new DOMException("", "NotAllowedError"));
    this.paused = false;
    this.dispatchEvent(new Event("play"));
    return Promise.resolve();
  };
  pause = () => {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  };
}

const said = (more = {}) => ({ id: "b", title: "Tea", live: true, viewers: 0, whep_url: "http://server/whep/b", ...more });
const HLS = { hls_url: "https://elsewhere.example/hls/b/index.m3u8" };
const gone = () => new RestError("not-found", 404, null, "");
let watch: WatchModel;
let video: FakeVideo;
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const begin = async () => {
  watch = createWatch("b");
  watch.actions.attach(video as unknown as HTMLVideoElement);
  await pass();
};
const whep = () => played.whep.at(-1)?.handlers as WhepHandlers;
const hls = () => played.hls.at(-1)?.handlers as HlsHandlers;
const view = () => watch.view.get();

beforeEach(() => {
  vi.useFakeTimers();
  const held = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value) });
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("location", { href: "http://server/w/b" });
  Object.assign(played, { whep: [], hls: [], shown: [] });
  video = new FakeVideo();
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("takes WebRTC while the server has no HLS, and says the title", async () => {
  played.shown = [said()];
  await begin();
  expect([played.whep.length, played.hls.length]).toEqual([1, 0]);
  expect([view().title, view().way, view().mayChoose]).toEqual(["Tea", "fast", false]);
  const stream = {} as MediaStream;
  whep().stream(stream);
  whep().state("playing");
  expect([video.srcObject, video.paused]).toEqual([stream, false]);
  await pass(2_500);
  expect(view().delay).toBe(0.2);
  expect(watch.place.get()).toBeNull();
});

it("takes HLS where there is some, from where the page came from, and knows how far one may go back", async () => {
  played.shown = [said(HLS)];
  await begin();
  expect([played.whep.length, played.hls[0]?.url]).toEqual([0, "/hls/b/index.m3u8"]);
  hls().state("playing");
  await pass(2_500);
  expect(view().delay).toBe(2);
  expect(watch.place.get()).toEqual({ from: 100, to: 160, at: 158, live: true, further: false });
  watch.actions.skip(-10);
  expect([video.currentTime, watch.place.get()?.live]).toEqual([148, false]);
  watch.actions.skip(-100);
  expect(video.currentTime).toBe(100);
  watch.actions.toLive();
  expect([video.currentTime, watch.place.get()?.live]).toEqual([160, true]);
});

const FURTHER = { ...HLS, rewind_url: "https://elsewhere.example/hls/b/rewind.m3u8" };

it("goes back further with all that the server keeps, from the place where one was, and at the end of it is live again", async () => {
  played.shown = [said(FURTHER)];
  await begin();
  hls().state("playing");
  await pass(500);
  expect(watch.place.get()).toEqual({ from: 100, to: 160, at: 158, live: true, further: true });
  video.currentTime = 130;
  await pass(500);
  watch.actions.goFurther();
  expect(played.hls.map(({ url, closed, behind }) => [url, closed, behind])).toEqual([["/hls/b/index.m3u8", true, null], ["/hls/b/rewind.m3u8", false, 30]]);
  hls().state("playing");
  video.currentTime = 159;
  await pass(500);
  expect(watch.place.get()).toEqual({ from: 100, to: 160, at: 159, live: false, further: false });
  watch.actions.goFurther();
  watch.actions.skip(-40);
  expect([video.currentTime, played.hls.length]).toEqual([119, 2]);
  watch.actions.skip(38);
  expect([played.hls.at(-1)?.url, played.hls.at(-1)?.behind, played.hls[1]?.closed]).toEqual(["/hls/b/index.m3u8", null, true]);
});

it("goes back further by itself where somebody skips over the beginning, and not where nothing is kept any more", async () => {
  played.shown = [said(FURTHER), said(HLS)];
  await begin();
  hls().state("playing");
  video.currentTime = 105;
  await pass(500);
  watch.actions.skip(-10);
  expect([played.hls.at(-1)?.url, played.hls.at(-1)?.behind]).toEqual(["/hls/b/rewind.m3u8", 65]);
  hls().state("waiting");
  await pass(5_500);
  expect(played.hls.at(-1)?.url).toBe("/hls/b/index.m3u8");
});

it.each([["broadcast-full", "full"], ["server-busy", "busy"], ["no-common-codec", "codec"]] as const)("moves to HLS at %s and says why", async (code, why) => {
  played.shown = [said(HLS)];
  await begin();
  watch.actions.setWay("fast");
  expect(played.hls[0]?.closed).toBe(true);
  expect(whep().refused?.(code)).toBe(true);
  expect([view().way, view().moved, played.whep[0]?.closed, played.hls.length]).toEqual(["steady", why, true, 2]);
});

it("stays where there is no other way, and goes back and forth only once", async () => {
  played.shown = [said()];
  await begin();
  expect(whep().refused?.("broadcast-full")).toBe(false);
  watch.close();
  played.shown = [said(HLS)];
  await begin();
  hls().failed("unplayable");
  expect([view().way, view().moved]).toEqual(["fast", "unplayable"]);
  expect(whep().refused?.("no-common-codec")).toBe(false);
});

it("tells one that is over from one that never was", async () => {
  played.shown = [gone()];
  await begin();
  expect(view().phase.kind).toBe("failed");
  watch.close();
  played.shown = [said(HLS), gone()];
  await begin();
  hls().state("reconnecting");
  await pass(5_500);
  expect(view().phase).toEqual({ kind: "ended", again: false });
});

it("takes WebRTC where what begins to be sent is nothing for HLS", async () => {
  played.shown = [said({ ...HLS, live: false }), said({ ...HLS, live: false }), said()];
  await begin();
  hls().state("waiting");
  await pass(5_500);
  expect(view().way).toBe("steady");
  await pass(5_500);
  expect([view().way, view().mayChoose, played.hls[0]?.closed, played.whep.length]).toEqual(["fast", false, true, 1]);
});

it("shows silent pictures where the browser wants a click first", async () => {
  played.shown = [said()];
  video.blocked = true;
  await begin();
  whep().stream({} as MediaStream);
  await pass();
  expect([view().soundBlocked, video.muted, video.paused]).toEqual([true, true, false]);
  watch.actions.hear();
  expect([view().soundBlocked, video.muted]).toEqual([false, false]);
});

it("plays a source that begins anew, unless somebody paused", async () => {
  played.shown = [said(HLS)];
  await begin();
  video.dispatchEvent(new Event("loadedmetadata"));
  expect(video.paused).toBe(false);
  watch.actions.toggle();
  expect([video.paused, view().paused]).toEqual([true, true]);
  video.dispatchEvent(new Event("loadedmetadata"));
  expect(video.paused).toBe(true);
});

it("remembers a volume, and takes nonsense for the whole", () => {
  watch = createWatch("b");
  expect([volumeOf("40"), volumeOf("0"), volumeOf(null), volumeOf("x"), volumeOf("400")]).toEqual([0.4, 0, 1, 1, 1]);
});

/** As the browser's back button brings a page out of its memory. */
const comeBack = (persisted = true) => window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));

it.each([
  ["fast", said(), () => played.whep],
  ["steady", said(HLS), () => played.hls],
] as const)("plays again (%s) when the back button brings it out of the browser's memory", async (_, broadcast, players) => {
  played.shown = [broadcast];
  await begin();
  (players().at(-1)?.handlers as WhepHandlers).state("playing");
  comeBack(false);
  expect(players().length).toBe(1);
  window.dispatchEvent(new Event("pagehide"));
  comeBack();
  expect(players().map(({ closed }) => closed)).toEqual([true, false]);
  (players().at(-1)?.handlers as WhepHandlers).state("playing");
  expect(view().phase.kind).toBe("playing");
});

it("leaves what is over, and the place of who paused, as they were", async () => {
  played.shown = [said(HLS)];
  await begin();
  hls().state("playing");
  void video.play();
  watch.actions.toggle();
  comeBack();
  expect(played.hls.length).toBe(1);
  hls().state("ended");
  comeBack();
  expect([played.hls.length, view().phase.kind]).toEqual([1, "ended"]);
});

it("takes HLS where somebody sends of whom nothing comes by WebRTC, though the viewer once chose it", async () => {
  localStorage.setItem("symposia.watch.way", "fast");
  played.shown = [said(HLS), said({ ...HLS, live: false }), said(HLS), said(HLS)];
  await begin();
  whep().state("waiting");
  await pass(5_000);
  await pass(5_000);
  expect(played.hls.length).toBe(0);
  await pass(5_000);
  expect([played.hls.length, view().way, view().moved]).toEqual([1, "steady", "only"]);
});
