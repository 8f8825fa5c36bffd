import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ListedBroadcast, RestError } from "../client/rest";
import { type BroadcastsParts, createBroadcasts } from "./broadcasts";

const one = (id: string, created_at: number): ListedBroadcast => ({ id, title: id, created_at, owner: null, live: false, viewers: 0, watch_url: `https://x/w/${id}` });
const unwanted = () => Promise.reject(new Error("not asked for"));

function parts(list: BroadcastsParts["list"], more: Partial<BroadcastsParts> = {}): BroadcastsParts {
  const me = () => Promise.resolve({ may_create: true, may_administrate: true, host: false, dev: false, needs_setup: false, version: "0" });
  return { me, list, make: unwanted, renewKey: unwanted, end: unwanted, hidden: () => false, ...more };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("sessionStorage", { setItem: () => undefined, getItem: () => null, removeItem: () => undefined });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the list is the server's: looked at again, older ones kept, ended ones gone", async () => {
  let newest = [one("d", 4), one("c", 3)];
  const model = createBroadcasts(parts((before) => Promise.resolve(before === null ? { broadcasts: newest, next: "3.c" } : { broadcasts: [one("b", 2), one("a", 1)], next: null })));
  const ids = () => model.view.get().list.map(({ id }) => id).join("");
  model.start();
  await vi.advanceTimersByTimeAsync(0);
  expect([ids(), model.view.get().more, model.view.get().mayAdministrate]).toEqual(["dc", true, true]);
  model.actions.more();
  await vi.advanceTimersByTimeAsync(0);
  expect([ids(), model.view.get().more]).toEqual(["dcba", false]);
  newest = [one("e", 5), one("c", 3)];
  await vi.advanceTimersByTimeAsync(5_000);
  expect([ids(), model.view.get().more]).toEqual(["ecba", false]);
  model.stop();
});

test("what is ended is gone at once, also where an older answer comes later", async () => {
  let answer: (() => void) | undefined;
  let slow = false;
  const list: BroadcastsParts["list"] = () => {
    const page = { broadcasts: [one("a", 1)], next: null };
    if (!slow) return Promise.resolve(page);
    return new Promise((done) => {
      answer = () => done(page);
    });
  };
  const model = createBroadcasts(parts(list, { end: () => Promise.resolve() }));
  model.start();
  await vi.advanceTimersByTimeAsync(0);
  slow = true;
  await vi.advanceTimersByTimeAsync(5_000);
  model.actions.end("a");
  await vi.advanceTimersByTimeAsync(0);
  answer?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(model.view.get().list).toEqual([]);
  model.stop();
});

test("who may not is told, and a network that is away takes no list away", async () => {
  let code: RestError["code"] | null = null;
  const list: BroadcastsParts["list"] = () => (code === null ? Promise.resolve({ broadcasts: [one("a", 1)], next: null }) : Promise.reject(new RestError(code, 0, null, "")));
  const model = createBroadcasts(parts(list));
  model.start();
  await vi.advanceTimersByTimeAsync(0);
  code = "unreachable";
  await vi.advanceTimersByTimeAsync(5_000);
  expect([model.view.get().list.length, model.view.get().refused]).toEqual([1, null]);
  code = "sign-in-needed";
  await vi.advanceTimersByTimeAsync(5_000);
  expect(model.view.get().refused?.code).toBe("sign-in-needed");
  model.stop();
});

test("one answer that failed is forgotten with the next that did not, and a deed's is not", async () => {
  let fails = true;
  const broken = () => Promise.reject(new RestError("internal", 502, null, ""));
  const good = parts(() => Promise.resolve({ broadcasts: [one("a", 1)], next: null }));
  const model = createBroadcasts({ ...good, me: () => (fails ? broken() : good.me()), list: (before) => (fails ? broken() : good.list(before)), end: broken });
  const view = () => model.view.get();
  model.start();
  await vi.advanceTimersByTimeAsync(0);
  expect([view().refused?.code, view().mayCreate]).toEqual(["internal", null]);
  fails = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect([view().refused, view().mayCreate, view().list.length]).toEqual([null, true, 1]);
  model.actions.end("a");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(view().refused?.code).toBe("internal");
  model.stop();
});
