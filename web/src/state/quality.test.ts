import { describe, expect, it } from "vitest";
import type { Condition } from "../client/protocol";
import { connectionOf, tileConnection } from "./quality";
import type { Inside } from "./roster";
import type { TilePicture } from "./types";

const inside = (quality: [number, Condition][], downlinkKbps: number | null = null): Inside =>
  ({ quality: new Map(quality), downlinkKbps }) as unknown as Inside;
const lossy: Condition = { quality: "fair", cause: { kind: "loss", link: "uplink", percent: 12 } };
const thin: Condition = { quality: "fair", cause: { kind: "thin", link: "downlink", kbps: 300 } };
const loading: TilePicture = { kind: "loading" };
const starved: TilePicture = { kind: "paused", reason: "bandwidth" };

describe("whose fault it is", () => {
  it("is nobody's where nothing is told", () => {
    expect(tileConnection(inside([]), 2, 1, loading)).toEqual({ quality: "good", cause: null });
  });

  it("is another's upload on that one's tile only", () => {
    const all = inside([[2, lossy]]);
    expect(tileConnection(all, 2, 1, loading)).toEqual({ quality: "fair", cause: { whose: "them", cause: lossy.cause } });
    expect(tileConnection(all, 3, 1, loading).quality).toBe("good");
    expect(tileConnection(all, 1, 1, loading).quality).toBe("good");
  });

  it("is one's own download on every picture that comes by it", () => {
    const all = inside([[1, thin]]);
    const mine = { quality: "fair", cause: { whose: "you", cause: thin.cause } };
    expect(tileConnection(all, 2, 1, loading)).toEqual(mine);
    expect(tileConnection(all, 1, 1, loading)).toEqual(mine);
    expect(tileConnection(all, 2, 1, { kind: "off" }).quality).toBe("good");
    expect(connectionOf(all, 2, 1).quality).toBe("good");
  });

  it("is the worse of the two", () => {
    const poor: Condition = { ...thin, quality: "poor" };
    expect(tileConnection(inside([[1, thin], [2, lossy]]), 2, 1, loading).cause?.whose).toBe("them");
    expect(tileConnection(inside([[1, poor], [2, lossy]]), 2, 1, loading).cause?.whose).toBe("you");
  });

  it("is one's own download where a picture has no room on it", () => {
    const cause = { whose: "you", cause: { kind: "thin", link: "downlink", kbps: 280 } };
    expect(tileConnection(inside([], 280), 2, 1, starved)).toEqual({ quality: "fair", cause });
    expect(tileConnection(inside([[2, lossy]], 280), 2, 1, starved).cause?.whose).toBe("you");
    expect(tileConnection(inside([]), 2, 1, starved)).toEqual({ quality: "fair", cause: null });
  });

  it("is not one's own upload on another's tile", () => {
    expect(tileConnection(inside([[1, lossy]]), 2, 1, loading).quality).toBe("good");
  });
});
