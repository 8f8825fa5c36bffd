import { describe, expect, it } from "vitest";
import { entryOf, meetingNumber, pasted } from "./route";

const entry = (path: string) => entryOf(new URL(path, "http://server"));

describe("an address", () => {
  it("leads into a meeting by link, by number or as its host", () => {
    expect(entry("/m/abc#t=secret")).toEqual({ kind: "link", meeting: "abc", token: "secret" });
    expect(entry("/m/abc#h=secret")).toEqual({ kind: "host", meeting: "abc", secret: "secret" });
    expect(entry("/m/abc")).toEqual({ kind: "host", meeting: "abc" });
    expect(entry("/number/482-915-073")).toEqual({ kind: "number", number: "482915073" });
  });
  it("of something else leads nowhere", () => {
    for (const path of ["/", "/m", "/m/a/b", "/number/12", "/w/abc", "/m/%"]) expect(entry(path)?.kind ?? null).toBe(path === "/m/%" ? "host" : null);
  });
});

describe("what somebody pastes", () => {
  it("is a number with blanks and dashes, or a link of this server's", () => {
    expect(meetingNumber(" 482 915 073")).toBe("482915073");
    expect(meetingNumber("4829")).toBeNull();
    expect(pasted("482-915-073", "http://server")).toBe("/number/482915073");
    expect(pasted("http://server/m/abc#t=secret", "http://server")).toBe("/m/abc#t=secret");
    expect(pasted("http://elsewhere/m/abc#t=secret", "http://server")).toBeNull();
    expect(pasted("hello", "http://server")).toBeNull();
  });
});
