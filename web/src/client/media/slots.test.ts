import { describe, expect, it } from "vitest";
import { Slots } from "./slots";

class FakeStream {
  tracks: MediaStreamTrack[] = [];
  addTrack(track: MediaStreamTrack): void {
    this.tracks.push(track);
  }
  removeTrack(track: MediaStreamTrack): void {
    this.tracks = this.tracks.filter((one) => one !== track);
  }
}
const track = (id: string, kind = "video") => ({ id, kind }) as MediaStreamTrack;
const tracksOf = (stream: MediaStream | undefined) => (stream as unknown as FakeStream).tracks.map(({ id }) => id);

function fresh() {
  const made = new Slots(() => new FakeStream() as unknown as MediaStream);
  made.setReceivers(new Map([["4", track("v4")], ["5", track("v5")], ["13", track("a13", "audio")]]), 0);
  return made;
}
const camera = (participant: number, mid: string) => ({ mid, participant, source: "camera" as const });

const slots = fresh;

describe("receive slots", () => {
  it("put the slot's track into the stream of whom it carries", () => {
    const made = slots();
    made.apply([camera(7, "4")], 0);
    expect(tracksOf(made.get(7, "camera")?.stream)).toEqual(["v4"]);
    expect(made.get(8, "camera")).toBeNull();
  });

  it("keep a participant's stream when the slot changes", () => {
    const made = slots();
    made.apply([camera(7, "4")], 0);
    const stream = made.get(7, "camera")?.stream;
    made.apply([camera(8, "4"), camera(7, "5")], 10);
    expect(made.get(7, "camera")?.stream).toBe(stream);
    expect(tracksOf(stream)).toEqual(["v5"]);
    expect(tracksOf(made.get(8, "camera")?.stream)).toEqual(["v4"]);
  });

  it("swap two participants without ever mixing their streams", () => {
    const made = slots();
    made.apply([camera(7, "4"), camera(8, "5")], 0);
    made.apply([camera(7, "5"), camera(8, "4")], 10);
    expect(tracksOf(made.get(7, "camera")?.stream)).toEqual(["v5"]);
    expect(tracksOf(made.get(8, "camera")?.stream)).toEqual(["v4"]);
  });

  it("drop who is named no more", () => {
    const made = slots();
    made.apply([camera(7, "4")], 0);
    const stream = made.get(7, "camera")?.stream;
    made.apply([], 10);
    expect(made.get(7, "camera")).toBeNull();
    expect(tracksOf(stream)).toEqual([]);
  });

  it("follow a new peer connection", () => {
    const made = slots();
    made.apply([camera(7, "4")], 0);
    const stream = made.get(7, "camera")?.stream;
    made.setReceivers(new Map([["4", track("new")]]), 10);
    expect(made.get(7, "camera")?.stream).toBe(stream);
    expect(tracksOf(stream)).toEqual(["new"]);
  });

  it("remember what was said before the peer connection had its answer", () => {
    const made = new Slots(() => new FakeStream() as unknown as MediaStream);
    made.apply([camera(7, "4")], 0);
    made.setReceivers(new Map([["4", track("v4")]]), 1);
    expect(tracksOf(made.get(7, "camera")?.stream)).toEqual(["v4"]);
  });

  it("tell why nothing flows", () => {
    const made = slots();
    made.apply([{ ...camera(7, "4"), paused: "bandwidth" }, camera(8, "5")], 0);
    expect(made.get(7, "camera")?.paused).toBe("bandwidth");
    expect(made.flowing()).toBe(1);
    made.apply([camera(7, "4"), camera(8, "5")], 0);
    expect(made.get(7, "camera")?.paused).toBeNull();
  });
});

describe("a slot that never carried anything", () => {
  it("is live at once: there are no pictures of somebody else", () => {
    const made = slots();
    made.apply([camera(7, "4")], 1_000);
    expect(made.get(7, "camera")?.live).toBe(true);
    expect(made.unsettled()).toEqual([]);
  });

  it("is not trusted when the server may have said more than was heard", () => {
    const made = slots();
    made.doubt();
    made.apply([camera(7, "4")], 1_000);
    expect(made.get(7, "camera")?.live).toBe(false);
    expect(made.unsettled()).toEqual(["4"]);
  });
});

describe("a slot that was pointed elsewhere", () => {
  function slots() {
    const made = fresh();
    made.apply([camera(5, "4"), camera(6, "5")], 0);
    return made;
  }

  it("is live with the first key frame, not with the last pictures of somebody else", () => {
    const made = slots();
    made.apply([camera(7, "4")], 1_000);
    expect(made.unsettled()).toEqual(["4"]);
    expect(made.decoded("4", { frames: 90, keyFrames: 3 }, 1_050)).toBe(false);
    expect(made.decoded("4", { frames: 91, keyFrames: 3 }, 1_100)).toBe(false);
    expect(made.decoded("4", { frames: 92, keyFrames: 4 }, 1_200)).toBe(true);
    expect(made.get(7, "camera")?.live).toBe(true);
    expect(made.unsettled()).toEqual([]);
  });

  it("is live after half a second of new pictures where the key frame came first", () => {
    const made = slots();
    made.apply([camera(7, "4")], 1_000);
    made.decoded("4", { frames: 92, keyFrames: 4 }, 1_100);
    expect(made.decoded("4", { frames: 100, keyFrames: 4 }, 1_400)).toBe(false);
    expect(made.decoded("4", { frames: 108, keyFrames: 4 }, 1_510)).toBe(true);
  });

  it("is not live without any picture", () => {
    const made = slots();
    made.apply([camera(7, "4")], 1_000);
    expect(made.decoded("4", { frames: 0, keyFrames: 0 }, 1_100)).toBe(false);
    expect(made.decoded("4", { frames: 0, keyFrames: 0 }, 9_000)).toBe(false);
  });

  it("waits again after the next change", () => {
    const made = slots();
    made.apply([camera(7, "4")], 0);
    made.decoded("4", { frames: 0, keyFrames: 0 }, 10);
    made.decoded("4", { frames: 5, keyFrames: 1 }, 20);
    made.apply([camera(7, "5")], 30);
    expect(made.get(7, "camera")?.live).toBe(false);
    expect(made.unsettled()).toEqual(["5"]);
  });
});
