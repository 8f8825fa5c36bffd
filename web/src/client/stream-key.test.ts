import { expect, test } from "vitest";
import { forgetStreamKey, keepStreamKey, keptStreamKey } from "./stream-key";

function storage(): Storage {
  const held = new Map<string, string>();
  return {
    get length() {
      return held.size;
    },
    clear: () => held.clear(),
    key: (index) => [...held.keys()][index] ?? null,
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, value) => void held.set(name, value),
    removeItem: (name) => void held.delete(name),
  };
}

test("a key is kept for its broadcast alone, and forgotten", () => {
  const tab = storage();
  keepStreamKey("b", { key: "k", rtmpUrl: "rtmp://host/live/k" }, tab);
  expect(keptStreamKey("b", tab)).toEqual({ key: "k", rtmpUrl: "rtmp://host/live/k" });
  expect(keptStreamKey("other", tab)).toBeNull();
  forgetStreamKey("b", tab);
  expect(keptStreamKey("b", tab)).toBeNull();
});

test("what is no key is none, and a tab without storage breaks nothing", () => {
  const tab = storage();
  for (const text of ["{", "[]", "null", '{"key":""}', '{"key":5}']) {
    tab.setItem("symposia.stream-key.b", text);
    expect(keptStreamKey("b", tab), text).toBeNull();
  }
  const forbidden = new Proxy(tab, { get: () => { throw new Error("forbidden"); } });
  keepStreamKey("b", { key: "k" }, forbidden);
  expect(keptStreamKey("b", forbidden)).toBeNull();
  forgetStreamKey("b", forbidden);
});
