import { describe, expect, it } from "vitest";
import type { RecordingTrack, TimelineEntry } from "../../client/recordings";
import { previewed, replayLayout } from "./layout";
import { Story } from "./story";

const joined = (at_ms: number, participant: number, name: string): TimelineEntry => ({ at_ms, event: "joined", participant, name });
const speaks = (at: number, ...participants: number[]): TimelineEntry => ({ at_ms: at * 1000, event: "speaking", participants });
const screen = (at: number, participant: number, on: boolean): TimelineEntry => ({ at_ms: at * 1000, event: "source", participant, source: "screen", on });
const byTime = (entries: TimelineEntry[]) => entries.sort((a, b) => a.at_ms - b.at_ms);

const ENTRIES = byTime([
  joined(0, 1, "Ana"), joined(200, 2, "Bo"), joined(30_000, 3, "Cai"),
  speaks(1, 1), speaks(8), speaks(10, 1), speaks(20, 2, 1), speaks(20.5, 1), speaks(40), speaks(50, 2), speaks(90),
  screen(100, 1, true), speaks(103, 1), speaks(140), screen(150, 1, false),
  { at_ms: 120_000, event: "mark", text: "Decision" },
  { at_ms: 60_000, event: "chat", participant: 3, name: "Cai", text: "Hello" },
  { at_ms: 160_000, event: "renamed", participant: 2, name: "Bob" },
  { at_ms: 170_000, event: "left", participant: 3 },
]);
const story = new Story({ tracks: [] }, ENTRIES);

describe("what happened", () => {
  // acceptance: R4
  it("has chapters: long turns, shared screens and marks, without what is too near to tell apart", () => {
    expect(story.chapters).toEqual([
      { at: 0, what: { kind: "speaker", name: "Ana" } },
      { at: 50, what: { kind: "speaker", name: "Bob" } },
      { at: 100, what: { kind: "screen", name: "Ana" } },
      { at: 120, what: { kind: "mark", text: "Decision" } },
    ]);
    expect(story.chapterAt(99.99)).toBe(2);
    expect(story.chapterAt(60)).toBe(1);
  });
  it("is known at any time, in whatever order one looks", () => {
    const names = (at: number) => story.peopleAt(at).map(({ name }) => name);
    expect(names(165)).toEqual(["Ana", "Bob", "Cai"]);
    expect(names(0)).toEqual(["Ana", "Bo"]);
    expect(names(175)).toEqual(["Ana", "Bob"]);
    expect(story.speakingAt(20.2)).toEqual([2, 1]);
    expect(story.speakingAt(95)).toEqual([]);
  });
  it("leaves the floor to who has it through pauses and a word of somebody else", () => {
    expect([5, 9, 20.2, 45, 55, 97, 110].map((at) => story.floorAt(at))).toEqual([1, 1, 1, 1, 2, 2, 1]);
  });
  it("has lines for what was written and who came and went", () => {
    expect(story.lines.map(({ what }) => what.kind)).toEqual(["joined", "chat", "screen", "mark", "screen", "renamed", "left"]);
    expect(story.lineAt(29)).toBe(-1);
    expect(story.lineAt(60)).toBe(1);
  });
  it("is what the files say where there is no timeline", () => {
    const track: RecordingTrack = {
      id: "1", participant: 7, name: "Dora", kind: "video", source: "camera", codec: "vp8", codecs: "vp8", mime: "video/webm", url: "/1",
      bytes: 1, start_ms: 0, duration_ms: 9_000, complete: true, width: 320, height: 180,
    };
    const bare = new Story({ tracks: [track] }, []);
    expect(bare.peopleAt(3)).toMatchObject([{ id: 7, name: "Dora", camera: true, microphone: false }]);
    expect(bare.chapters).toEqual([{ at: 0, what: { kind: "start" } }]);
  });
});

describe("the pictures", () => {
  const shown = { showing: ["1-camera", "1-screen"], unplayable: [] };
  const at = (time: number, choice: "grid" | "speaker") => {
    const { mode, stage, tiles } = replayLayout(story, [], time, choice, 0, shown);
    return [mode, stage.map(({ key }) => key), tiles.map(({ key }) => key)];
  };
  it("are a grid, who spoke most first, until somebody shares", () => {
    expect(at(35, "grid")).toEqual(["grid", [], ["1-camera", "2-camera", "3-camera"]]);
    expect(at(110, "grid")).toEqual(["stage", ["1-screen"], ["1-camera", "2-camera", "3-camera"]]);
  });
  it("in small are a shared screen, then who speaks, then the others", () => {
    const seen = new Story({ tracks: [] }, byTime([...ENTRIES, ...[1, 2, 3].map((participant): TimelineEntry => ({ at_ms: 30_100, event: "source", participant, source: "camera", on: true }))]));
    expect([31, 55, 110, 175].map((time) => previewed(seen, time))).toEqual([
      ["1-camera", "2-camera", "3-camera"],
      ["2-camera", "1-camera", "3-camera"],
      ["1-screen", "1-camera", "2-camera", "3-camera"],
      ["1-camera", "2-camera"],
    ]);
  });
  it("show who has the floor large, where one wants that", () => {
    expect(at(55, "speaker")).toEqual(["stage", ["2-camera"], ["1-camera", "3-camera"]]);
    expect(at(35, "speaker")).toEqual(["stage", ["1-camera"], ["2-camera", "3-camera"]]);
  });
});
