// What the media decides without a browser: watchdog, wishes, layers, order of codecs, speech.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Wish } from "../protocol";
import { preferred } from "./codecs";
import { activeLayers } from "./layers";
import { barOf, SpeechDetector } from "./level";
import { LOOK_EVERY_MS, Watchdog } from "./watchdog";
import { roundedHeight, WatchList } from "./watch";

describe("the watchdog", () => {
  /** Bytes that grow for `flow` ms, then stand still for `silence` ms; the times of alarms in the silence. */
  function alarms(watchdog: Watchdog, flow: number, silence: number, expected = true): number[] {
    const found: number[] = [];
    let bytes = 1_000;
    let now = 0;
    for (; now < flow; now += LOOK_EVERY_MS) watchdog.look((bytes += 900), expected, now);
    const stopped = now - LOOK_EVERY_MS;
    for (; now < flow + silence; now += LOOK_EVERY_MS) if (watchdog.look(bytes, expected, now)) found.push(now - stopped);
    return found;
  }

  it("barks within a second after regular media stopped", () => {
    const [first] = alarms(new Watchdog(), 5_000, 2_000);
    expect(first).toBeGreaterThanOrEqual(700);
    expect(first).toBeLessThan(1_000);
  });

  it("does not bark at what never flowed, nor at what flowed for a moment", () => {
    expect(alarms(new Watchdog(), 0, 5_000)).toEqual([]);
    expect(alarms(new Watchdog(), 900, 5_000)).toEqual([]);
  });

  it("does not bark where nothing is expected", () => {
    expect(alarms(new Watchdog(), 5_000, 5_000, false)).toEqual([]);
  });

  it("barks more and more rarely while nothing comes", () => {
    const times = alarms(new Watchdog(() => 0.5), 5_000, 30_000);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(times.length).toBeLessThan(6);
    expect(gaps[0]).toBeGreaterThanOrEqual(3_000);
    expect(gaps[1]).toBeGreaterThanOrEqual(6_000);
  });

  it("counts alarms until media flows again", () => {
    const watchdog = new Watchdog();
    alarms(watchdog, 5_000, 12_000);
    expect(watchdog.alarms).toBeGreaterThanOrEqual(2);
    let bytes = 1_000_000;
    for (let now = 20_000; now < 23_000; now += LOOK_EVERY_MS) watchdog.look((bytes += 900), true, now);
    expect(watchdog.alarms).toBe(0);
  });

  it("is asked again when the silence has lasted long enough", () => {
    const watchdog = new Watchdog();
    expect(watchdog.nextLook(0)).toBe(LOOK_EVERY_MS);
    watchdog.look(1, true, 0);
    watchdog.look(2, true, 230);
    expect(watchdog.nextLook(230)).toBe(LOOK_EVERY_MS);
    expect(watchdog.nextLook(460)).toBe(LOOK_EVERY_MS);
    expect(watchdog.nextLook(880)).toBe(50);
    expect(watchdog.nextLook(929)).toBeGreaterThan(1);
    expect(watchdog.nextLook(2_000)).toBe(LOOK_EVERY_MS);
  });

  it("starts anew when the counters do", () => {
    const watchdog = new Watchdog();
    for (let now = 0; now < 5_000; now += LOOK_EVERY_MS) watchdog.look(1_000_000 + now, true, now);
    expect(watchdog.look(10, true, 5_100)).toBe(false);
    expect(watchdog.look(10, true, 6_500)).toBe(false);
  });
});

describe("the watch list", () => {
  let said: Wish[][];
  let list: WatchList;
  beforeEach(() => {
    vi.useFakeTimers();
    said = [];
    list = new WatchList(2, (videos) => said.push(videos));
  });
  afterEach(() => {
    list.close();
    vi.useRealTimers();
  });
  const tile = (participant: number, height: number) => ({ participant, source: "camera" as const, height });

  it("says the first wishes at once: somebody waits for a picture", () => {
    list.set([tile(1, 300)]);
    expect(said).toEqual([[tile(1, 360)]]);
  });

  it("says many changes of a moment once, the most important first, no more than there are slots", () => {
    list.set([tile(3, 90)]);
    said.length = 0;
    list.set([tile(1, 100)]);
    list.set([tile(2, 700), tile(1, 100), tile(3, 100)]);
    vi.advanceTimersByTime(200);
    expect(said).toEqual([[tile(2, 720), tile(1, 135)]]);
  });

  it("says nothing where nothing changed for the server", () => {
    list.set([tile(1, 300)]);
    vi.advanceTimersByTime(200);
    list.set([tile(1, 310)]);
    vi.advanceTimersByTime(200);
    expect(said).toHaveLength(1);
  });

  it("leaves out what is off the screen and names nobody twice", () => {
    list.set([tile(1, 0), tile(2, 90), tile(2, 180)]);
    vi.advanceTimersByTime(200);
    expect(said).toEqual([[tile(2, 90)]]);
  });

  it("says everything again to a new session", () => {
    list.set([tile(1, 300)]);
    vi.advanceTimersByTime(200);
    list.repeat();
    vi.advanceTimersByTime(200);
    expect(said).toEqual([[tile(1, 360)], [tile(1, 360)]]);
  });

  it("rounds heights up to a few steps", () => {
    expect([1, 90, 91, 720, 5_000].map(roundedHeight)).toEqual([90, 90, 135, 720, 2160]);
  });
});

describe("layers", () => {
  const scales = [4, 2, 1];
  it("are sent up to the first that is high enough for the largest tile", () => {
    expect(activeLayers(scales, 720, 180)).toEqual([true, false, false]);
    expect(activeLayers(scales, 720, 270)).toEqual([true, true, false]);
    expect(activeLayers(scales, 720, 360)).toEqual([true, true, false]);
    expect(activeLayers(scales, 720, 1080)).toEqual([true, true, true]);
  });
  it("are the lowest only while nobody watches", () => {
    expect(activeLayers(scales, 720, 0)).toEqual([true, false, false]);
  });
});

describe("codecs", () => {
  it("are moved to the front, none is dropped, the order stays otherwise", () => {
    const codecs = ["video/H264", "video/rtx", "video/VP8", "video/AV1"].map((mimeType) => ({ mimeType }));
    expect(preferred(codecs, "video/vp8").map(({ mimeType }) => mimeType)).toEqual([
      "video/VP8", "video/H264", "video/rtx", "video/AV1",
    ]);
  });
});

describe("speech", () => {
  const look = (detector: SpeechDetector, loudness: number, from: number, to: number) => {
    let speaking = false;
    for (let now = from; now < to; now += 150) speaking = detector.look(loudness, now);
    return speaking;
  };
  it("is noticed after a moment and ends after a pause", () => {
    const detector = new SpeechDetector();
    expect(look(detector, 0.1, 0, 300)).toBe(false);
    expect(look(detector, 0.1, 300, 1_200)).toBe(true);
    expect(look(detector, 0.001, 1_200, 2_400)).toBe(true);
    expect(look(detector, 0.001, 2_400, 4_000)).toBe(false);
  });
  it("is neither a cough nor a quiet room", () => {
    const detector = new SpeechDetector();
    expect(look(detector, 0.5, 0, 300) || look(detector, 0.01, 300, 9_000)).toBe(false);
  });
  it("fills the bar by decibels", () => {
    expect([0, 0.001, 1].map(barOf)).toEqual([0, 0, 1]);
    expect(barOf(0.1)).toBeCloseTo(2 / 3);
  });
});
