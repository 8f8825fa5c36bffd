import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RecordingChange, RecordingPage, RecordingSummary } from "../client/recordings";
import { RestError } from "../client/rest";
import { createRecordings, type RecordingsModel, type RecordingsParts } from "./recordings";

const one = (id: string, change: Partial<RecordingSummary> = {}): RecordingSummary => ({
  id, meeting_id: "m", title: id, state: "finished", started_at: 0, duration_ms: 1, written_ms: 1, bytes: 1, participants: [], visibility: "host", link_expires_at: null,
  replay_url: "", upload: null, ...change,
});

let pages: Record<string, RecordingPage>;
let asked: [query: string, before: string | null][];
let changed: RecordingChange[];
let refuse: RestError | null;
let model: RecordingsModel;

const answer = <T>(value: T): Promise<T> => (refuse ? Promise.reject(refuse) : Promise.resolve(value));
const parts: RecordingsParts = {
  list: (query, before = null) => {
    asked.push([query, before]);
    return answer(pages[`${query}/${before ?? ""}`] ?? { recordings: [], next: null });
  },
  change: (id, change) => {
    changed.push(change);
    return answer(one(id, change as Partial<RecordingSummary>));
  },
  link: () => answer({ url: "https://x/recordings/a#secret", expires_at: 5 }),
  remove: () => answer(undefined),
  now: () => 1_000,
};
const view = () => model.view.get();
const ids = () => view().list.map(({ id }) => id);
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(async () => {
  vi.useFakeTimers();
  [asked, changed, refuse] = [[], [], null];
  pages = { "/": { recordings: [one("a"), one("b")], next: "b" }, "/b": { recordings: [one("b"), one("c")], next: null }, "ana/": { recordings: [one("c")], next: null } };
  model = createRecordings(parts);
  model.start();
  await pass();
});
afterEach(() => {
  model.stop();
  vi.useRealTimers();
});

describe("the recordings", () => {
  it("are shown by pages, each once", async () => {
    expect([ids(), view().more, view().loading]).toEqual([["a", "b"], true, false]);
    model.actions.more();
    await pass();
    expect([ids(), view().more]).toEqual([["a", "b", "c"], false]);
  });
  it("are searched when typing has settled, and an older answer does not win", async () => {
    model.actions.search("an");
    model.actions.search("ana");
    await pass(100);
    expect(asked).toHaveLength(1);
    await pass(200);
    expect([ids(), asked.at(-1)]).toEqual([["c"], ["ana", null]]);
  });
  it("that run are looked at again, and new ones come on top", async () => {
    pages["/"] = { recordings: [one("a", { state: "recording" })], next: null };
    model.actions.search("");
    await pass(300);
    pages["/"] = { recordings: [one("n"), one("a", { duration_ms: 9 })], next: null };
    await pass(5_000);
    expect(ids()).toEqual(["n", "a"]);
    expect(view().list[1]?.duration_ms).toBe(9);
    const before = asked.length;
    await pass(60_000);
    expect(asked.length).toBe(before);
  });
  it("are renamed, shared until a day, and deleted", async () => {
    model.actions.change("a", { title: "Autumn" });
    model.actions.setExpiry("a", "week");
    model.actions.makeLink("b");
    await pass();
    expect(view().list.map(({ id, title }) => [id, title])[0]).toEqual(["a", "a"]);
    expect(changed).toEqual([{ title: "Autumn" }, { link_expires_at: 1_000 + 7 * 86_400_000 }]);
    expect(view().link).toEqual({ id: "b", url: "https://x/recordings/a#secret" });
    expect(view().list[1]?.link_expires_at).toBe(5);
    model.actions.remove("a");
    await pass();
    expect([ids(), view().deleted]).toEqual([["b"], true]);
  });
  it("that are known already are shown at once, and shared from there", async () => {
    const known = createRecordings(parts, [one("x")]);
    expect(known.view.get()).toMatchObject({ list: [{ id: "x" }], loading: false });
    known.actions.makeLink("x");
    await pass();
    expect(known.view.get()).toMatchObject({ list: [{ visibility: "link" }], link: { id: "x" } });
  });
  it("say what was refused, and stay", async () => {
    refuse = new RestError("sign-in-needed", 401, null, "");
    model.actions.remove("a");
    await pass();
    expect([ids(), view().refused?.code]).toEqual([["a", "b"], "sign-in-needed"]);
  });
});
