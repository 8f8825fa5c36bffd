// Reads every fixture of the protocol that Rust reads too. The shapes below are tied to the types by
// the compiler (every key, every variant), and to the fixtures by these tests.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type * as P from "./protocol";
import {
  OUT_REASONS, QUALITIES, RECORDING_ENDS, RECORDING_STATES, RECORDING_TROUBLES, REFUSAL_CODES, ROLES, SOURCES,
} from "./protocol";

const FIXTURES = new URL("../../../signaling/fixtures/", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, FIXTURES), "utf8"));

/** Faults found in a value, as paths. */
type Check = (value: unknown, path: string) => string[];

const fault = (ok: boolean, path: string) => (ok ? [] : [path]);
const string: Check = (value, path) => fault(typeof value === "string", path);
const number: Check = (value, path) => fault(typeof value === "number", path);
const boolean: Check = (value, path) => fault(typeof value === "boolean", path);
const word =
  (...words: readonly string[]): Check =>
  (value, path) =>
    fault(words.includes(value as string), `${path}=${JSON.stringify(value)}`);
const list =
  (item: Check): Check =>
  (value, path) =>
    Array.isArray(value) ? value.flatMap((one, index) => item(one, `${path}[${index}]`)) : [path];

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type Maybe = { optional: Check };
const maybe = (optional: Check): Maybe => ({ optional });
/** Every key of `T`, those that may be absent marked as such. */
type Shape<T> = { [K in keyof T]-?: K extends OptionalKeys<T> ? Maybe : Check };

function object<T>(shape: Shape<T>): Check {
  const fields = Object.entries<Check | Maybe>(shape);
  return (value, path) => {
    if (typeof value !== "object" || value === null) return [path];
    const found = value as Record<string, unknown>;
    const unknown = Object.keys(found).filter((key) => !(key in shape));
    return [
      ...unknown.map((key) => `${path}.${key} is not known`),
      ...fields.flatMap(([key, check]) => {
        if (typeof check === "function") return check(found[key], `${path}.${key}`);
        return found[key] === undefined ? [] : check.optional(found[key], `${path}.${key}`);
      }),
    ];
  };
}

const seen = new Set<string>();
/** Every variant of a union told apart by `tag`. */
function union<T, Tag extends keyof T & string>(
  tag: Tag,
  variants: { [V in T[Tag] & string]: Shape<Omit<Extract<T, { [K in Tag]: V }>, Tag>> },
): Check {
  return (value, path) => {
    const { [tag]: name, ...rest } = (value ?? {}) as Record<string, unknown>;
    const variant = (variants as Record<string, Shape<object>>)[name as string];
    if (!variant) return [`${path}.${tag}=${JSON.stringify(name)}`];
    seen.add(`${tag}:${name as string}`);
    return object(variant)(rest, `${path}<${name as string}>`);
  };
}

const source = word(...SOURCES);
const role = word(...ROLES);
const track = { participant: number, source };
const audience = union<P.Audience, "kind">("kind", { everyone: {}, hosts: {}, one: { participant: number } });
const policy = object<P.Policy>({
  waitingRoom: boolean, locked: boolean, mayUnmute: boolean, mayShowCamera: boolean,
  mayShare: boolean, mayChat: boolean, mayRename: boolean, muteOnEntry: boolean,
});
const meeting = object<P.MeetingInfo>({
  id: string, title: string, number: string, joinUrl: maybe(string), startedAt: number, capacity: number,
});
const participant = object<P.Participant>({
  id: number, name: string, role, guest: boolean, microphone: boolean, camera: boolean, screen: boolean,
  screenAudio: boolean, handRaisedAt: maybe(number), spotlight: boolean, connected: boolean, joinedAt: number,
});
const person = object<P.WaitingPerson>({ id: number, name: string, guest: boolean, since: number, sentBack: boolean });
const chat = object<P.ChatMessage>({ id: number, from: number, name: string, to: audience, at: number, text: string });
const detail = union<P.LogDetail, "kind">("kind", {
  source: { source },
  role: { role },
  name: { name: string },
  spotlight: { on: boolean },
  recording: { why: word(...RECORDING_ENDS) },
  mark: { text: string },
  policy: {
    changes: list(
      object<P.PolicyChange>({
        field: word("waitingRoom", "locked", "mayUnmute", "mayShowCamera", "mayShare", "mayChat", "mayRename", "muteOnEntry"),
        on: boolean,
      }),
    ),
  },
});
const entry = object<P.LogEntry>({
  at: number, by: maybe(number), byName: maybe(string), action: string,
  on: maybe(number), onName: maybe(string), detail: maybe(detail),
});

const join = union<P.Join, "by">("by", {
  link: { meeting: string, token: string },
  number: { number: string, passcode: maybe(string) },
  host: { meeting: string },
  resume: { meeting: string, seat: string, lastEvent: number },
});
const limit = union<P.SendLimit, "by">("by", { bandwidth: { kbps: number }, processor: {} });
const command = union<P.Command, "do">("do", {
  "set-source": { source, on: boolean },
  "set-hand": { raised: boolean },
  leave: {},
  "send-chat": { to: audience, text: string },
  offer: { sdp: string, sends: list(object<P.SendSlot>({ mid: string, source })) },
  candidate: { candidate: string },
  "tell-limit": { limit: maybe(limit) },
  watch: { videos: list(object<P.Wish>({ ...track, height: number })) },
  admit: { participant: number },
  "admit-all": {},
  deny: { participant: number },
  mute: track,
  "mute-all": { mayUnmute: boolean },
  "ask-to-unmute": track,
  "lower-hand": { participant: number },
  rename: { participant: number, name: string },
  "set-role": { participant: number, role },
  remove: { participant: number, ban: boolean },
  "send-to-waiting-room": { participant: number },
  "set-spotlight": { participant: number, on: boolean },
  "set-policy": { policy },
  "suspend-all": {},
  "start-recording": {},
  "pause-recording": {},
  "resume-recording": {},
  "stop-recording": {},
  mark: { text: string },
  "read-log": {},
  end: {},
});
const clientMessage = union<P.ClientMessage, "type">("type", {
  hello: { version: number, join, name: maybe(string) },
  command: { id: number, command },
  ping: { nonce: number },
});

const outcome = union<P.Outcome, "kind">("kind", {
  done: {},
  answer: { sdp: string },
  admitted: { admitted: number, waiting: number },
  log: { entries: list(entry) },
});
const recording = object<P.Recording>({
  id: string, state: word(...RECORDING_STATES), trouble: maybe(word(...RECORDING_TROUBLES)), since: number, recordedMs: number,
});
const event = union<P.Event, "kind">("kind", {
  waiting: { you: number, seat: string, meeting, hostPresent: boolean, recorded: boolean },
  welcome: {
    you: number, seat: string, epoch: number, meeting, policy, participants: list(participant),
    waiting: list(person), chat: list(chat), slots: object<P.SlotCounts>({ video: number, audio: number }),
    recording: maybe(recording),
  },
  joined: { participant },
  updated: { participant },
  "turned-off": { participants: list(number), sources: list(source) },
  left: { participant: number },
  knocked: { person },
  "knock-ended": { participant: number },
  "policy-changed": { policy, by: maybe(number) },
  "recording-changed": {
    recording: maybe(recording), by: maybe(number),
    ended: maybe(object<P.RecordingEnd>({ id: string, why: word(...RECORDING_ENDS) })),
  },
  chat: { message: chat },
  muted: { source, by: number },
  "asked-to-unmute": { source, by: number },
  out: { reason: word(...OUT_REASONS) },
});
const link = word("uplink", "downlink");
const cause = union<P.Cause, "kind">("kind", {
  loss: { link, percent: number },
  delay: { ms: number },
  thin: { link, kbps: number },
  processor: {},
});
const media = union<P.MediaEvent, "kind">("kind", {
  slots: {
    slots: list(object<P.Slot>({ mid: string, ...track, paused: maybe(word("bandwidth", "overload", "no-packets", "codec")) })),
  },
  speakers: { participants: list(number) },
  quality: {
    connections: list(
      object<P.ConnectionQuality>({ participant: number, quality: word(...QUALITIES), cause: maybe(cause) }),
    ),
    downlinkKbps: maybe(number),
  },
  session: { state: word("connecting", "connected", "disconnected", "failed") },
  wanted: { source, height: number },
});
const serverMessage = union<P.ServerMessage, "type">("type", {
  reply: { id: number, result: outcome },
  refused: { id: number, code: word(...REFUSAL_CODES), message: string, retryAfter: maybe(number) },
  event: { number, event },
  media: { media },
  pong: { nonce: number },
});

describe.each([
  ["client", clientMessage],
  ["server", serverMessage],
] as const)("the fixtures of the %s", (side, check) => {
  const files = readdirSync(new URL(`${side}/`, FIXTURES)).filter((name) => name.endsWith(".json"));

  it("are there", () => expect(files.length).toBeGreaterThan(30));

  it.each(files)("%s has the shape of the type", (file) => {
    expect(check(read(`${side}/${file}`), file)).toEqual([]);
  });
});

describe("the protocol", () => {
  it("has a fixture of every variant", () => {
    const variants = [
      ...["hello", "command", "ping", "reply", "refused", "event", "media", "pong"].map((name) => `type:${name}`),
      ...["link", "number", "host", "resume"].map((name) => `by:${name}`),
      ...["set-source", "offer", "candidate", "watch", "tell-limit", "set-policy", "suspend-all", "start-recording", "mark", "end"].map((name) => `do:${name}`),
      ...["source", "role", "name", "spotlight", "policy", "recording", "mark", "recording-changed"].map((name) => `kind:${name}`),
      ...["loss", "delay", "thin", "processor"].map((name) => `kind:${name}`),
      ...["bandwidth", "processor"].map((name) => `by:${name}`),
      ...["waiting", "welcome", "out", "slots", "speakers", "quality", "session", "wanted", "log"].map((n) => `kind:${n}`),
    ];
    expect(variants.filter((variant) => !seen.has(variant))).toEqual([]);
  });

  it("knows every code of a refusal, in the server's order", () => {
    const codes = (read("refusals.json") as { code: string }[]).map((refusal) => refusal.code);
    expect([...REFUSAL_CODES]).toEqual(codes);
  });
});
