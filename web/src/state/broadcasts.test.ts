import { expect, test } from "vitest";
import { parseOwn } from "./broadcasts";

test("what is kept in a browser is read with care: it becomes addresses", () => {
  const good = { id: "a1-b_2", title: "Tea", at: 5 };
  expect(parseOwn(JSON.stringify([good, { id: "../x", title: "", at: 1 }, { id: "a" }, null, 3]))).toEqual([good]);
  for (const text of [null, "", "{", "{}", "5"]) expect(parseOwn(text), String(text)).toEqual([]);
});
