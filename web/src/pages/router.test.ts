import { expect, test } from "vitest";
import { routeOf } from "./router";

test("every address of the app has its page, and no other has one", () => {
  expect(routeOf("/")).toEqual({ page: "home" });
  expect(routeOf("/m/abc")).toEqual({ page: "meeting" });
  expect(routeOf("/number/123456789/")).toEqual({ page: "meeting" });
  expect(routeOf("/w/abc")).toEqual({ page: "watch", id: "abc" });
  expect(routeOf("/studio/abc")).toEqual({ page: "studio", id: "abc" });
  expect(routeOf("/broadcasts")).toEqual({ page: "broadcasts" });
  expect(routeOf("/broadcasts/abc")).toEqual({ page: "encoder", id: "abc" });
  expect(routeOf("/recordings")).toEqual({ page: "recordings" });
  expect(routeOf("/recordings/abc")).toEqual({ page: "recording", id: "abc" });
  expect(routeOf("/setup")).toEqual({ page: "setup" });
  expect(routeOf("/sign-in")).toEqual({ page: "sign-in" });
  for (const other of ["/m", "/w", "/studio", "/m/a/b", "/nothing", "/setup/x"]) expect(routeOf(other)).toEqual({ page: "not-found" });
});
