// The player over elements and a server of the test's own time.

import { describe, expect, it } from "vitest";
import { type FakeFile, World } from "./fake-media";

const voice = (participant: number, ...pieces: [number, number][]): FakeFile => ({ participant, pieces });
const camera = (participant: number, ...pieces: [number, number][]): FakeFile => ({ participant, source: "camera", pieces });
const two = () => new World([voice(1, [0, 60]), voice(2, [0, 60]), camera(1, [0, 60]), camera(2, [0, 60])], 60);

describe("a replay", () => {
  it("plays all that there is at one place", async () => {
    const world = two();
    world.player.want(["1-camera", "2-camera"]);
    world.player.play();
    await world.pass(5_000);
    expect(world.player.position()).toBeGreaterThan(4);
    for (const file of [1, 2, 3, 4]) {
      expect(world.of(file).paused).toBe(false);
      expect(Math.abs(world.of(file).currentTime - world.player.position())).toBeLessThan(0.05);
    }
    expect(world.player.get()).toMatchObject({ playing: true, waiting: false, showing: ["1-camera", "2-camera"] });
  });

  // acceptance: R4
  it("plays within a second of a seek, and its tracks are within 80 ms, also where their clocks run apart", async () => {
    const world = new World([voice(1, [0, 60]), { ...voice(2, [0, 60]), drift: 1.02 }, { ...camera(1, [0, 60]), drift: 0.99 }, camera(2, [0, 60])], 60);
    world.player.want(["1-camera", "2-camera"]);
    world.player.play();
    await world.pass(2_000);
    for (const to of [40, 3, 41, 17.3, 58]) {
      world.player.seek(to);
      await world.pass(1_000);
      expect(world.player.get().waiting).toBe(false);
      expect(world.player.position()).toBeGreaterThan(to);
      await world.pass(500);
      const places = [1, 2, 3, 4].map((file) => world.of(file).currentTime);
      expect(Math.max(...places) - Math.min(...places)).toBeLessThan(0.08);
    }
    // A voice that is bent all the time is never placed anew: that would be heard.
    const { seeks } = world.of(2);
    world.player.seek(20);
    await world.pass(20_000);
    expect(world.of(2).seeks - seeks).toBeLessThanOrEqual(1);
  });

  it("follows the sound that leads", async () => {
    const world = new World([{ ...voice(1, [0, 60]), drift: 1.01 }, camera(1, [0, 60])], 60);
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(20_000);
    expect(world.of(1).playbackRate).toBe(1);
    expect(Math.abs(world.of(1).currentTime - world.player.position())).toBeLessThan(0.02);
    expect(Math.abs(world.of(2).currentTime - world.of(1).currentTime)).toBeLessThan(0.06);
  });

  it("goes on through times in which nobody sent, and is ready when somebody does again", async () => {
    const world = new World([voice(1, [0, 4], [9, 20]), camera(1, [0, 3], [12, 20])], 20);
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(6_000);
    expect(world.player.position()).toBeGreaterThan(5.5);
    expect(world.player.get()).toMatchObject({ waiting: false, showing: [] });
    expect(world.of(1).paused).toBe(true);
    const before = world.of(1).seeks;
    await world.pass(5_000);
    expect(world.of(1).seeks - before).toBe(1);
    expect(world.of(1).paused).toBe(false);
    await world.pass(3_000);
    expect(world.player.get().showing).toEqual(["1-camera"]);
  });

  it("at twice the speed gets twice as far, and stops at the end", async () => {
    const world = two();
    world.player.setRate(2);
    world.player.play();
    await world.pass(10_300);
    expect(world.player.position()).toBeGreaterThan(19);
    expect(world.of(1).playbackRate).toBe(2);
    await world.pass(22_000);
    expect(world.player.position()).toBe(60);
    expect(world.player.get().playing).toBe(false);
    world.player.play();
    await world.pass(2_000);
    expect(world.player.position()).toBeLessThan(6);
  });

  it("keeps in memory what is near only", async () => {
    const world = new World([voice(1, [0, 600]), camera(1, [0, 600])], 600);
    world.player.want(["1-camera"]);
    world.player.play();
    const longest = () => Math.max(...[1, 2].map((file) => world.of(file).ranges.reduce((sum, [from, to]) => sum + to - from, 0)));
    for (let minute = 0; minute < 3; minute += 1) {
      await world.pass(60_000);
      expect(longest()).toBeLessThan(65);
    }
    for (const to of [500, 30, 300, 200]) {
      world.player.seek(to);
      await world.pass(3_000);
      expect(longest()).toBeLessThan(130);
    }
  });

  it("takes less at once where the browser takes no more", async () => {
    const world = new World([camera(1, [0, 60])], 60);
    world.quota = 10;
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(20_000);
    expect(world.player.position()).toBeGreaterThan(8);
  });

  it("goes on with another codec of the same source, and says what cannot be played", async () => {
    const world = new World([camera(1, [0, 4]), { ...camera(1, [4, 8]), codec: "h264" }, { ...camera(1, [8, 12]), codec: "hevc" }, voice(1, [0, 12])], 12);
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(6_000);
    expect(world.types).toContain('video/webm; codecs="h264"');
    expect(world.player.get()).toMatchObject({ showing: ["1-camera"], unplayable: [], waiting: false });
    await world.pass(4_000);
    expect(world.player.get()).toMatchObject({ showing: [], unplayable: ["1-camera"], waiting: false });
    expect(world.player.position()).toBeGreaterThan(9);
  });

  it("waits for sounds, and not long for pictures", async () => {
    const world = two();
    world.player.want(["1-camera", "2-camera"]);
    world.away.add("/files/4");
    world.player.play();
    await world.pass(2_000);
    expect(world.player.get().waiting).toBe(false);
    expect(world.player.position()).toBeGreaterThan(0.9);
    world.away.clear();
    world.away.add("/files/1");
    world.player.seek(40);
    await world.pass(2_000);
    expect(world.player.get().waiting).toBe(true);
    expect(world.player.position()).toBe(40);
    world.away.clear();
    await world.pass(4_000);
    expect(world.player.get().waiting).toBe(false);
  });

  it("stands still where the browser wants a click first", async () => {
    const world = two();
    world.refuses = true;
    world.player.play();
    await world.pass(1_000);
    expect(world.player.get()).toMatchObject({ playing: false, blocked: true });
    world.refuses = false;
    world.player.play();
    await world.pass(1_000);
    expect(world.player.get()).toMatchObject({ playing: true, blocked: false });
  });

  it("goes on without sound where the device has none", async () => {
    const world = two();
    world.deaf = true;
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(4_000);
    expect(world.player.get()).toMatchObject({ playing: true, waiting: false, soundless: true, showing: ["1-camera"] });
    expect(world.player.position()).toBeGreaterThan(2);
    expect(world.of(1).muted).toBe(true);
  });

  it("has elements for the pictures on the page and the voices of the moment only", async () => {
    const files = Array.from({ length: 40 }, (_, index) => voice(index + 1, [index * 30, index * 30 + 10]));
    const world = new World([...files, camera(1, [0, 1_200]), camera(2, [0, 1_200])], 1_200);
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(1_000);
    expect(world.elements.filter(({ closed }) => !closed).length).toBe(2);
    world.player.seek(600);
    world.player.want(["2-camera"]);
    await world.pass(1_000);
    expect(world.elements.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(3);
    expect(world.player.picture("1-camera")).toBe(null);
    expect(world.player.picture("2-camera")).toBe(world.of(42));
  });

  it("does not stand still because somebody looks at another picture", async () => {
    const world = two();
    world.player.want(["1-camera"]);
    world.player.play();
    await world.pass(2_000);
    world.states = [];
    world.player.want(["1-camera", "2-camera"]);
    await world.pass(1_000);
    expect(world.states.some(({ waiting }) => waiting)).toBe(false);
    expect(world.player.get().showing).toEqual(["1-camera", "2-camera"]);
  });

  it("goes on in what was written since it began to play", async () => {
    const world = new World([voice(1, [0, 10])], 10, 10);
    world.player.play();
    await world.pass(5_000);
    world.files[0] = voice(1, [0, 20]);
    world.player.load(world.tracksOf(true), 20_000);
    await world.pass(8_000);
    expect(world.player.position()).toBeGreaterThan(12);
    expect(world.of(1).paused).toBe(false);
    // What was here already was not fetched once more.
    expect(world.asked.filter((one) => one === "1 4").length).toBe(1);
    expect(world.asked.filter((one) => one === "1 segments").length).toBe(1);
  });
});

/** A meeting that is recorded while it is watched: told each 1.5 s, written a second ago. */
function running(begun: number) {
  const world = new World([voice(1, [0, begun]), camera(1, [0, begun]), voice(2, [0, 3])], begun, begun - 1);
  const began = world.time - begun * 1_000;
  const state = { told: 0, silent: false, over: false };
  const written = () => (world.time - began) / 1_000 - 1;
  const tell = () => {
    state.told = world.time;
    world.player.load(world.tracksOf(state.over), (world.time - began), state.over ? null : written() * 1_000);
  };
  world.happens = () => {
    if (state.over) return;
    // Parts of half a second.
    const until = Math.floor(written() * 2) / 2;
    world.files[0] = voice(1, [0, until]);
    world.files[1] = camera(1, [0, until]);
    if (!state.silent && world.time - state.told >= 1_500) tell();
  };
  world.happens();
  tell();
  world.player.want(["1-camera"]);
  return { world, state, written, tell };
}

describe("a replay of what goes on", () => {
  it("plays a few seconds behind what is written, without a hole, and the bar grows", async () => {
    const { world, written } = running(60);
    world.player.goLive();
    await world.pass(3_000);
    world.states = [];
    const asked = world.asked.length;
    await world.pass(30_000);
    expect(world.states.some(({ waiting }) => waiting)).toBe(false);
    expect(world.player.get()).toMatchObject({ live: true, playing: true, showing: ["1-camera"] });
    expect(written() - world.player.position()).toBeLessThan(6);
    expect(world.player.get().duration).toBeGreaterThan(85);
    expect(Math.abs(world.of(1).currentTime - world.player.position())).toBeLessThan(0.05);
    expect(world.of(1).seeks + world.of(2).seeks).toBeLessThan(6);
    // For each time that one is told: what is new in two files, and that; of who is silent nothing.
    expect(world.asked.length - asked).toBeLessThan(30 / 1.5 * 4 * 1.3);
    expect(world.asked.slice(asked).filter((one) => one.startsWith("3")).length).toBe(0);
    // No byte of it twice.
    const sounds = world.asked.filter((one) => /^1 [\d.]+$/u.test(one));
    expect(new Set(sounds).size).toBe(sounds.length);
  });
  it("hears who begins to speak while it plays", async () => {
    const { world, written } = running(60);
    world.player.goLive();
    await world.pass(5_000);
    const from = Math.floor(written() * 2) / 2;
    const before = world.happens;
    world.happens = () => {
      world.files[2] = voice(2, [0, 3], [from, Math.floor(written() * 2) / 2 + 0.001]);
      before();
    };
    await world.pass(9_000);
    expect(world.of(3).paused).toBe(false);
    expect(Math.abs(world.of(3).currentTime - world.player.position())).toBeLessThan(0.05);
  });
  it("waits where it hears nothing, is behind then, and comes back when one wants", async () => {
    const { world, state, tell } = running(60);
    world.player.goLive();
    await world.pass(5_000);
    state.silent = true;
    await world.pass(15_000);
    expect(world.player.get()).toMatchObject({ waiting: true, playing: true });
    state.silent = false;
    tell();
    await world.pass(3_000);
    expect(world.player.get()).toMatchObject({ waiting: false, playing: true, live: false });
    world.player.goLive();
    await world.pass(3_000);
    expect(world.player.get()).toMatchObject({ waiting: false, live: true });
  });
  it("comes back to what happens after a moment's trouble", async () => {
    const { world, written } = running(60);
    world.player.goLive();
    await world.pass(5_000);
    const behind = written() - world.player.position();
    world.away.add("/files/1");
    await world.pass(6_000);
    world.away.clear();
    await world.pass(4_000);
    expect(written() - world.player.position()).toBeGreaterThan(behind + 2);
    expect(world.player.get()).toMatchObject({ waiting: false, live: true, rate: 1 });
    expect(world.of(1).playbackRate).toBe(1.05);
    await world.pass(120_000);
    expect(written() - world.player.position()).toBeLessThan(behind + 1);
    expect(world.of(1).playbackRate).toBe(1);
  });
  it("from the beginning asks for little, and slows down where it catches up", async () => {
    const { world } = running(60);
    world.player.setRate(2);
    world.player.play();
    await world.pass(10_000);
    expect(world.player.position()).toBeGreaterThan(18);
    expect(world.asked.filter((one) => one.includes("segments")).length).toBeLessThanOrEqual(3);
    expect(world.player.get()).toMatchObject({ live: false, rate: 2 });
    await world.pass(60_000);
    expect(world.player.get()).toMatchObject({ live: true, rate: 1, waiting: false });
  });
  it("becomes the replay of what is over, to its last second", async () => {
    const { world, state, tell } = running(20);
    world.player.goLive();
    await world.pass(5_000);
    state.over = true;
    world.files[0] = voice(1, [0, 25]);
    world.files[1] = camera(1, [0, 25]);
    tell();
    expect(world.player.get()).toMatchObject({ live: null, duration: 25 });
    await world.pass(8_000);
    expect(world.player.get()).toMatchObject({ playing: false });
    expect(world.player.position()).toBe(25);
    expect(world.of(1).currentTime).toBeGreaterThan(24.8);
  });
});
