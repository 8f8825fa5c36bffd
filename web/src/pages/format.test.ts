import { expect, test } from "vitest";
import { duration, meetingNumber } from "./format";

test("a meeting number is written in groups of three, however it came", () => {
  expect(meetingNumber("123456789")).toBe("123 456 789");
  expect(meetingNumber("123-456 789")).toBe("123 456 789");
});

test("a duration has hours only where there are some", () => {
  expect(duration(7_400)).toBe("0:07");
  expect(duration(725_000)).toBe("12:05");
  expect(duration(3_725_000)).toBe("1:02:05");
  expect(duration(-5)).toBe("0:00");
});
