import { describe, expect, test } from "vitest";
import { readTyped } from "./entry";

const origin = "https://meet.example.org";

// acceptance: M2
describe("what somebody typed to join", () => {
  test("is a number, however it is grouped", () => {
    for (const typed of ["123456789", " 123 456 789 ", "123-456-789"]) {
      expect(readTyped(typed, origin)).toEqual({ kind: "go", address: "/number/123456789" });
    }
  });
  test("is a link of this server, with its secret, also without the scheme", () => {
    const go = { kind: "go", address: "/m/abc#t=secret" };
    expect(readTyped("https://meet.example.org/m/abc#t=secret", origin)).toEqual(go);
    expect(readTyped("meet.example.org/m/abc#t=secret", origin)).toEqual(go);
  });
  test("is a link of another server: said, not followed", () => {
    expect(readTyped("https://evil.example/m/abc", origin)).toEqual({ kind: "foreign" });
  });
  test("is neither", () => {
    for (const typed of ["", "12345678", "1234567890", "hello", "javascript:alert(1)", "https://meet.example.org/setup", "//evil.example/m/x"]) {
      expect(readTyped(typed, origin).kind, typed).not.toBe("go");
    }
  });
});
