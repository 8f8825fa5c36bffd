import { describe, expect, it } from "vitest";
import type { RecordingTrack } from "../recordings";
import { fileAt, knownBytes, segmentAfter, sourcesOf, stretches, takeSegments, unknownFrom } from "./index";

const track = (id: string, start_ms: number, duration_ms: number, more: Partial<RecordingTrack> = {}): RecordingTrack => ({
  id, participant: 1, name: "Ana", kind: "video", source: "camera", codec: "vp8", codecs: "vp8", mime: "video/webm", url: `/${id}`, bytes: 1,
  start_ms, duration_ms, complete: true, width: null, height: null, ...more,
});

describe("the files of a recording", () => {
  it("belong to sources, in their order", () => {
    const found = sourcesOf([track("2", 5_000, 3_000, { codec: "av1" }), track("1", 0, 5_000), track("3", 0, 9_000, { source: "screen" })], (type) => !type.includes("vp8"));
    expect(found.map(({ key, files }) => [key, files.map((file) => file.track.id)])).toEqual([["1-camera", ["1", "2"]], ["1-screen", ["3"]]]);
    expect(found[0]?.files[0]).toMatchObject({ type: 'video/webm; codecs="vp8"', playable: false });
  });
  it("are found by time, or the next that comes", () => {
    const [source] = sourcesOf([track("1", 0, 5_000), track("2", 8_000, 2_000)], () => true);
    if (!source) throw new Error("no source");
    expect([1, 6, 9, 11].map((at) => fileAt(source, at)?.track.id)).toEqual(["1", "2", "2", undefined]);
    expect(stretches(source)).toEqual([[0, 5], [8, 10]]);
  });
  it("have holes between segments that are apart, and short sounds between silences are none", () => {
    const [source] = sourcesOf([track("1", 0, 9_000, { kind: "audio" })], () => true);
    const file = source?.files[0];
    if (!source || !file) throw new Error("no file");
    takeSegments(file, 0, { init: 10, segments: [[10, 5, 0, 2000], [15, 5, 2010, 4000], [20, 1, 4400, 4420], [21, 5, 6000, 8000]] });
    file.known = Infinity;
    expect(stretches(source)).toEqual([[0, 4], [6, 8]]);
    expect([0, 2, 2.005, 4.41, 5, 8].map((at) => segmentAfter(file, at))).toEqual([0, 1, 1, 2, 3, -1]);
  });
  it("grow by what comes after the last segment that was known, and in it", () => {
    const [source] = sourcesOf([track("1", 0, 9_000, { complete: false })], () => true);
    const file = source?.files[0];
    if (!source || !file) throw new Error("no file");
    expect([unknownFrom(file), fileAt(source, 100)]).toEqual([0, file]);
    takeSegments(file, 0, { init: 10, segments: [[10, 5, 0, 2000], [15, 2, 2000, 2500]] });
    const known = file.segments[1];
    expect([unknownFrom(file), knownBytes(file)]).toEqual([15, 17]);
    takeSegments(file, 15, { init: 10, segments: [[15, 9, 2000, 4000], [24, 3, 4000, 5000]] });
    expect(file.segments).toMatchObject([{ offset: 10, length: 5 }, { offset: 15, length: 9, to: 4 }, { offset: 24, to: 5 }]);
    expect(file.segments[1]).toBe(known);
  });
});
