// The browser's own player of HLS, and a server that comes and goes, both played by hand.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HlsPlayer, type HlsState } from "./hls";

vi.mock("hls.js", () => ({ default: { isSupported: () => false } }));

class FakeVideo extends EventTarget {
  sources: string[] = [];
  playing = false;
  currentTime = 0;
  paused = false;
  ended = false;
  readyState = 4;
  loads = 0;
  canPlayType = () => "maybe";
  load = () => void (this.loads += 1);
  removeAttribute = () => undefined;
  set src(url: string) {
    this.sources.push(url);
  }
}

let video: FakeVideo;
let player: HlsPlayer;
let states: HlsState[];
let answers: (() => Response | "nothing")[];
let asked: number;

/** Time goes by, and the picture moves where it plays. */
const pass = async (milliseconds: number) => {
  for (let at = 0; at < milliseconds; at += 250) {
    if (video.playing) video.currentTime += 0.25;
    await vi.advanceTimersByTimeAsync(250);
  }
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2 });
  [video, states, answers, asked] = [new FakeVideo(), [], [], 0];
  vi.stubGlobal("fetch", (_: string, { signal }: RequestInit) => {
    asked += 1;
    const answer = answers.shift()?.() ?? new Response("#EXTM3U");
    if (answer !== "nothing") return Promise.resolve(answer);
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
  });
  player = new HlsPlayer("/hls/b/index.m3u8", video as unknown as HTMLVideoElement, { state: (state) => states.push(state), variants: () => {}, captions: () => {}, failed: () => states.push("ended") });
});
afterEach(() => {
  player.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const play = async () => {
  player.start();
  await pass(250);
  video.playing = true;
  await pass(1_000);
  expect(states).toEqual(["connecting", "playing"]);
};

it("asks again where no answer comes", async () => {
  answers = [() => "nothing"];
  player.start();
  await pass(7_500);
  expect([asked, video.sources.length]).toEqual([1, 0]);
  await pass(4_000);
  expect([asked, video.sources.length]).toEqual([2, 1]);
});

it("plays again after an error of the browser's own player, as soon as there is a playlist", async () => {
  await play();
  answers = [() => new Response(JSON.stringify({ code: "not-found", message: "" }), { status: 404 })];
  video.playing = false;
  video.dispatchEvent(new Event("error"));
  expect(states.at(-1)).toBe("reconnecting");
  await pass(3_000);
  expect([asked, video.sources.length]).toEqual([2, 1]);
  await pass(3_000);
  expect(video.sources.length).toBe(2);
  video.playing = true;
  await pass(1_000);
  expect(states.at(-1)).toBe("playing");
});

it("sets the browser's own player up anew when its picture stands for long, and not while it is paused", async () => {
  await play();
  video.playing = false;
  video.paused = true;
  await pass(60_000);
  expect(asked).toBe(1);
  video.paused = false;
  await pass(4_000);
  expect([asked, states.at(-1)]).toEqual([1, "reconnecting"]);
  await pass(20_000);
  expect([asked, video.sources.length]).toEqual([2, 2]);
});

it("lets go of the element when it is closed", async () => {
  await play();
  player.close();
  expect(video.loads).toBe(1);
  video.dispatchEvent(new Event("error"));
  await pass(60_000);
  expect(asked).toBe(1);
});
