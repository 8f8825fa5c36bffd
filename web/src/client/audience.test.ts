import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { COMMENT_REFUSALS, type FromViewer, joinAudience, type ToViewer } from "./audience";

const lines = (name: string) =>
  readFileSync(join(import.meta.dirname, "../../../tests/fixtures/audience", name), "utf8").trim().split("\n").map((line) => JSON.parse(line) as unknown);

class FakeSocket {
  static made: FakeSocket[] = [];
  readyState: number = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    FakeSocket.made.push(this);
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  ends(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const surroundings = { socket: () => new FakeSocket() as unknown as WebSocket, random: () => 0.5 };

test("the fixtures that the server writes and reads are of our types", () => {
  const from = lines("from-viewer.jsonl") as FromViewer[];
  expect(new Set(from.map(({ type }) => type))).toEqual(new Set(["comment", "like"]));
  const told = lines("to-viewer.jsonl") as ToViewer[];
  expect(new Set(told.map(({ type }) => type))).toEqual(new Set(["welcome", "news", "taken", "refused"]));
  for (const one of told) {
    switch (one.type) {
      case "welcome":
        expect([typeof one.moderator, typeof one.rules.slow, typeof one.likes]).toEqual(["boolean", "number", "number"]);
        for (const { id, at, name, text, guest, host } of one.comments) expect([id, at, name, text, guest, host].every((field) => field !== undefined)).toBe(true);
        break;
      case "refused":
        expect(COMMENT_REFUSALS).toContain(one.code);
        break;
      case "taken":
        expect([typeof one.comment, typeof one.held]).toEqual(["number", "boolean"]);
        break;
      case "news":
        break;
    }
  }
});

test("it comes back more and more slowly, and not after the end", () => {
  const states: string[] = [];
  const socket = joinAudience("b", { message: () => undefined, state: (state) => states.push(state) }, surroundings);
  const last = () => FakeSocket.made.at(-1);
  expect(socket.say({ type: "like", count: 1 })).toBe(false);
  last()?.opens();
  expect(socket.say({ type: "like", count: 1 })).toBe(true);
  last()?.ends(1006);
  vi.advanceTimersByTime(499);
  expect(FakeSocket.made.length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(FakeSocket.made.length).toBe(2);
  last()?.ends(1006);
  vi.advanceTimersByTime(999);
  expect(FakeSocket.made.length).toBe(2);
  vi.advanceTimersByTime(1);
  last()?.opens();
  last()?.ends(4000);
  vi.advanceTimersByTime(60_000);
  expect([FakeSocket.made.length, states.join()]).toEqual([3, "open,away,away,open,over"]);
});

test("closed is closed: no message, no new socket", () => {
  const messages: ToViewer[] = [];
  const socket = joinAudience("b", { message: (message) => messages.push(message), state: () => undefined }, surroundings);
  const first = FakeSocket.made[0];
  first?.opens();
  first?.onmessage?.({ data: '{"type":"news","likes":3}' });
  socket.close();
  first?.onmessage?.({ data: '{"type":"news","likes":4}' });
  first?.ends(1006);
  vi.advanceTimersByTime(60_000);
  expect([messages.length, FakeSocket.made.length]).toEqual([1, 1]);
});
