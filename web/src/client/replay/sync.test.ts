import { describe, expect, it } from "vitest";
import { decide, rangeAt, type Watched } from "./sync";

const still: Watched = {
  kind: "video", position: 10, seeking: false, target: 10, running: true, rate: 1, buffered: [[0, 20]], leads: false,
};

describe("an element", () => {
  it("that is where the replay is plays on as fast as it does", () => {
    expect(decide({ ...still, rate: 1.5 })).toEqual({ do: "play", rate: 1.5 });
    expect(decide({ ...still, position: 10.01 })).toEqual({ do: "play", rate: 1 });
  });
  it("that is a little off is bent back, the nearer the less", () => {
    const bend = (position: number, kind: Watched["kind"] = "video") => {
      const found = decide({ ...still, kind, position });
      return found.do === "play" ? found.rate : null;
    };
    expect(bend(10.03)).toBeCloseTo(0.91);
    expect(bend(9.98)).toBeCloseTo(1.06);
    expect(bend(9.75)).toBeCloseTo(1.2);
    expect(bend(9.75, "audio")).toBeCloseTo(1.05);
  });
  it("that leads is never bent, but placed like the others", () => {
    expect(decide({ ...still, kind: "audio", position: 10.2, leads: true })).toEqual({ do: "play", rate: 1 });
    expect(decide({ ...still, kind: "audio", position: 10.4, leads: true }).do).toBe("place");
  });
  // acceptance: R4
  it("that is off by more than 0.3 s is placed, where it will be needed when it is there", () => {
    expect(decide({ ...still, position: 10.29 }).do).toBe("play");
    expect(decide({ ...still, position: 10.31 })).toEqual({ do: "place", at: 10.12 });
    expect(decide({ ...still, position: 9.5, buffered: [[0, 10.05]] })).toEqual({ do: "place", at: 10 });
  });
  it("that stands before a hole is placed behind it as soon as the replay is there", () => {
    const buffered: [number, number][] = [[0, 9.9], [9.95, 20]];
    expect(decide({ ...still, position: 9.9, buffered }).do).toBe("place");
    expect(decide({ ...still, position: 9.9, target: 9.92, buffered }).do).toBe("rest");
  });
  it("that is on its way is left alone", () => {
    expect(decide({ ...still, position: 3, seeking: true })).toEqual({ do: "play", rate: 1 });
    expect(decide({ ...still, position: 3, seeking: true, running: false })).toEqual({ do: "hold" });
  });
  it("stands exactly where a replay stands", () => {
    expect(decide({ ...still, running: false })).toEqual({ do: "hold" });
    expect(decide({ ...still, running: false, position: 10.03 })).toEqual({ do: "place", at: 10 });
  });
});

describe("a place", () => {
  it("belongs to the range that it is in or directly before", () => {
    const ranges = [[1, 2], [4, 5]] as const;
    expect(rangeAt(ranges, 0.99)).toEqual([1, 2]);
    expect(rangeAt(ranges, 2)).toBe(null);
    expect(rangeAt(ranges, 4.5)).toEqual([4, 5]);
  });
});
