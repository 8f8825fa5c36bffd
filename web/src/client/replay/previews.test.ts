import { describe, expect, it } from "vitest";
import type { RecordingTrack } from "../recordings";
import { RestError } from "../rest";
import { sourcesOf } from "./index";
import { firstPicture, withStartCodes } from "./keyframe";
import { type PreviewParts, Previews } from "./previews";

const bytes = (...parts: (number | number[])[]) => new Uint8Array(parts.flat());
const word = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
const text = (value: string) => [...value].map((one) => one.charCodeAt(0));
const box = (kind: string, content: number[]) => [...word(content.length + 8), ...text(kind), ...content];
const PICTURE = [1, 2, 3, 4, 5];

/** A cluster as the server writes it: checksum, time, a group with the key frame, one with the next. */
const group = (picture: number[]) => [0xa0, 0x80 | (picture.length + 9), 0xa1, 0x80 | (picture.length + 4), 0x81, 0, 0, 0, ...picture, 0x9b, 0x81, 33];
const cluster = (() => {
  const content = [0xbf, 0x84, 9, 9, 9, 9, 0xe7, 0x82, 1, 2, ...group(PICTURE), ...group([7, 8])];
  return bytes([0x1f, 0x43, 0xb6, 0x75], [0x40, content.length], content);
})();
const sample = (size: number) => [...word(3_000), ...word(size), ...word(0)];
const fragment = bytes(box("moof", [...box("mfhd", word(0).concat(word(1))), ...box("traf", [...box("tfhd", word(0).concat(word(1))), ...box("trun", [...word(0x701), ...word(2), ...word(0), ...sample(5), ...sample(2)])])]), box("mdat", [...PICTURE, 7, 8]));

describe("the first picture of a segment", () => {
  it("is found in WebM and in MP4", () => {
    for (const one of [cluster, fragment]) {
      const place = firstPicture(one);
      expect(place && [...one.subarray(place.from, place.to)]).toEqual(PICTURE);
    }
  });
  it("may be longer than what one has, and is nowhere where the head is cut or nonsense", () => {
    for (const one of [cluster, fragment]) {
      const whole = firstPicture(one);
      expect(firstPicture(one.subarray(0, (whole?.from ?? 0) + 1))).toEqual(whole);
      expect(firstPicture(one.subarray(0, (whole?.from ?? 0) - 6))).toBe(null);
    }
    for (const nonsense of [bytes(), bytes(0, 0, 0, 0, 0, 0, 0, 0, 0), bytes(0x1f, 0, 0, 0), bytes(0xff, 0xff, 0xff), bytes(0x1f, 0x43, 0xb6, 0x75, 0)]) {
      expect(firstPicture(nonsense)).toBe(null);
    }
  });
  it("of H.264 gets start codes in place of lengths", () => {
    const picture = bytes(word(2), 0x67, 9, word(3), 0x65, 8, 7);
    withStartCodes(picture);
    expect([...picture]).toEqual([0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x65, 8, 7]);
  });
});

const track = (id: string, more: Partial<RecordingTrack>): RecordingTrack => ({
  id, participant: Number(id), name: "", kind: "video", source: "camera", codec: "vp8", codecs: "vp8", mime: "video/webm", url: `/${id}`, bytes: 1, start_ms: 0,
  duration_ms: 60_000, complete: true, width: null, height: null, ...more,
});

function world(tracks: RecordingTrack[], supported = true) {
  const asked: string[] = [];
  const state: { changes: number; edge: number; refuse: RestError | null; wait: (() => void) | null } = { changes: 0, edge: Infinity, refuse: null, wait: null };
  const pictures = new Map<string, HTMLCanvasElement>();
  const parts: PreviewParts = {
    segments: ({ id }, from) => {
      asked.push(`${id} list ${from}`);
      if (state.refuse) return Promise.reject(state.refuse);
      return Promise.resolve({ init: 9, segments: [[10, cluster.length, 0, 2_000], [200, cluster.length, 2_000, 4_000], [400, 3, 4_000, 6_000]].filter(([at = 0]) => at >= from) as [number, number, number, number][] });
    },
    bytes: (url, offset, length) => {
      asked.push(`${url} ${offset}`);
      if (state.refuse) return Promise.reject(state.refuse);
      return Promise.resolve(cluster.slice(0, length).buffer);
    },
    supports: () => Promise.resolve(supported),
    wait: () => new Promise((resolve) => (state.wait = resolve)),
    decode: (_, picture) => {
      expect([...picture]).toEqual(PICTURE);
      const made = {} as HTMLCanvasElement;
      pictures.set(String(pictures.size), made);
      return Promise.resolve(made);
    },
  };
  const sources = sourcesOf(tracks, () => true);
  const previews = new Previews(() => sources, () => state.edge, () => (state.changes += 1), parts);
  const settle = async () => {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  };
  return { previews, asked, state, settle, pictures };
}

describe("small pictures", () => {
  it("come once for each segment, and are kept", async () => {
    const { previews, asked, state, settle } = world([track("1", {})]);
    expect(previews.get(1)).toBe("coming");
    expect(asked).toEqual([]);
    previews.want(1);
    await settle();
    const picture = previews.get(1);
    expect(picture).toBeTypeOf("object");
    expect(previews.get(0.2)).toBe(picture);
    expect(state.changes).toBeGreaterThan(0);
    previews.want(1.7);
    await settle();
    expect(asked).toEqual(["1 list 0", "/1 10"]);
    previews.want(3);
    await settle();
    expect(previews.get(3)).not.toBe(picture);
    expect(asked.length).toBe(3);
  });
  it("are of the next source where one has none, and of nobody where no browser decodes", async () => {
    const { previews, settle, asked } = world([track("1", { start_ms: 50_000 }), track("2", {})]);
    previews.want(1);
    await settle();
    expect(previews.get(1)).toBeTypeOf("object");
    // What is no picture is not asked for twice.
    previews.want(5);
    await settle();
    expect(previews.get(5)).toBe(null);
    const { length } = asked;
    previews.want(5.5);
    await settle();
    expect(asked.length).toBe(length);
    const lacking = world([track("1", {})], false);
    lacking.previews.want(1);
    await lacking.settle();
    expect([lacking.previews.get(1), lacking.asked]).toEqual([null, []]);
  });
  it("come when the server answers again, and not from what it refuses", async () => {
    const { previews, state, settle, asked } = world([track("1", {})]);
    for (const error of [new RestError("unreachable", 0, null, ""), new RestError("store-away", 503, 60, "")]) {
      state.refuse = error;
      previews.want(1);
      await settle();
      expect(previews.get(1)).toBe("coming");
      state.wait?.();
      await settle();
    }
    // It waits between two tries, also where another moment is wanted meanwhile.
    const { length } = asked;
    previews.want(3);
    await settle();
    expect(asked.length).toBe(length);
    state.refuse = null;
    state.wait?.();
    await settle();
    previews.want(1);
    await settle();
    expect([previews.get(1), previews.get(3)].map((one) => typeof one)).toEqual(["object", "object"]);
    const refused = world([track("1", {})]);
    refused.state.refuse = new RestError("not-found", 404, null, "");
    refused.previews.want(1);
    await refused.settle();
    expect([refused.previews.get(1), refused.state.wait]).toEqual([null, null]);
  });
  it("are asked for of what was written since, where the recording goes on", async () => {
    const { previews, asked, state, settle } = world([track("1", { complete: false })]);
    state.edge = 3;
    previews.want(1);
    await settle();
    previews.want(2.5);
    await settle();
    expect(asked.filter((one) => one.includes("list"))).toEqual(["1 list 0"]);
    state.edge = 6;
    previews.want(3.5);
    await settle();
    expect(asked.filter((one) => one.includes("list"))).toEqual(["1 list 0", "1 list 400"]);
  });
});
