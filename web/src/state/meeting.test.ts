// The whole of a meeting on a page, with a server played by hand and devices that obey.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../client/connection";
import { DeviceError } from "../client/devices";
import { FakeServer, person, welcome } from "../client/fake-socket";
import type { CaptureHandlers } from "../client/media/capture";
import type { Command, Event, Recording, RefusalCode, Source } from "../client/protocol";
import { type DoorSign, RestError } from "../client/rest";
import { createMeeting } from "./meeting";
import type { Parts } from "./parts";
import type { Entry, MeetingModel } from "./types";

class FakeCapture {
  options = { microphone: [], camera: [], speaker: [] };
  speakingWhileMuted = false;
  shareMode: "text" | "motion" = "text";
  on: Record<"microphone" | "camera", boolean> = { microphone: false, camera: false };
  screenSound = false;
  released = false;
  fails: "in-use" | null = null;
  constructor(readonly handlers: CaptureHandlers) {}
  chosen = () => null;
  error = () => this.fails;
  isOn = (kind: "microphone" | "camera") => this.on[kind];
  preview = () => null;
  level = () => 0;
  tracks = (): [Source, MediaStreamTrack][] => [];
  choose = () => Promise.resolve();
  setMicrophone = (on: boolean) => this.set("microphone", on);
  setCamera = (on: boolean) => this.set("camera", on);
  setScreen = () => Promise.resolve({ audio: this.screenSound });
  setShareMode = (mode: "text" | "motion") => void (this.shareMode = mode);
  release = () => {
    this.on = { microphone: false, camera: false };
    this.released = true;
  };
  close = () => {};
  private set(kind: "microphone" | "camera", on: boolean): Promise<void> {
    if (on && this.fails) return Promise.reject(new DeviceError(this.fails));
    this.on[kind] = on;
    return Promise.resolve();
  }
}

let server: FakeServer;
let capture: FakeCapture;
let sessions: { closed: boolean; renewed: number; watched: unknown[]; modes: string[] }[];
let model: MeetingModel;
let exchanged: string[];
let number: number;
let begun: number;
let ready: boolean;
/** What stands at the door, and how often it was looked at. */
let sign: DoorSign | null;
let looks: number;
const store = () => {
  const data = new Map<string, string>();
  return {
    getItem: (key: string) => data.get(key) ?? null,
    setItem: (key: string, value: string) => void data.set(key, value),
    removeItem: (key: string) => void data.delete(key),
  };
};

const parts: Parts = {
  connection: (handlers) => new Connection(handlers, server),
  standby: () => ({ begin: () => {}, take: () => null, end: () => {} }),
  preparation: () => ({ get ready() {
    return ready;
  }, begin: () => (begun += 1), take: () => null, end: () => {}, close: () => {} }),
  session: (_slots, _send, handlers) => {
    const session = { closed: false, renewed: 0, watched: [] as unknown[], modes: [] as string[] };
    sessions.push(session);
    return {
      start: () => handlers.state("connected"), setTrack: () => Promise.resolve(), handle: () => {}, remote: () => null, setOnline: () => {},
      statistics: () => null,
      numbers: () => null,
      setShareMode: (mode) => session.modes.push(mode),
      watch: (videos) => session.watched.push(videos),
      renew: () => (session.renewed += 1),
      close: () => (session.closed = true),
    };
  },
  capture: (handlers) => (capture = new FakeCapture(handlers)),
  playout: () => ({ blocked: false, play: () => {}, unblock: () => {}, setSpeaker: () => Promise.resolve(), close: () => {} }),
  greet: () => Promise.resolve(),
  door: () => {
    looks += 1;
    return sign ? Promise.resolve(sign) : Promise.reject(new RestError("unreachable", 0, null, ""));
  },
  exchangeHostSecret: (_meeting, secret) => {
    exchanged.push(secret);
    return Promise.resolve();
  },
};

const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const view = () => model.view.get();
const commands = () => server.last.commands().map(({ command }) => command);
const event = (one: Event) => server.last.event((number += 1), one);
const others = [person(2, { name: "Bo" }), person(3, { name: "Cai", role: "host" })];
/** Answers the newest command. */
async function reply(code?: RefusalCode): Promise<void> {
  const id = server.last.commands().at(-1)?.id ?? 0;
  server.last.says(code ? { type: "refused", id, code, message: "" } : { type: "reply", id, result: { kind: "done" } });
  await pass();
}

async function open(entry: Entry = { kind: "link", meeting: "m-1", token: "t" }): Promise<void> {
  model = createMeeting(entry, parts);
  await pass();
}
async function joined(change: Parameters<typeof welcome>[0] = {}): Promise<void> {
  model.actions.setName("Ana");
  model.actions.join();
  server.last.open();
  event(welcome({ participants: [person(1, { name: "Ana" }), ...others], ...change }));
  await pass();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("localStorage", store());
  vi.stubGlobal("sessionStorage", store());
  vi.stubGlobal("navigator", { userAgent: "Firefox/150", maxTouchPoints: 0, mediaDevices: { getDisplayMedia: () => {} } });
  server = new FakeServer();
  sessions = [];
  exchanged = [];
  number = 0;
  begun = 0;
  ready = false;
  [sign, looks] = [null, 0];
});
afterEach(() => {
  model.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the door", () => {
  it("says before one joins that one will be recorded, also where that begins while one stands there", async () => {
    sign = { title: "Choir", recording: null };
    await open();
    await pass();
    expect(view().door).toEqual({ title: "Choir", recording: null });
    sign = { title: "Choir", recording: "running" };
    await pass(20_000);
    expect(view().door?.recording).toBe("running");
    // A server that is away for a moment takes nothing back.
    sign = null;
    await pass(20_000);
    expect([view().door?.recording, looks]).toEqual(["running", 3]);
    model.close();
    await pass(100_000);
    expect(looks).toBe(3);
  });
  it("prepares the connection once the devices are open, and asks for small pictures before the page is drawn", async () => {
    await open();
    await pass();
    expect(begun).toBe(1);
    await joined({ participants: [person(1, { name: "Ana" }), person(2, { name: "Bo", camera: true }), person(3)] });
    expect(sessions[0]?.watched[0]).toEqual([{ participant: 2, source: "camera", height: 180 }]);
    model.actions.tileSeen("2:camera", 720);
    expect(sessions[0]?.watched.at(-1)).toEqual([{ participant: 2, source: "camera", height: 720 }]);
  });

  it("sends a prepared offer with the hello, and keeps its session when it is let in", async () => {
    ready = true;
    await open();
    model.actions.setName("Ana");
    model.actions.join();
    expect(sessions).toHaveLength(1);
    server.last.open();
    event(welcome({ participants: [person(1, { name: "Ana" }), ...others] }));
    await pass();
    expect(sessions).toHaveLength(1);
    expect(sessions[0]).toMatchObject({ closed: false, renewed: 0 });
    expect(view().phase.kind).toBe("in");
  });

  it("makes another session where the meeting has other slots", async () => {
    ready = true;
    await open();
    await joined({ slots: { video: 25, audio: 5 } });
    expect(sessions.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("prepares anew what was sent in vain: to a waiting room, or with a wrong passcode", async () => {
    ready = true;
    await open({ kind: "number", number: "1" });
    await pass();
    expect(begun).toBe(1);
    model.actions.setName("Ana");
    model.actions.join();
    server.last.open();
    server.last.says({ type: "refused", id: 0, code: "wrong-number-or-passcode", message: "" });
    await pass();
    expect([sessions.length, sessions[0]?.closed, begun]).toEqual([1, true, 2]);
    model.actions.join("1234");
    server.last.open();
    event({ kind: "waiting", you: 1, seat: "s", meeting: { id: "m-1", title: "W", number: "1", startedAt: 0, capacity: 9 }, hostPresent: true, recorded: false });
    await pass();
    expect([sessions.length, sessions[1]?.closed, begun]).toEqual([2, true, 3]);
    event(welcome({ participants: [person(1, { name: "Ana" }), ...others] }));
    await pass();
    expect(sessions.map(({ closed }) => closed)).toEqual([true, true, false]);
  });

  it("opens the devices as last time and remembers the name", async () => {
    localStorage.setItem("symposia.camera.on", "false");
    await open();
    expect(view().phase).toEqual({ kind: "prejoin", joining: false, refused: null, askPasscode: false });
    expect(view().prejoin.microphone.on).toBe(true);
    expect(view().prejoin.camera.on).toBe(false);
    model.actions.setName("Ana");
    expect(view().name).toBe("Ana");
    expect(localStorage.getItem("symposia.name")).toBe("Ana");
  });

  it("exchanges the secret of a host link once", async () => {
    await open({ kind: "host", meeting: "m-1", secret: "s" });
    expect(exchanged).toEqual(["s"]);
    await joined();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "host", meeting: "m-1" }, name: "Ana" });
  });

  it("says why it stays shut and lets try again, with a passcode where one may be missing", async () => {
    await open({ kind: "number", number: "482915073" });
    model.actions.join();
    server.last.open();
    server.last.says({ type: "refused", id: 0, code: "wrong-number-or-passcode", message: "" });
    await pass();
    expect(view().phase).toEqual({
      kind: "prejoin", joining: false, askPasscode: true,
      refused: { code: "wrong-number-or-passcode", retryAfter: null },
    });
    model.actions.join("1234");
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "number", number: "482915073", passcode: "1234" } });
  });

  it("says that the server cannot be reached", async () => {
    await open();
    model.actions.join();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      server.last.drop();
      await pass(1_000);
    }
    expect(view().phase).toMatchObject({ kind: "prejoin", refused: { code: "unreachable" } });
  });

  it("leads through the waiting room", async () => {
    await open();
    model.actions.join();
    server.last.open();
    const waiting = { kind: "waiting" as const, you: 5, seat: "s", recorded: false, meeting: { id: "m-1", title: "W", number: "1", startedAt: 0, capacity: 9 } };
    event({ ...waiting, hostPresent: false });
    await pass();
    expect(view().phase).toMatchObject({ kind: "knocking", hostPresent: false });
    event({ ...waiting, hostPresent: true });
    await pass();
    expect(view().phase).toMatchObject({ kind: "knocking", hostPresent: true });
    expect(sessions).toHaveLength(0);
    event(welcome());
    await pass();
    expect(view().phase).toEqual({ kind: "in" });
    expect(sessions).toHaveLength(1);
  });

  it("lets go away again", async () => {
    await open();
    model.actions.join();
    server.last.open();
    event({ kind: "waiting", you: 5, seat: "s", meeting: { id: "m-1", title: "", number: "1", startedAt: 0, capacity: 9 }, hostPresent: true, recorded: false });
    model.actions.cancel();
    expect(commands()).toEqual([{ do: "leave" }]);
    event({ kind: "out", reason: "left" });
    await pass();
    expect(view().phase).toEqual({ kind: "out", why: "cancelled", mayRejoin: true, replay: null });
    model.actions.rejoin();
    await pass();
    expect(view().phase.kind).toBe("prejoin");
  });
});

describe("one's own sources", () => {
  it("that were on at the door are turned on inside, and stay off where people come muted", async () => {
    await open();
    await joined();
    expect(commands()).toEqual([
      { do: "set-source", source: "microphone", on: true },
      { do: "set-source", source: "camera", on: true },
    ]);
    model.close();
    server = new FakeServer();
    sessionStorage.removeItem("symposia.seat.m-1");
    number = 0;
    await open();
    const silent = welcome();
    await joined(silent.kind === "welcome" ? { policy: { ...silent.policy, muteOnEntry: true } } : {});
    expect(commands()).toEqual([{ do: "set-source", source: "camera", on: true }]);
    expect(view().own?.microphone.on).toBe(false);
  });

  it("go off when a host mutes, and the person is told", async () => {
    await open();
    await joined();
    for (const id of [1, 2]) server.last.says({ type: "reply", id, result: { kind: "done" } });
    await pass();
    event({ kind: "updated", participant: person(1, { microphone: true, camera: true }) });
    await pass();
    expect(view().own?.microphone).toMatchObject({ on: true, busy: false });
    event({ kind: "muted", source: "microphone", by: 3 });
    event({ kind: "updated", participant: person(1, { camera: true }) });
    await pass();
    expect(view().own?.microphone.on).toBe(false);
    expect(view().own?.camera.on).toBe(true);
    expect(view().notices.map(({ what }) => what)).toContainEqual({ kind: "muted", source: "microphone", by: "Cai" });
  });

  it("go off when a host turns off many at once", async () => {
    await open();
    await joined();
    for (const id of [1, 2]) server.last.says({ type: "reply", id, result: { kind: "done" } });
    await pass();
    event({ kind: "updated", participant: person(1, { microphone: true, camera: true }) });
    event({ kind: "updated", participant: person(3, { name: "Cai", microphone: true, camera: true }) });
    await pass();
    event({ kind: "turned-off", participants: [1, 3, 99], sources: ["microphone", "screen"] });
    await pass();
    expect(view().own?.microphone.on).toBe(false);
    expect(view().own?.camera.on).toBe(true);
    expect(view().people.find(({ id }) => id === 3)).toMatchObject({ microphone: false, camera: true });
  });

  it("go off again when the meeting refuses them", async () => {
    await open();
    capture.on = { microphone: false, camera: false };
    await joined();
    model.actions.setMicrophone(true);
    await pass();
    expect(view().own?.microphone).toMatchObject({ on: true, busy: true });
    await reply("forbidden-by-policy");
    expect(view().own?.microphone).toMatchObject({ on: false, busy: false });
    expect(view().notices.at(-1)?.what).toEqual({ kind: "refused", refusal: { code: "forbidden-by-policy", retryAfter: null } });
  });

  it("are not asked for against a rule, unless a host asked", async () => {
    await open();
    capture.on = { microphone: false, camera: false };
    const rules = welcome();
    await joined(rules.kind === "welcome" ? { policy: { ...rules.policy, mayUnmute: false } } : {});
    model.actions.setMicrophone(true);
    await pass();
    expect(commands()).toEqual([]);
    expect(view().own?.microphone.hindrance).toBe("forbidden-by-policy");
    event({ kind: "asked-to-unmute", source: "microphone", by: 3 });
    await pass();
    const notice = view().notices.find(({ what }) => what.kind === "asked-to-unmute");
    expect(notice?.what).toEqual({ kind: "asked-to-unmute", source: "microphone", by: "Cai" });
    expect(view().own?.microphone.hindrance).toBeNull();
    model.actions.answerAsk(notice?.id ?? 0, true);
    await pass();
    expect(commands()).toEqual([{ do: "set-source", source: "microphone", on: true }]);
    expect(view().notices).toEqual([]);
  });

  it("share the sound of a screen with its picture", async () => {
    await open();
    capture.on = { microphone: false, camera: false };
    await joined();
    capture.screenSound = true;
    model.actions.setScreen(true);
    await pass();
    expect(commands()).toEqual([
      { do: "set-source", source: "screen", on: true },
      { do: "set-source", source: "screen-audio", on: true },
    ]);
    capture.handlers.screenEnded();
    await pass();
    expect(commands().slice(2)).toEqual([
      { do: "set-source", source: "screen", on: false },
      { do: "set-source", source: "screen-audio", on: false },
    ]);
    expect(view().own?.screen.on).toBe(false);
  });

  it("that are pulled out are reported to the meeting and to the person", async () => {
    await open();
    await joined();
    capture.handlers.lost("camera", null);
    await pass();
    expect(commands().at(-1)).toEqual({ do: "set-source", source: "camera", on: false });
    expect(view().notices.map(({ what }) => what)).toContainEqual({ kind: "device-lost", device: "camera", fallback: null });
  });
});

describe("hosts", () => {
  const hosting = () => joined({ participants: [person(1, { role: "host" }), others[0] ?? person(2)], waiting: [] });

  it("hear a knock and let in", async () => {
    await open();
    await hosting();
    event({ kind: "knocked", person: { id: 9, name: "Dora", guest: true, since: 0, sentBack: false } });
    await pass();
    expect(view().knock).toBe(1);
    expect(view().waiting.map(({ name }) => name)).toEqual(["Dora"]);
    expect(view().notices.at(-1)?.what).toEqual({ kind: "knock", person: 9, name: "Dora" });
    model.actions.admit(9);
    expect(commands().at(-1)).toEqual({ do: "admit", participant: 9 });
    event({ kind: "knock-ended", participant: 9 });
    await pass();
    expect(view().waiting).toEqual([]);
    expect(view().notices.filter(({ what }) => what.kind === "knock")).toEqual([]);
  });

  it("change one rule and keep the others", async () => {
    await open();
    await hosting();
    model.actions.setPolicy({ locked: true });
    expect(commands().at(-1)).toMatchObject({ do: "set-policy", policy: { locked: true, waitingRoom: true, mayChat: true } });
  });

  it("are offered every control by one name", async () => {
    await open();
    await hosting();
    const sent: [Parameters<typeof model.actions.act>[1], Command][] = [
      ["mute", { do: "mute", participant: 2, source: "microphone" }],
      ["stop-screen", { do: "mute", participant: 2, source: "screen" }],
      ["make-co-host", { do: "set-role", participant: 2, role: "co-host" }],
      ["ban", { do: "remove", participant: 2, ban: true }],
    ];
    for (const [action, command] of sent) {
      model.actions.act(2, action);
      expect(commands().at(-1)).toEqual(command);
    }
  });

  it("see that not all came in", async () => {
    await open();
    await hosting();
    model.actions.admitAll();
    const id = server.last.commands().at(-1)?.id ?? 0;
    server.last.says({ type: "reply", id, result: { kind: "admitted", admitted: 1, waiting: 2 } });
    await pass();
    expect(view().notices.at(-1)?.what).toEqual({ kind: "refused", refusal: { code: "meeting-full", retryAfter: null } });
  });
});

describe("the chat", () => {
  const message = (id: number, from: number, text: string): Event => ({
    kind: "chat", message: { id, from, name: `P${from}`, to: { kind: "everyone" }, at: 0, text },
  });

  it("counts what was not read, but not one's own", async () => {
    await open();
    await joined();
    event(message(1, 2, "hello"));
    event(message(2, 1, "hi"));
    await pass();
    expect(view().chat.unread).toBe(1);
    model.actions.openPanel("chat");
    await pass();
    expect(view().chat.unread).toBe(0);
    event(message(3, 2, "more"));
    model.actions.openPanel(null);
    await pass();
    event(message(4, 2, "and more"));
    await pass();
    expect(view().chat.unread).toBeGreaterThan(0);
  });

  it("keeps what was not sent, to be sent again", async () => {
    await open();
    await joined();
    model.actions.sendChat({ kind: "everyone" }, "hello");
    await pass();
    expect(view().chat.lines.map(({ state }) => state)).toEqual(["sending"]);
    await reply("too-many");
    expect(view().chat.lines.map(({ state }) => state)).toEqual(["failed"]);
    model.actions.resendChat(view().chat.lines[0]?.id ?? "");
    await reply();
    expect(view().chat.lines).toEqual([]);
  });

  it("is open to hosts where it is closed to all", async () => {
    await open();
    const rules = welcome();
    await joined(rules.kind === "welcome" ? { policy: { ...rules.policy, mayChat: false } } : {});
    expect(view().chat.targets).toEqual([
      { to: { kind: "hosts" } },
      { to: { kind: "one", participant: 3 }, name: "Cai" },
    ]);
    expect(view().chat.hindrance).toBe("forbidden-by-policy");
  });
});

describe("hands", () => {
  it("are a queue", async () => {
    await open();
    await joined();
    event({ kind: "updated", participant: person(3, { name: "Cai", role: "host", handRaisedAt: 20 }) });
    event({ kind: "updated", participant: person(1, { handRaisedAt: 30 }) });
    event({ kind: "updated", participant: person(2, { name: "Bo", handRaisedAt: 10 }) });
    await pass();
    expect(view().hands.map(({ id, handPosition }) => [id, handPosition])).toEqual([[2, 1], [3, 2], [1, 3]]);
    expect(view().own).toMatchObject({ handRaised: true, handPosition: 3 });
    expect(view().notices.map(({ what }) => what)).toContainEqual({ kind: "hand", name: "Bo" });
  });
});

describe("a lost connection", () => {
  it("keeps the page as it is and says when it is back", async () => {
    await open();
    await joined();
    server.last.drop();
    await pass();
    expect(view().phase).toMatchObject({ kind: "reconnecting", from: "in" });
    expect(view().people).toHaveLength(3);
    await pass(300);
    server.last.open();
    server.last.pong();
    await pass();
    expect(view().phase).toEqual({ kind: "in" });
    expect(sessions).toHaveLength(1);
  });

  it("whose events are gone starts the media anew and trusts the server about mutes", async () => {
    await open();
    await joined();
    server.last.drop();
    await pass(300);
    server.last.open();
    server.last.event(50, welcome({ participants: [person(1, { name: "Ana" })] }));
    await pass();
    expect(sessions[0]?.renewed).toBe(1);
    expect(view().own?.microphone.on).toBe(false);
  });

  it("ends on the rejoin page", async () => {
    await open();
    await joined();
    while (view().phase.kind !== "out") {
      server.last.drop();
      await pass(5_000);
    }
    expect(view().phase).toEqual({ kind: "out", why: "lost", mayRejoin: true, replay: null });
    expect(capture.released).toBe(true);
  });

  it("of a page that was loaded again takes up the seat and its sources", async () => {
    await open();
    await joined();
    model.close();
    server = new FakeServer();
    await open();
    expect(view().phase.kind).toBe("loading");
    server.last.open();
    expect(server.last.sent[0]).toMatchObject({ join: { by: "resume", seat: "seat-1", lastEvent: 0 } });
    server.last.event(9, welcome({ participants: [person(1, { camera: true })] }));
    await pass();
    expect(view().phase).toEqual({ kind: "in" });
    expect(view().own?.camera.on).toBe(true);
    expect(view().own?.microphone.on).toBe(false);
  });

  it("whose seat is gone after a reload leads to the door", async () => {
    await open();
    await joined();
    model.close();
    server = new FakeServer();
    await open();
    server.last.open();
    server.last.says({ type: "refused", id: 0, code: "seat-gone", message: "" });
    await pass();
    expect(view().phase).toMatchObject({ kind: "prejoin", refused: null });
  });
});

describe("the end", () => {
  it.each([
    ["removed", true], ["banned", false], ["ended", false], ["replaced", true],
  ] as const)("by %s closes devices and media and shows nothing of the inside", async (reason, mayRejoin) => {
    await open();
    await joined();
    event({ kind: "out", reason });
    await pass();
    expect(view().phase).toEqual({ kind: "out", why: reason, mayRejoin, replay: null });
    expect(capture.released).toBe(true);
    expect(sessions[0]?.closed).toBe(true);
    expect([view().people, view().chat.lines, view().notices]).toEqual([[], [], []]);
  });

  it("by leaving needs no answer", async () => {
    await open();
    await joined();
    model.actions.leave();
    expect(commands().at(-1)).toEqual({ do: "leave" });
    await pass(1_500);
    expect(view().phase).toEqual({ kind: "out", why: "left", mayRejoin: true, replay: null });
  });

  it("by being sent back shows the door and nothing of the inside", async () => {
    await open();
    await joined();
    event({ kind: "waiting", you: 1, seat: "seat-1", meeting: { id: "m-1", title: "", number: "1", startedAt: 0, capacity: 9 }, hostPresent: true, recorded: false });
    await pass();
    expect(view().phase.kind).toBe("knocking");
    expect(view().people).toEqual([]);
    expect(sessions[0]?.closed).toBe(true);
    event(welcome({ epoch: 2 }));
    await pass();
    expect(sessions).toHaveLength(2);
  });
});

describe("a newer server", () => {
  it("may say what this page does not know", async () => {
    await open();
    await joined();
    const before = view().people;
    event({ kind: "something-new", what: 1 } as unknown as Parameters<typeof event>[0]);
    expect(view().people).toEqual(before);
  });
});

describe("a recording", () => {
  const running: Recording = { id: "r-1", state: "recording", since: 0, recordedMs: 0 };
  const told = () => view().notices.map(({ what }) => what).filter(({ kind }) => kind === "consent" || kind === "recording" || kind === "marked");

  it("is told to who comes in, once, and until one has answered", async () => {
    await open();
    await joined({ recording: running });
    expect(view().recording).toEqual(running);
    expect(told()).toEqual([{ kind: "consent", by: null }]);
    await pass(60_000);
    expect(told()).toHaveLength(1);
    model.actions.dismiss(view().notices[0]?.id ?? 0);
    event(welcome({ participants: [person(1, { name: "Ana" }), ...others], recording: running }));
    await pass();
    expect(told()).toEqual([]);
  });

  it("is told when it begins, with who began it, and that it goes on or ends", async () => {
    await open();
    await joined();
    event({ kind: "recording-changed", recording: running, by: 3 });
    await pass();
    expect(told()).toEqual([{ kind: "consent", by: "Cai" }]);
    event({ kind: "recording-changed", recording: { ...running, state: "paused" }, by: 3 });
    await pass();
    expect(told()).toEqual([{ kind: "recording", what: "paused", recording: "r-1" }]);
    event({ kind: "recording-changed", recording: { ...running, state: "suspended", trouble: "disk-full" } });
    await pass();
    expect(view().recording?.trouble).toBe("disk-full");
    event({ kind: "recording-changed", ended: { id: "r-1", why: "quota" } });
    await pass();
    expect(view().recording).toBe(null);
    expect(told()).toEqual([{ kind: "recording", what: "quota", recording: "r-1" }]);
  });

  it("is begun, marked and ended by a host, who may watch it afterwards", async () => {
    await open();
    await joined({ participants: [person(1, { name: "Ana", role: "host" }), ...others] });
    expect(view().rights.record).toBe(true);
    for (const what of ["start", "pause", "resume", "stop"] as const) model.actions.record(what);
    expect(commands().slice(-4)).toEqual([{ do: "start-recording" }, { do: "pause-recording" }, { do: "resume-recording" }, { do: "stop-recording" }]);
    event({ kind: "recording-changed", recording: running, by: 1 });
    await pass();
    expect(told()).toEqual([{ kind: "recording", what: "began", recording: "r-1" }]);
    model.actions.mark("Budget");
    expect(commands().at(-1)).toEqual({ do: "mark", text: "Budget" });
    await reply();
    expect(told().at(-1)).toEqual({ kind: "marked" });
    event({ kind: "recording-changed", ended: { id: "r-1", why: "stopped" }, by: 1 });
    event({ kind: "out", reason: "ended" });
    await pass();
    expect(view().phase).toEqual({ kind: "out", why: "ended", mayRejoin: false, replay: "r-1" });
  });

  it("is none of a guest's to begin or to watch, and is known before the door as a fact only", async () => {
    await open();
    await joined({ recording: running });
    expect(view().rights.record).toBe(false);
    event({ kind: "waiting", you: 1, seat: "s", meeting: { id: "m-1", title: "", number: "1", startedAt: 0, capacity: 9 }, hostPresent: true, recorded: true });
    await pass();
    expect(view()).toMatchObject({ phase: { kind: "knocking", recorded: true }, recording: null, notices: [] });
    event({ kind: "out", reason: "denied" });
    await pass();
    expect(view().phase).toMatchObject({ replay: null });
  });
});
