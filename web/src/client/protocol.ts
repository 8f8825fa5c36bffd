// The messages between client and server, as `signaling/src/protocol/*.rs` writes them.
// Types only, and the constants that belong to them; knows neither socket nor state.

/** The version this client speaks. */
export const VERSION = 1;
/** The WebSocket subprotocol of that version. */
export const SUBPROTOCOL = "symposia.v1";
/** The same, with messages that may come packed. */
export const PACKED_SUBPROTOCOL = "symposia.v1.packed";
/** Where the socket is. */
export const SOCKET_PATH = "/api/v1/socket";
/** Longest chat message, in characters (code points). */
export const CHAT_MAX = 4000;
/** Longest name, in characters (code points). */
export const NAME_MAX = 64;
/** Longest name of a mark, in characters (code points). */
export const MARK_MAX = 80;
/** How long a seat is kept for somebody whose connection was lost. */
export const SEAT_KEPT_MS = 120_000;

/** A participant of one meeting. */
export type ParticipantId = number;
/** Milliseconds since the Unix epoch. */
export type Millis = number;

/** What a track shows or carries, in the order in which a client offers them. */
export const SOURCES = ["microphone", "camera", "screen", "screen-audio"] as const;
export type Source = (typeof SOURCES)[number];

/** From the fewest rights to the most. */
export const ROLES = ["listener", "attendee", "co-host", "host"] as const;
export type Role = (typeof ROLES)[number];

/** One source of one participant. */
export interface TrackId {
  participant: ParticipantId;
  source: Source;
}

// From client to server.

export type ClientMessage =
  | { type: "hello"; version: number; join: Join; name?: string }
  | { type: "command"; id: number; command: Command }
  | { type: "ping"; nonce: number };

/** By which right somebody comes. */
export type Join =
  | { by: "link"; meeting: string; token: string }
  | { by: "number"; number: string; passcode?: string }
  | { by: "host"; meeting: string }
  | { by: "resume"; meeting: string; seat: string; lastEvent: number };

export type Audience = { kind: "everyone" } | { kind: "hosts" } | { kind: "one"; participant: ParticipantId };

/** A media section that sends. */
export interface SendSlot {
  mid: string;
  source: Source;
}

/** A video that somebody wants to see; height of the tile in device pixels. */
export interface Wish extends TrackId {
  height: number;
}

export type Command =
  | { do: "set-source"; source: Source; on: boolean }
  | { do: "set-hand"; raised: boolean }
  | { do: "leave" }
  | { do: "send-chat"; to: Audience; text: string }
  | { do: "offer"; sdp: string; sends: SendSlot[] }
  | { do: "candidate"; candidate: string }
  | { do: "watch"; videos: Wish[] }
  | { do: "tell-limit"; limit?: SendLimit }
  | { do: "admit"; participant: ParticipantId }
  | { do: "admit-all" }
  | { do: "deny"; participant: ParticipantId }
  | { do: "mute"; participant: ParticipantId; source: Source }
  | { do: "mute-all"; mayUnmute: boolean }
  | { do: "ask-to-unmute"; participant: ParticipantId; source: Source }
  | { do: "lower-hand"; participant: ParticipantId }
  | { do: "rename"; participant: ParticipantId; name: string }
  | { do: "set-role"; participant: ParticipantId; role: Role }
  | { do: "remove"; participant: ParticipantId; ban: boolean }
  | { do: "send-to-waiting-room"; participant: ParticipantId }
  | { do: "set-spotlight"; participant: ParticipantId; on: boolean }
  | { do: "set-policy"; policy: Policy }
  | { do: "suspend-all" }
  | { do: "start-recording" }
  | { do: "pause-recording" }
  | { do: "resume-recording" }
  | { do: "stop-recording" }
  | { do: "mark"; text: string }
  | { do: "read-log" }
  | { do: "end" };

// From server to client.

export type ServerMessage =
  | { type: "reply"; id: number; result: Outcome }
  | { type: "refused"; id: number; code: RefusalCode; message: string; retryAfter?: number }
  | { type: "event"; number: number; event: Event }
  | { type: "media"; media: MediaEvent }
  | { type: "pong"; nonce: number };

export type Outcome =
  | { kind: "done" }
  | { kind: "answer"; sdp: string }
  | { kind: "admitted"; admitted: number; waiting: number }
  | { kind: "log"; entries: LogEntry[] };

export type Event =
  | { kind: "waiting"; you: ParticipantId; seat: string; meeting: MeetingInfo; hostPresent: boolean; recorded: boolean }
  | ({ kind: "welcome" } & Welcome)
  | { kind: "joined"; participant: Participant }
  | { kind: "updated"; participant: Participant }
  | { kind: "turned-off"; participants: ParticipantId[]; sources: Source[] }
  | { kind: "left"; participant: ParticipantId }
  | { kind: "knocked"; person: WaitingPerson }
  | { kind: "knock-ended"; participant: ParticipantId }
  | { kind: "policy-changed"; policy: Policy; by?: ParticipantId }
  | { kind: "recording-changed"; recording?: Recording; by?: ParticipantId; ended?: RecordingEnd }
  | { kind: "chat"; message: ChatMessage }
  | { kind: "muted"; source: Source; by: ParticipantId }
  | { kind: "asked-to-unmute"; source: Source; by: ParticipantId }
  | { kind: "out"; reason: OutReason };

/** Everything there is to know; replaces all state that the client holds. */
export interface Welcome {
  you: ParticipantId;
  seat: string;
  epoch: number;
  meeting: MeetingInfo;
  policy: Policy;
  participants: Participant[];
  waiting: WaitingPerson[];
  chat: ChatMessage[];
  slots: SlotCounts;
  recording?: Recording;
}

export const RECORDING_STATES = ["recording", "paused", "suspended"] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];
/** What keeps a recording from going on: all but `failed` say what about the server's disk. */
export const RECORDING_TROUBLES = ["disk-full", "read-only", "slow", "failed"] as const;
export type RecordingTrouble = (typeof RECORDING_TROUBLES)[number];
export const RECORDING_ENDS = ["stopped", "quota", "failed", "meeting-ended"] as const;
export type RecordingEndReason = (typeof RECORDING_ENDS)[number];

/** A recording under way. While it records, its length is `recordedMs` and what passed since `since`. */
export interface Recording {
  id: string;
  state: RecordingState;
  trouble?: RecordingTrouble;
  since: Millis;
  recordedMs: number;
}

export interface RecordingEnd {
  id: string;
  why: RecordingEndReason;
}

export const OUT_REASONS = ["left", "denied", "removed", "banned", "ended", "replaced", "server-stopping"] as const;
export type OutReason = (typeof OUT_REASONS)[number];

export interface MeetingInfo {
  id: string;
  title: string;
  number: string;
  joinUrl?: string;
  startedAt: Millis;
  capacity: number;
}

export interface Policy {
  waitingRoom: boolean;
  locked: boolean;
  mayUnmute: boolean;
  mayShowCamera: boolean;
  mayShare: boolean;
  mayChat: boolean;
  mayRename: boolean;
  muteOnEntry: boolean;
}

export interface Participant {
  id: ParticipantId;
  name: string;
  role: Role;
  guest: boolean;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  screenAudio: boolean;
  handRaisedAt?: Millis;
  spotlight: boolean;
  connected: boolean;
  joinedAt: Millis;
}

export interface WaitingPerson {
  id: ParticipantId;
  name: string;
  guest: boolean;
  since: Millis;
  sentBack: boolean;
}

export interface ChatMessage {
  id: number;
  from: ParticipantId;
  name: string;
  to: Audience;
  at: Millis;
  text: string;
}

export interface LogEntry {
  at: Millis;
  by?: ParticipantId;
  byName?: string;
  action: string;
  on?: ParticipantId;
  onName?: string;
  detail?: LogDetail;
}

/** What exactly somebody did. */
export type LogDetail =
  | { kind: "source"; source: Source }
  | { kind: "role"; role: Role }
  | { kind: "name"; name: string }
  | { kind: "spotlight"; on: boolean }
  | { kind: "policy"; changes: PolicyChange[] }
  | { kind: "recording"; why: RecordingEndReason }
  | { kind: "mark"; text: string };

export interface PolicyChange {
  field: keyof Policy;
  on: boolean;
}

export interface SlotCounts {
  video: number;
  audio: number;
}

export type MediaEvent =
  | { kind: "slots"; slots: Slot[] }
  | { kind: "speakers"; participants: ParticipantId[] }
  | { kind: "quality"; connections: ConnectionQuality[]; downlinkKbps?: number }
  | { kind: "session"; state: SessionState }
  | { kind: "wanted"; source: Source; height: number };

/** What a receive slot carries. */
export interface Slot extends TrackId {
  mid: string;
  paused?: PauseReason;
}

export type PauseReason = "bandwidth" | "overload" | "no-packets" | "codec";
/** The best first. */
export const QUALITIES = ["good", "fair", "poor", "lost"] as const;
export type Quality = (typeof QUALITIES)[number];
export type SessionState = "connecting" | "connected" | "disconnected" | "failed";

/** How good a connection is, and why it is no better. */
export interface Condition {
  quality: Quality;
  cause?: Cause;
}

export interface ConnectionQuality extends Condition {
  participant: ParticipantId;
}

/** From the participant to the server, or to the participant. */
export type Link = "uplink" | "downlink";

export type Cause =
  | { kind: "loss"; link: Link; percent: number }
  | { kind: "delay"; ms: number }
  | { kind: "thin"; link: Link; kbps: number }
  | { kind: "processor" };

/** What keeps this browser from sending all that is wanted of it. */
export type SendLimit = { by: "bandwidth"; kbps: number } | { by: "processor" };

/** Every reason for a refusal, as in `signaling/src/protocol/refusal.rs`. */
export const REFUSAL_CODES = [
  "bad-message",
  "unsupported-version",
  "out-of-order",
  "wrong-number-or-passcode",
  "wrong-link",
  "meeting-ended",
  "meeting-locked",
  "meeting-full",
  "banned",
  "seat-gone",
  "not-permitted",
  "forbidden-by-policy",
  "not-admitted",
  "unknown-participant",
  "last-host",
  "bad-name",
  "bad-text",
  "bad-offer",
  "too-many",
  "draining",
  "sign-in-needed",
  "not-found",
  "conflict",
  "already-recording",
  "not-recording",
  "nobody-there",
  "not-publishing",
  "internal",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Whether the participant's source is on. */
export function sourceOn(participant: Participant, source: Source): boolean {
  switch (source) {
    case "microphone":
      return participant.microphone;
    case "camera":
      return participant.camera;
    case "screen":
      return participant.screen;
    case "screen-audio":
      return participant.screenAudio;
  }
}
