// What is prepared while a person still looks at himself.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Preparation } from "./prepared";

class FakePeerConnection {
  closed = false;
  localDescription: { sdp: string } | null = null;
  private made = 0;
  addTransceiver(kind: string) {
    const mid = String(this.made++);
    return { kind, mid, sender: {}, receiver: { track: { kind, id: mid } }, setCodecPreferences: () => {} };
  }
  createOffer = () => Promise.resolve({ type: "offer", sdp: "offer" });
  setLocalDescription = (description: { sdp: string }) => {
    this.localDescription = description;
    return Promise.resolve();
  };
  close() {
    this.closed = true;
  }
}

let all: FakePeerConnection[];
let network: EventTarget;
let preparation: Preparation;
const usual = { video: 9, audio: 5 };

beforeEach(() => {
  vi.useFakeTimers();
  all = [];
  network = new EventTarget();
  preparation = new Preparation({
    peerConnection: () => {
      const made = new FakePeerConnection();
      all.push(made);
      return made as unknown as RTCPeerConnection;
    },
    idle: (then) => setTimeout(then, 10),
    network,
  });
});
afterEach(() => {
  preparation.close();
  vi.useRealTimers();
});

describe("a preparation", () => {
  it("makes a peer connection and its offer when the page is idle, and hands them over once", async () => {
    preparation.begin();
    expect(all).toHaveLength(0);
    vi.advanceTimersByTime(10);
    const prepared = preparation.take(usual);
    expect(prepared?.peer.pc).toBe(all[0]);
    const offer = await prepared?.offer;
    expect(offer?.sdp).toBe("offer");
    expect(offer?.sends.map(({ source }) => source)).toEqual(["microphone", "camera", "screen", "screen-audio"]);
    expect(preparation.take(usual)).toBeNull();
    expect(all[0]?.closed).toBe(false);
  });

  it("does not fit a server with other counts of slots", () => {
    preparation.begin();
    vi.advanceTimersByTime(10);
    expect(preparation.take({ video: 25, audio: 5 })).toBeNull();
    expect(all[0]?.closed).toBe(true);
  });

  it("is made anew after a while and on another network", () => {
    preparation.begin();
    vi.advanceTimersByTime(10);
    vi.advanceTimersByTime(120_010);
    network.dispatchEvent(new Event("online"));
    vi.advanceTimersByTime(10);
    expect(all.map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(preparation.take(usual)?.peer.pc).toBe(all[2]);
  });

  it("is thrown away where the machine slept longer than addresses last", () => {
    preparation.begin();
    vi.advanceTimersByTime(10);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(preparation.take(usual)).toBeNull();
    expect(all[0]?.closed).toBe(true);
  });

  it("ends when nobody will join, and may begin again", () => {
    preparation.begin();
    vi.advanceTimersByTime(10);
    preparation.end();
    expect(all[0]?.closed).toBe(true);
    vi.advanceTimersByTime(1_000_000);
    expect(all).toHaveLength(1);
    preparation.begin();
    vi.advanceTimersByTime(10);
    expect(preparation.take(usual)?.peer.pc).toBe(all[1]);
  });
});
