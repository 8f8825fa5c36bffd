import { describe, expect, it } from "vitest";
import { person, welcome } from "../client/fake-socket";
import type { Participant, ParticipantId } from "../client/protocol";
import { layout, type LayoutState, wishes } from "./layout";
import { STAGE_AFTER_MS, SWAP_AFTER_MS, TileOrder } from "./order";
import { type Inside, tell } from "./roster";

function inside(people: Participant[], speakers: ParticipantId[] = []): Inside {
  const { roster } = tell(null, welcome({ participants: people }));
  if (!roster?.inside) throw new Error("welcome leads inside");
  return { ...roster.inside, speakers };
}
const crowd = (count: number, change: Record<number, Partial<Participant>> = {}) =>
  Array.from({ length: count }, (_, index) => person(index + 1, change[index + 1]));
const GRID: LayoutState = { choice: "auto", page: 0, pinned: new Set(), voiceOnly: false };
const nothing = { preview: null, remote: () => null };
const YOU = 1;

/** A page that is looked at again and again. */
function looker(state: Partial<LayoutState> = {}) {
  const order = new TileOrder();
  return (now: number, people: Participant[], speakers: ParticipantId[] = []) =>
    layout(inside(people, speakers), YOU, { ...GRID, ...state }, order, nothing, now);
}
const ids = (tiles: { participant: ParticipantId }[]) => tiles.map(({ participant }) => participant);

describe("the grid", () => {
  it("shows yourself first and the others as they came", () => {
    const view = looker()(0, [person(2), person(1), person(3)]);
    expect(view.mode).toBe("grid");
    expect(ids(view.tiles)).toEqual([1, 2, 3]);
  });

  it("has pages of nine", () => {
    const people = crowd(20);
    expect(ids(looker()(0, people).tiles)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const last = looker({ page: 2 })(0, people);
    expect([last.page, last.pages, ids(last.tiles)]).toEqual([2, 3, [19, 20]]);
    expect(looker({ page: 7 })(0, people).page).toBe(2);
  });

  it("moves no tile when somebody on the page speaks", () => {
    const look = looker();
    const people = crowd(9);
    const before = ids(look(0, people).tiles);
    for (let now = 0; now < 20_000; now += 500) expect(ids(look(now, people, [5]).tiles)).toEqual(before);
  });

  it("gives a speaker off the page a tile after two seconds, and moves only one other", () => {
    const look = looker();
    const people = crowd(12);
    look(0, people);
    expect(look(100, people, [11]).speakingElsewhere).toEqual(["P11"]);
    expect(ids(look(100 + SWAP_AFTER_MS - 1, people, [11]).tiles)).not.toContain(11);
    const after = look(100 + SWAP_AFTER_MS, people, [11]);
    expect(ids(after.tiles)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 11]);
    expect(after.speakingElsewhere).toEqual([]);
    expect(ids(look(90_000, people).tiles)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 11]);
  });

  it("gives nobody a tile who says a word now and then", () => {
    const look = looker();
    const people = crowd(12);
    for (let now = 0; now < 30_000; now += 3_000) {
      look(now, people, [11]);
      expect(ids(look(now + 1_000, people).tiles)).not.toContain(11);
    }
  });

  it("takes the place of who was quiet longest, never yours, a speaker's or one in the spotlight", () => {
    const look = looker({ choice: "grid" });
    const people = crowd(11, { 9: { spotlight: true }, 8: { camera: true }, 7: { microphone: true } });
    look(0, people, [7]);
    const tiles = ids(look(5_000, people, [7, 11]).tiles);
    expect(tiles).not.toContain(11);
    const after = ids(look(5_000 + SWAP_AFTER_MS, people, [7, 11]).tiles);
    expect(after).toContain(11);
    for (const kept of [1, 7, 8, 9]) expect(after).toContain(kept);
  });

  it("prefers cameras to those without on the first page", () => {
    const tiles = ids(looker()(0, crowd(12, { 12: { camera: true } })).tiles);
    expect(tiles).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 12]);
  });

  it("keeps places when somebody leaves", () => {
    const look = looker();
    look(0, crowd(5));
    expect(ids(look(1, crowd(5).filter(({ id }) => id !== 3)).tiles)).toEqual([1, 2, 4, 5]);
  });
});

describe("the stage", () => {
  it("comes with a shared screen, which is large, and goes with it", () => {
    const look = looker();
    const view = look(0, crowd(3, { 2: { screen: true } }));
    expect(view.stage.map(({ key }) => key)).toEqual(["2:screen"]);
    expect(ids(view.tiles)).toEqual([1, 2, 3]);
    expect(look(1, crowd(3)).mode).toBe("grid");
  });

  it("does not show your own screen", () => {
    expect(looker()(0, crowd(3, { 1: { screen: true } })).mode).toBe("grid");
  });

  it("shows who is in the spotlight or pinned", () => {
    expect(ids(looker()(0, crowd(3, { 3: { spotlight: true } })).stage)).toEqual([3]);
    expect(ids(looker({ pinned: new Set([2]) })(0, crowd(3)).stage)).toEqual([2]);
  });

  it("follows the speaker, but neither at once nor yourself", () => {
    const look = looker({ choice: "speaker" });
    const people = crowd(4);
    expect(ids(look(0, people).stage)).toEqual([2]);
    look(3_000, people, [4]);
    expect(ids(look(3_000 + STAGE_AFTER_MS - 1, people, [4]).stage)).toEqual([2]);
    expect(ids(look(3_000 + STAGE_AFTER_MS, people, [4]).stage)).toEqual([4]);
    expect(ids(look(9_000, people, [1]).stage)).toEqual([4]);
    expect(ids(look(20_000, people).stage)).toEqual([4]);
  });

  it("stays with a speaker who goes on when another joins in", () => {
    const look = looker({ choice: "speaker" });
    const people = crowd(4);
    look(0, people, [3]);
    expect(ids(look(2_500, people, [3]).stage)).toEqual([3]);
    look(3_000, people, [4, 3]);
    expect(ids(look(9_000, people, [4, 3]).stage)).toEqual([3]);
  });

  it("is the grid again where the person wants it", () => {
    const view = looker({ choice: "grid" })(0, crowd(3, { 2: { screen: true } }));
    expect([view.mode, view.tiles[0]?.key]).toEqual(["grid", "2:screen"]);
  });

  it("with yourself alone shows yourself", () => {
    expect(ids(looker({ choice: "speaker" })(0, crowd(1)).stage)).toEqual([1]);
  });
});

describe("a tile", () => {
  const remote = (change: object) => () => ({
    id: { participant: 2, source: "camera" as const }, stream: "s" as unknown as MediaStream, paused: null, live: true, ...change,
  });
  const pictureOf = (change: Partial<Participant>, from = {}, state: Partial<LayoutState> = {}) =>
    layout(inside(crowd(2, { 2: change })), YOU, { ...GRID, ...state }, new TileOrder(), { ...nothing, ...from }, 0).tiles[1]?.picture;

  it("shows the picture, or why there is none", () => {
    expect(pictureOf({}, { remote: remote({}) })).toEqual({ kind: "off" });
    expect(pictureOf({ camera: true })).toEqual({ kind: "loading" });
    expect(pictureOf({ camera: true }, { remote: remote({}) })).toEqual({ kind: "video", stream: "s" });
    expect(pictureOf({ camera: true }, { remote: remote({ live: false }) })).toEqual({ kind: "loading" });
    expect(pictureOf({ camera: true }, { remote: remote({ paused: "codec" }) })).toEqual({ kind: "paused", reason: "codec" });
    expect(pictureOf({ camera: true, connected: false }, { remote: remote({}) })).toEqual({ kind: "loading" });
    expect(pictureOf({ camera: true }, { remote: remote({}) }, { voiceOnly: true })).toEqual({ kind: "off" });
  });
});

describe("wishes", () => {
  it("name what is on the page and sends, large tiles first", () => {
    const people = crowd(4, { 1: { camera: true }, 2: { camera: true, screen: true }, 3: { camera: true } });
    const view = looker()(0, people);
    const heights = new Map([["1:camera", 100], ["2:camera", 100], ["2:screen", 700], ["3:camera", 100], ["4:camera", 100]]);
    expect(wishes(view, heights, inside(people), false)).toEqual([
      { participant: 2, source: "screen", height: 700 },
      { participant: 2, source: "camera", height: 100 },
      { participant: 3, source: "camera", height: 100 },
    ]);
    expect(wishes(view, heights, inside(people), true)).toEqual([{ participant: 2, source: "screen", height: 700 }]);
    expect(wishes(view, new Map(), inside(people), false)).toEqual([]);
  });
});
