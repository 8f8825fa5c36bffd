// The devices behind the sources, with a browser that takes its time.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Capture } from "./capture";

class FakeTrack {
  readyState = "live";
  contentHint = "";
  onended: (() => void) | null = null;
  constructor(readonly kind: "audio" | "video") {}
  stop(): void {
    this.readyState = "ended";
  }
}

let pickers: ((tracks: FakeTrack[]) => void)[];
let sent: [string, FakeTrack | null][];

const chosen = (index: number): FakeTrack[] => {
  const tracks = [new FakeTrack("video"), new FakeTrack("audio")];
  pickers[index]?.(tracks);
  return tracks;
};

beforeEach(() => {
  [pickers, sent] = [[], []];
  const getDisplayMedia = () =>
    new Promise((resolve) => {
      pickers.push((tracks) => resolve({ getVideoTracks: () => tracks.filter(({ kind }) => kind === "video"), getAudioTracks: () => tracks.filter(({ kind }) => kind === "audio") }));
    });
  const mediaDevices = { getDisplayMedia, enumerateDevices: () => Promise.resolve([]), addEventListener: vi.fn(), removeEventListener: vi.fn() };
  vi.stubGlobal("navigator", { mediaDevices, userAgent: "", maxTouchPoints: 0 });
});
afterEach(() => vi.unstubAllGlobals());

function open(): Capture {
  return new Capture({ track: (source, track) => sent.push([source, track as FakeTrack | null]), changed: () => undefined, lost: () => undefined, screenEnded: () => undefined });
}

const states = (tracks: FakeTrack[]) => tracks.map(({ readyState }) => readyState);

describe("a shared screen", () => {
  it("that is chosen when the page was left already is closed, and sent to nobody", async () => {
    const capture = open();
    const shared = capture.setScreen(true);
    capture.close();
    const tracks = chosen(0);
    expect(await shared).toBe(null);
    expect([states(tracks), sent, capture.tracks()]).toEqual([["ended", "ended"], [], []]);
  });
  it("that was taken back, or chosen anew, before it was chosen is not sent either", async () => {
    const capture = open();
    const first = capture.setScreen(true);
    await capture.setScreen(false);
    const late = chosen(0);
    expect([await first, states(late)]).toEqual([null, ["ended", "ended"]]);
    const [second, third] = [capture.setScreen(true), capture.setScreen(true)];
    const wanted = chosen(2);
    expect(await third).toEqual({ audio: true });
    const other = chosen(1);
    expect([await second, states(other)]).toEqual([null, ["ended", "ended"]]);
    expect(states(wanted)).toEqual(["live", "live"]);
    expect(sent).toEqual([["screen", wanted[0]], ["screen-audio", wanted[1]]]);
    capture.close();
    expect(states(wanted)).toEqual(["ended", "ended"]);
  });
});
