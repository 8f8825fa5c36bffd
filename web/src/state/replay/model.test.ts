import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RecordingDetail, RecordingExport, TimelineEntry } from "../../client/recordings";
import { World } from "../../client/replay/fake-media";
import type { ReplayPlayer } from "../../client/replay/player";
import { RestError } from "../../client/rest";
import { createReplay, type ReplayParts } from "./model";
import type { ReplayModel } from "./types";

const ENTRIES: TimelineEntry[] = [
  { at_ms: 0, event: "joined", participant: 1, name: "Ana" },
  { at_ms: 0, event: "source", participant: 1, source: "microphone", on: true },
  { at_ms: 100, event: "joined", participant: 2, name: "Bo" },
  { at_ms: 1_000, event: "speaking", participants: [1] },
  { at_ms: 20_000, event: "mark", text: "Budget" },
  { at_ms: 40_000, event: "mark", text: "Dates" },
];

let world: World;
let model: ReplayModel;
let told: string[];
let refuse: RestError | null;
let exported: RecordingExport[];
let mix: RecordingDetail["mix"];
let state: RecordingDetail["state"];
const answer = <T>(value: () => T): Promise<T> => (refuse ? Promise.reject(refuse) : Promise.resolve(value()));

const detail = (): RecordingDetail => ({
  id: "r", meeting_id: "m", title: "Autumn", state, started_at: 0, duration_ms: 60_000, written_ms: 60_000, bytes: 1, participants: [], visibility: "host", link_expires_at: null,
  replay_url: "", upload: null, tracks: world.tracks, mix, gaps: [], ended: "stopped", manage: true,
});

function parts(): ReplayParts {
  return {
    open: (id, token) => answer(() => void told.push(`open ${id} ${token}`)),
    detail: () => answer(() => {
      told.push("detail");
      return detail();
    }),
    timeline: (_, from = 0) => answer(() => ENTRIES.slice(from)),
    seen: () => true,
    exports: () => answer(() => ({ exports: exported, available: true, reason: null })),
    startExport: (_, layout) => answer(() => {
      const made: RecordingExport = { layout, state: "running", progress: 0, bytes: null, error: null, url: null };
      exported = [made];
      return made;
    }),
    endExport: () => answer(() => {
      exported = [];
    }),
    player: (): ReplayPlayer => world.player,
  };
}

const view = () => model.view.get();
const pass = async (ms = 0) => {
  await vi.advanceTimersByTimeAsync(0);
  if (ms > 0) await world.pass(ms);
  await vi.advanceTimersByTimeAsync(ms);
};

beforeEach(() => {
  vi.useFakeTimers();
  [told, refuse, exported, state, mix] = [[], null, [], "finished", null];
  world = new World([{ participant: 1, pieces: [[0, 60]] }, { participant: 1, source: "camera", pieces: [[0, 60]] }, { participant: 2, source: "camera", pieces: [[0, 60]] }], 60);
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
});

describe("the replay page", () => {
  it("exchanges a link's secret first, and shows who was there", async () => {
    model = createReplay("r", "secret", () => told.push("opened"), parts());
    await pass();
    expect(told).toEqual(["open r secret", "opened", "detail"]);
    expect(view()).toMatchObject({ phase: { kind: "ready" }, layout: { mode: "grid", tiles: [{ name: "Ana", muted: false }, { name: "Bo", muted: true }] } });
    model.actions.toggle();
    await pass(2_000);
    expect(view().layout.tiles.map(({ pictured }) => pictured)).toEqual([true, true]);
    expect(view().speaking).toEqual(["Ana"]);
    expect(model.position.get()).toBeGreaterThan(1);
  });
  it("goes from chapter to chapter, and back to the beginning of one first", async () => {
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    model.actions.toChapter(1);
    expect([view().chapter, model.position.get()]).toEqual([1, 20]);
    model.actions.seek(35);
    model.actions.toChapter(-1);
    expect(model.position.get()).toBe(20);
    model.actions.toChapter(-1);
    expect(model.position.get()).toBe(0);
    model.actions.seek(50);
    model.actions.toChapter(1);
    expect(model.position.get()).toBe(50);
  });
  it("changes the speed by steps, and stays within them", async () => {
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    for (let step = 0; step < 9; step += 1) model.actions.stepRate(1);
    expect(view().player.rate).toBe(2);
    for (let step = 0; step < 9; step += 1) model.actions.stepRate(-1);
    expect(view().player.rate).toBe(0.5);
  });
  it("says why it cannot be shown", async () => {
    refuse = new RestError("not-found", 404, null, "");
    model = createReplay("r", "old", () => told.push("opened"), parts());
    await pass();
    expect(view().phase).toEqual({ kind: "failed", refusal: { code: "not-found", retryAfter: null } });
    expect(told).toEqual([]);
  });
  it("asks again while the recording goes on, through a lost connection, until it is finished", async () => {
    state = "recording";
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    refuse = new RestError("unreachable", 0, null, "");
    await pass(9_000);
    expect([view().phase.kind, told.length]).toEqual(["ready", 1]);
    refuse = null;
    await pass(5_000);
    expect(told.length).toBe(2);
    state = "finished";
    await pass(5_000);
    const { length } = told;
    await pass(60_000);
    expect(told.length).toBe(length);
  });
  it("ends where the recording is deleted while it goes on, instead of waiting for more", async () => {
    state = "recording";
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    model.actions.toggle();
    await pass(1_000);
    refuse = new RestError("not-found", 404, null, "");
    await pass(10_000);
    expect(view().phase).toEqual({ kind: "failed", refusal: { code: "not-found", retryAfter: null } });
    expect(world.elements.every(({ closed }) => closed)).toBe(true);
  });
  it("ends where what plays is deleted; where only one of its files is lost the others go on", async () => {
    for (const url of ["/files/1", "/files/2", "/files/3"]) world.lost.add(url);
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    refuse = new RestError("not-found", 404, null, "");
    model.actions.toggle();
    await pass(3_000);
    expect(view().phase.kind).toBe("failed");

    refuse = null;
    told = [];
    world = new World([{ participant: 1, pieces: [[0, 60]] }, { participant: 1, source: "camera", pieces: [[0, 60]] }], 60);
    world.lost.add("/files/2");
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    model.actions.toggle();
    await pass(4_000);
    expect(view().phase.kind).toBe("ready");
    expect(model.position.get()).toBeGreaterThan(2);
    expect(told).toEqual(["detail", "detail"]);
  });
  it("looks for the sound of everybody, which is made after the end, when somebody wants to take something", async () => {
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    mix = { url: "/mix", bytes: 9 };
    model.actions.readExports();
    await pass(1_000);
    expect(view().recording?.mix).toEqual(mix);
    model.actions.readExports();
    await pass(1_000);
    expect(told).toEqual(["detail", "detail"]);
  });
  it("follows an export until it is made, and ends it", async () => {
    model = createReplay("r", null, () => undefined, parts());
    await pass();
    model.actions.startExport("grid");
    await pass();
    expect(view().exports?.exports[0]).toMatchObject({ state: "running", progress: 0 });
    exported = [{ layout: "grid", state: "finished", progress: 1, bytes: 9, error: null, url: "/x" }];
    await pass(1_500);
    expect(view().exports?.exports[0]?.state).toBe("finished");
    model.actions.endExport("grid");
    await pass();
    expect(view().exports?.exports).toEqual([]);
    refuse = new RestError("too-many", 429, 5, "");
    model.actions.startExport("speaker");
    await pass();
    expect(view().refused).toEqual({ code: "too-many", retryAfter: 5 });
  });
});
