import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type CommandError, type ConnectionState } from "./connection";
import { FakeServer, type FakeSocket, person, welcome } from "./fake-socket";
import type { Event } from "./protocol";
import type { Seat } from "./seat";

let server: FakeServer;
let connection: Connection;
let states: ConnectionState[];
let events: Event[];
let seat: Seat | null | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  states = [];
  events = [];
  seat = undefined;
  connection = new Connection(
    {
      state: (state) => states.push(state),
      event: (event) => events.push(event),
      media: () => {},
      seat: (now) => {
        seat = now;
      },
    },
    server,
  );
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

const kind = () => states.at(-1)?.kind;

function joined(): void {
  connection.join({ by: "link", meeting: "m-1", token: "secret" }, "Ana");
  server.last.open();
  server.last.event(1, welcome());
}

/** Loses the socket and opens the next one. */
function returned(): void {
  server.last.drop();
  vi.advanceTimersByTime(300);
  server.last.open();
}

describe("joining", () => {
  it("says hello first, with the secret in the message", () => {
    connection.join({ by: "link", meeting: "m-1", token: "secret" }, "Ana");
    expect(kind()).toBe("joining");
    server.last.open();
    expect(server.last.sent[0]).toEqual({
      type: "hello", version: 1, join: { by: "link", meeting: "m-1", token: "secret" }, name: "Ana",
    });
    server.last.event(1, welcome());
    expect(kind()).toBe("online");
    expect(seat).toEqual({ meeting: "m-1", seat: "seat-1", lastEvent: 1, nextCommand: 1 });
  });

  it("ends with the refusal of a hello", () => {
    connection.join({ by: "number", number: "1" }, "Ana");
    server.last.open();
    server.last.says({ type: "refused", id: 0, code: "wrong-number-or-passcode", message: "", retryAfter: 6 });
    server.last.drop();
    vi.advanceTimersByTime(60_000);
    expect(states.at(-1)).toEqual({
      kind: "closed", why: { kind: "refused", code: "wrong-number-or-passcode", retryAfter: 6 },
    });
    expect(server.sockets).toHaveLength(1);
  });

  it("says that the server cannot be reached after three tries", () => {
    connection.join({ by: "host", meeting: "m-1" }, "Ana");
    for (let attempt = 0; attempt < 3; attempt += 1) {
      server.last.drop();
      vi.advanceTimersByTime(5_000);
    }
    expect(states.at(-1)).toEqual({ kind: "closed", why: { kind: "unreachable" } });
    expect(server.sockets).toHaveLength(3);
  });
});

describe("commands", () => {
  it("travel with the hello, once", () => {
    connection.join({ by: "host", meeting: "m-1" }, "Ana");
    connection.command({ do: "offer", sdp: "v=0", sends: [] }).catch(() => {});
    server.last.open();
    expect(server.last.sent.map(({ type }) => type)).toEqual(["hello", "command", "ping"]);
    server.last.event(1, welcome());
    expect(server.last.commands()).toHaveLength(1);
    expect(kind()).toBe("online");
  });

  it("go on a socket that was opened before", () => {
    const socket = server.socket() as unknown as FakeSocket;
    socket.open();
    server.opened = socket;
    connection.join({ by: "host", meeting: "m-1" }, "Ana");
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello", "ping"]);
    expect(server.sockets).toHaveLength(1);
    // It had died without a word.
    vi.advanceTimersByTime(2_501);
    expect(server.sockets).toHaveLength(2);
    server.last.open();
    expect(server.last.sent[0]?.type).toBe("hello");
  });

  it("have ids that rise from 1 and are answered each by its own reply", async () => {
    joined();
    const hand = connection.command({ do: "set-hand", raised: true });
    const log = connection.command({ do: "read-log" });
    expect(server.last.commands().map(({ id }) => id)).toEqual([1, 2]);
    server.last.says({ type: "reply", id: 2, result: { kind: "log", entries: [] } });
    server.last.says({ type: "reply", id: 1, result: { kind: "done" } });
    expect(await hand).toEqual({ kind: "done" });
    expect(await log).toEqual({ kind: "log", entries: [] });
  });

  it("fail with the code of the refusal", async () => {
    joined();
    const reply = connection.command({ do: "end" });
    server.last.says({ type: "refused", id: 1, code: "not-permitted", message: "No." });
    await expect(reply).rejects.toMatchObject({ code: "not-permitted", retryAfter: null });
    expect(kind()).toBe("online");
  });

  it("that were not answered are sent again under their ids, in order, and the answered ones are not", async () => {
    joined();
    const first = connection.command({ do: "set-hand", raised: true });
    server.last.says({ type: "reply", id: 1, result: { kind: "done" } });
    await first;
    connection.command({ do: "admit-all" }).catch(() => {});
    server.last.drop();
    connection.command({ do: "set-hand", raised: false }).catch(() => {});
    vi.advanceTimersByTime(300);
    server.last.open();
    expect(server.last.sent[0]?.type).toBe("hello");
    // They need not wait for the word that the seat is still there.
    expect(server.last.commands()).toEqual([
      { type: "command", id: 2, command: { do: "admit-all" } },
      { type: "command", id: 3, command: { do: "set-hand", raised: false } },
    ]);
  });

  it("fail when the connection ends, and before there is one", async () => {
    await expect(connection.command({ do: "leave" })).rejects.toMatchObject({ code: "closed" });
    joined();
    const reply = connection.command({ do: "leave" }).catch((error: CommandError) => error.code);
    connection.close();
    expect(await reply).toBe("closed");
  });
});

describe("a lost connection", () => {
  it("returns to its seat with the number of the last event", () => {
    joined();
    server.last.event(2, { kind: "joined", participant: person(2) });
    server.last.drop();
    expect(kind()).toBe("reconnecting");
    vi.advanceTimersByTime(299);
    expect(server.sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    server.last.open();
    expect(server.last.sent[0]).toEqual({
      type: "hello", version: 1, join: { by: "resume", meeting: "m-1", seat: "seat-1", lastEvent: 2 },
    });
    server.last.pong();
    expect(kind()).toBe("online");
    server.last.event(3, { kind: "left", participant: 2 });
    expect(events.map((event) => event.kind)).toEqual(["welcome", "joined", "left"]);
  });

  it("waits longer from try to try, at most 5 s, and gives up after 120 s", () => {
    joined();
    const start = Date.now();
    const tries: number[] = [];
    server.last.drop();
    while (kind() === "reconnecting") {
      const before = server.sockets.length;
      vi.advanceTimersByTime(50);
      if (server.sockets.length > before) {
        tries.push(Date.now() - start);
        server.last.drop();
      }
    }
    const waits = tries.map((at, index) => at - (tries[index - 1] ?? 0));
    expect(waits.slice(0, 7)).toEqual([300, 600, 1200, 2400, 4800, 5000, 5000]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(120_000);
    expect(Date.now() - start).toBeLessThan(126_000);
    expect(states.at(-1)).toEqual({ kind: "closed", why: { kind: "lost" } });
    expect(seat).toBeNull();
  });

  it("starts from the shortest wait again after it was back", () => {
    joined();
    for (let round = 0; round < 3; round += 1) {
      returned();
      server.last.pong();
      expect(kind()).toBe("online");
    }
  });

  it("is noticed by silence", () => {
    joined();
    vi.advanceTimersByTime(5_000);
    expect(server.last.sent.at(-1)?.type).toBe("ping");
    server.last.pong();
    vi.advanceTimersByTime(8_999);
    expect(kind()).toBe("online");
    vi.advanceTimersByTime(1);
    expect(kind()).toBe("reconnecting");
  });

  it("is replaced as soon as another socket opens before it has answered, when somebody doubts it", () => {
    joined();
    connection.probe();
    connection.probe();
    expect(server.sockets).toHaveLength(2);
    expect(kind()).toBe("online");
    vi.advanceTimersByTime(60);
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ type: "hello", join: { by: "resume", seat: "seat-1" } });
    server.last.pong();
    expect(kind()).toBe("online");
    expect(server.sockets).toHaveLength(2);
  });

  it("that answers when somebody doubts it stays, and the other socket goes", () => {
    joined();
    connection.probe();
    server.sockets[0]?.pong();
    expect(server.sockets.map(({ readyState }) => readyState)).toEqual([1, 3]);
    vi.advanceTimersByTime(4_000);
    expect(kind()).toBe("online");
  });

  it("is noticed within 2 s where no other opens either, and then tried again as usual", () => {
    joined();
    connection.probe();
    vi.advanceTimersByTime(2_000);
    expect(kind()).toBe("reconnecting");
    vi.advanceTimersByTime(1);
    // The second one is still under way, and goes on as the first attempt.
    expect(server.sockets).toHaveLength(2);
    server.last.drop();
    vi.advanceTimersByTime(600);
    expect(server.sockets).toHaveLength(3);
  });

  it("is tried at once when the system says that the network is back", () => {
    joined();
    server.last.drop();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      vi.advanceTimersByTime(5_000);
      server.last.drop();
    }
    const before = server.sockets.length;
    server.network.dispatchEvent(new globalThis.Event("online"));
    expect(server.sockets).toHaveLength(before + 1);
  });

  it("gives up a socket that does not open", () => {
    joined();
    server.last.drop();
    vi.advanceTimersByTime(300 + 5_000 + 600);
    expect(server.sockets).toHaveLength(3);
  });

  it("ends when the seat is gone", () => {
    joined();
    returned();
    server.last.says({ type: "refused", id: 0, code: "seat-gone", message: "" });
    expect(states.at(-1)).toEqual({ kind: "closed", why: { kind: "refused", code: "seat-gone", retryAfter: null } });
    expect(seat).toBeNull();
  });

  it("tries again when the server is stopping, also where it says so by an event", () => {
    joined();
    server.last.event(2, { kind: "out", reason: "server-stopping" });
    expect(kind()).toBe("reconnecting");
    vi.advanceTimersByTime(300);
    server.last.open();
    server.last.says({ type: "refused", id: 0, code: "draining", message: "", retryAfter: 1 });
    vi.advanceTimersByTime(1_000);
    server.last.open();
    server.last.event(9, welcome());
    expect(kind()).toBe("online");
    expect(events.map((event) => event.kind)).toEqual(["welcome", "welcome"]);
  });
});

describe("events", () => {
  it("seen already are not told twice", () => {
    joined();
    server.last.event(2, { kind: "left", participant: 7 });
    returned();
    server.last.event(2, { kind: "left", participant: 7 });
    server.last.event(3, { kind: "left", participant: 8 });
    expect(events.slice(1)).toEqual([{ kind: "left", participant: 7 }, { kind: "left", participant: 8 }]);
  });

  it("with a gap before them are asked for, and everything is asked for if they are missing again", () => {
    joined();
    server.last.event(3, { kind: "left", participant: 7 });
    expect(events).toHaveLength(1);
    vi.advanceTimersByTime(300);
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "resume", lastEvent: 1 } });
    server.last.event(3, { kind: "left", participant: 7 });
    vi.advanceTimersByTime(600);
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "resume", lastEvent: 0 } });
    server.last.event(40, welcome());
    server.last.event(41, { kind: "left", participant: 7 });
    expect(events.map((event) => event.kind)).toEqual(["welcome", "welcome", "left"]);
  });

  it("of the end close the connection and forget the seat", () => {
    joined();
    server.last.event(2, { kind: "out", reason: "removed" });
    expect(events.at(-1)).toEqual({ kind: "out", reason: "removed" });
    expect(states.at(-1)).toEqual({ kind: "closed", why: { kind: "done" } });
    expect(seat).toBeNull();
  });
});

describe("a reload", () => {
  it("takes up the seat with ids that go on and all state anew", () => {
    connection.resume({ meeting: "m-1", seat: "seat-1", lastEvent: 17, nextCommand: 9 });
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "resume", seat: "seat-1", lastEvent: 0 } });
    server.last.event(18, welcome());
    connection.command({ do: "set-hand", raised: true }).catch(() => {});
    expect(server.last.commands()[0]?.id).toBe(9);
    expect(seat?.nextCommand).toBe(10);
  });

  it("keeps the seat when the page goes away", () => {
    joined();
    connection.close();
    expect(seat).not.toBeNull();
  });
});
