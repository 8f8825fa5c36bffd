// What a streamer sees of a push, with a server played by hand.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Push } from "../client/push";
import { RestError, type ShownBroadcast } from "../client/rest";
import { createEncoder, type EncoderModel } from "./encoder";

const server = vi.hoisted<{ asked: (string | undefined)[]; says: unknown }>(() => ({ asked: [], says: null }));
vi.mock("../client/rest", async (original) => ({
  ...(await original<Record<string, unknown>>()),
  broadcast: (_: string, key?: string) => {
    server.asked.push(key);
    return server.says instanceof Error ? Promise.reject(server.says) : Promise.resolve(server.says);
  },
}));

const push = (more: Partial<Push> = {}): Push => ({
  protocol: "rtmp", encoder: "OBS", since: 0, troubles: [], audio: { codec: "aac", bits_per_second: 100_000, rate: 48_000, channels: 2 },
  video: { codec: "h264", width: 1280, height: 720, bits_per_second: 2_000_000, frames_per_second: 30, key_frame_interval_ms: 2_000 }, ...more,
});
const said = (more: Partial<ShownBroadcast> = {}): ShownBroadcast => ({ id: "b", title: "Tea", live: false, viewers: 0, whep_url: "http://server/whep/b", ...more });
const page = Object.assign(new EventTarget(), { hidden: false });
let model: EncoderModel;
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const view = () => model.view.get();
const begin = async () => {
  model = createEncoder("b");
  await pass();
};

beforeEach(() => {
  vi.useFakeTimers();
  const held = new Map<string, string>();
  vi.stubGlobal("sessionStorage", { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value) });
  vi.stubGlobal("document", page);
  page.hidden = false;
  Object.assign(server, { asked: [], says: said() });
});
afterEach(() => {
  model.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("says where to send, and what arrives as soon as the server tells it", async () => {
  await begin();
  expect(view().broadcast).toMatchObject({ watchUrl: "http://server/w/b", whipUrl: "http://server/whip/b", streamKey: null });
  expect([view().push, view().live]).toEqual([null, false]);
  server.says = said({ live: true, viewers: 3, publisher: push({ troubles: [{ code: "no-audio" }] }) });
  await pass(400);
  expect([view().live, view().viewers, view().push?.troubles]).toEqual([true, 3, [{ code: "no-audio" }]]);
});

it("keeps a minute of bitrates, one a second, and forgets them with the push", async () => {
  server.says = said({ live: true, publisher: push() });
  await begin();
  await pass(90_000);
  expect(view().history.length).toBe(60);
  expect(view().history.at(-1)).toBe(2_100_000);
  server.says = said();
  await pass(400);
  expect(view().history).toEqual([]);
});

it("asks with the key that it is given, and keeps it for the tab", async () => {
  await begin();
  expect(server.asked.at(-1)).toBeUndefined();
  model.actions.giveKey("  secret ");
  await pass(400);
  expect([server.asked.at(-1), view().broadcast?.streamKey]).toEqual(["secret", "secret"]);
  model.close();
  await begin();
  expect(server.asked.at(-1)).toBe("secret");
});

it("says that the server is away, and goes on by itself; what is gone is gone", async () => {
  await begin();
  server.says = new RestError("unreachable", 0, null, "");
  await pass(400);
  expect([view().away, view().phase.kind]).toEqual([true, "ready"]);
  server.says = said();
  await pass(3_000);
  expect(view().away).toBe(false);
  server.says = new RestError("not-found", 404, null, "");
  await pass(400);
  expect(view().phase).toEqual({ kind: "failed", refusal: { code: "not-found", retryAfter: null } });
  const { length } = server.asked;
  await pass(60_000);
  expect(server.asked.length).toBe(length);
});

it("asks seldom while nobody looks, and at once when somebody does", async () => {
  page.hidden = true;
  await begin();
  const { length } = server.asked;
  await pass(2_900);
  expect(server.asked.length).toBe(length);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await pass();
  expect(server.asked.length).toBe(length + 1);
  // One after the other, not two beside each other.
  await pass(4_000);
  expect(server.asked.length).toBeLessThanOrEqual(length + 12);
});
