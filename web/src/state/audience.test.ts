import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AudienceHandlers, Comment, FromViewer } from "../client/audience";
import { RestError } from "../client/rest";
import { type AudienceParts, changed, createAudience } from "./audience";

const one = (id: number, more: Partial<Comment> = {}): Comment => ({ id, at: id, name: "Ana", text: String(id), guest: true, host: false, ...more });
const rules = { open: true, hold: false, slow: 0 };

function stage(more: Partial<AudienceParts> = {}) {
  const said: FromViewer[] = [];
  let handlers: AudienceHandlers | undefined;
  let open = true;
  const unwanted = () => Promise.reject(new Error("not asked for"));
  const model = createAudience("b", {
    join: (_, given) => {
      handlers = given;
      return { say: (message) => (open && said.push(message), open), close: () => undefined };
    },
    judge: unwanted, mute: unwanted, rules: unwanted, setRules: unwanted, mutes: unwanted, unmute: unwanted, ...more,
  });
  const hear: AudienceHandlers["message"] = (message) => handlers?.message(message);
  hear({ type: "welcome", moderator: false, muted: false, rules, likes: 10, comments: [one(1)] });
  return { model, said, hear, setOpen: (now: boolean) => (open = now), view: () => model.view.get() };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("comments stand in the order of their numbers, each once, and deleted ones go", () => {
  const ids = (list: readonly Comment[]) => list.map(({ id }) => id);
  expect(ids(changed([one(1), one(3)], [one(4), one(2), one(3)], [1]))).toEqual([2, 3, 4]);
  expect(changed([one(3, { held: true })], [one(3)], [])).toEqual([one(3)]);
  const many = Array.from({ length: 300 }, (_, at) => one(at));
  expect([changed([], many, []).length, changed([], many, [])[0]?.id]).toEqual([200, 100]);
});

test("likes show at once, leave together, and are neither lost nor counted twice", () => {
  const { model, said, hear, setOpen, view } = stage();
  for (let click = 0; click < 60; click += 1) model.actions.like();
  expect([view().likes, said.length]).toEqual([70, 0]);
  vi.advanceTimersByTime(500);
  expect(said).toEqual([{ type: "like", count: 50 }]);
  expect(view().likes).toBe(70);
  setOpen(false);
  vi.advanceTimersByTime(2_000);
  setOpen(true);
  vi.advanceTimersByTime(500);
  expect(said).toEqual([{ type: "like", count: 50 }, { type: "like", count: 10 }]);
  hear({ type: "news", likes: 75 });
  expect(view().likes).toBe(75);
});

test("a comment is under way until the server took or refused it, and not an older one", async () => {
  const { model, said, hear, setOpen, view } = stage();
  const first = model.actions.write("Ana", "hello");
  expect([said.at(-1), view().sending]).toEqual([{ type: "comment", id: 1, name: "Ana", text: "hello" }, true]);
  hear({ type: "taken", id: 1, comment: 2, held: true });
  expect([view().sending, view().held, await first]).toEqual([false, true, true]);
  const again = model.actions.write("Ana", "again");
  hear({ type: "refused", id: 1, code: "too-many" });
  expect(view().refused).toBeNull();
  hear({ type: "refused", id: 2, code: "too-soon", retryAfter: 12 });
  expect([view().sending, view().refused, await again]).toEqual([false, { code: "too-soon", retryAfter: 12 }, false]);
  setOpen(false);
  expect(await model.actions.write("Ana", "to nobody")).toBe(false);
});

test("who is signed in writes under the account's name", () => {
  const { model, said, hear } = stage();
  hear({ type: "welcome", name: "Hana", moderator: true, muted: false, rules, likes: 0, comments: [] });
  void model.actions.write("", "hello");
  expect(said).toEqual([{ type: "comment", id: 1, text: "hello" }]);
});

test("a moderator's deed that fails is told, and forgotten with the next", async () => {
  let code: RestError["code"] | null = "sign-in-needed";
  const judge = () => (code === null ? Promise.resolve() : Promise.reject(new RestError(code, 401, null, "")));
  const { model, view } = stage({ judge });
  model.actions.remove(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(view().failed?.code).toBe("sign-in-needed");
  code = null;
  model.actions.remove(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(view().failed).toBeNull();
});

test("whoever is muted is kept from writing first, and what he wrote stays where that failed", async () => {
  const did: string[] = [];
  let fails = true;
  const { model, view } = stage({
    mute: (_, id) => (did.push(`mute ${id}`), fails ? Promise.reject(new RestError("internal", 500, null, "")) : Promise.resolve()),
    judge: (_, id, state) => (did.push(`${state} ${id}`), Promise.resolve()),
  });
  model.actions.mute(1);
  await vi.advanceTimersByTimeAsync(0);
  expect([did, view().failed?.code]).toEqual([["mute 1"], "internal"]);
  fails = false;
  model.actions.mute(1);
  await vi.advanceTimersByTimeAsync(0);
  expect([did.slice(1), view().failed]).toEqual([["mute 1", "deleted 1"], null]);
});

test("who may write again is told no more that he may not", () => {
  const { model, hear, view } = stage();
  void model.actions.write("Ana", "hello");
  hear({ type: "refused", id: 1, code: "muted" });
  expect([view().muted, view().refused?.code]).toEqual([true, "muted"]);
  hear({ type: "welcome", moderator: false, muted: false, rules, likes: 0, comments: [] });
  expect([view().muted, view().refused]).toEqual([false, null]);
});
