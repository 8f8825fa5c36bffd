// The REST interface as far as the pages need it. Failures carry the server's code.

import type { AccountRole } from "./accounts";
import type { RefusalCode } from "./protocol";
import type { Push } from "./push";

/** Codes that only HTTP knows, beside those of the protocol. */
export type HttpCode =
  | "foreign-host" | "foreign-origin" | "unsupported-media-type" | "not-acceptable" | "body-too-large"
  | "precondition-required" | "precondition-failed" | "method-not-allowed"
  | "already-publishing" | "wrong-stream-key" | "broadcast-full" | "server-busy" | "store-away" | "no-common-codec" | "wrong-name-or-password" | "bad-password"
  | "setup-closed" | "invitation-closed" | "name-taken" | "last-administrator";

export class RestError extends Error {
  constructor(
    /** `unreachable` where no answer came. */
    readonly code: RefusalCode | HttpCode | "unreachable",
    readonly status: number,
    readonly retryAfter: number | null,
    message: string,
  ) {
    super(message);
    this.name = "RestError";
  }
}

/** The failure that an answer tells of. */
export async function failureOf(response: Response): Promise<RestError> {
  let code: RestError["code"] = response.status === 404 ? "not-found" : response.status === 401 ? "sign-in-needed" : "internal";
  let message = response.statusText;
  try {
    const body = (await response.json()) as { code?: RestError["code"]; message?: string };
    code = body.code ?? code;
    message = body.message ?? message;
  } catch {
    // A proxy answered in its own words.
    if (response.status >= 502 && response.status <= 504) code = "unreachable";
  }
  return new RestError(code, response.status, retryAfter(response), message);
}

export function retryAfter(response: Response): number | null {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/** `bearer`: a secret that opens more than the browser's own sign-in. */
export async function call(method: string, path: string, body?: unknown, bearer?: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: "same-origin",
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new RestError("unreachable", 0, null, "no answer");
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

export async function json<T>(method: string, path: string, body?: unknown, bearer?: string): Promise<T> {
  return (await (await call(method, path, body, bearer)).json()) as T;
}

/** What is left out is as the server has it: a waiting room, everything else allowed. */
export interface MeetingWish {
  title?: string;
  /** 4 to 32 characters; asked of those who come by number. */
  passcode?: string;
  waiting_room?: boolean;
  /** Who comes by number waits even without a waiting room. */
  numbers_wait?: boolean;
  locked?: boolean;
  may_unmute?: boolean;
  may_show_camera?: boolean;
  may_share?: boolean;
  may_chat?: boolean;
  may_rename?: boolean;
  mute_on_entry?: boolean;
  /** A recording begins when the first person is in. */
  auto_record?: boolean;
  /** Higher pictures are not recorded. */
  record_height?: 180 | 360 | 540 | 720 | 1080;
  recording_visibility?: "nobody" | "host" | "participants" | "link";
}

export interface NewMeeting {
  id: string;
  number: string;
  join_url: string;
  /** Carries the host's secret in its fragment. */
  host_url: string;
}

/** Starts a meeting. */
export function createMeeting(wish: MeetingWish = {}): Promise<NewMeeting> {
  return json("POST", "/meetings", wish);
}

/** Exchanges the secret of a host link for the host's cookie. */
export async function exchangeHostSecret(meeting: string, secret: string): Promise<void> {
  await call("POST", `/meetings/${encodeURIComponent(meeting)}/host`, { secret });
}

/** What may be known of a meeting before one joins it. */
export interface DoorSign {
  title: string;
  /** `planned`: a recording begins by itself. */
  recording: "running" | "planned" | null;
}

/** By the token of a join link; who may lead the meeting needs none. */
export function doorOf(meeting: string, token: string | null): Promise<DoorSign> {
  return json("POST", `/meetings/${encodeURIComponent(meeting)}/door`, token === null ? {} : { token });
}

export interface Me {
  /** Start meetings and broadcasts. */
  may_create: boolean;
  /** Manage people and see everything. */
  may_administrate: boolean;
  /** The account's name, where signed in. */
  name?: string;
  role?: AccountRole;
  /** Host of the meeting that was asked about. */
  host: boolean;
  /** The server runs with `--dev`. */
  dev: boolean;
  /** There is no administrator yet. */
  needs_setup: boolean;
  version: string;
}

/** Who the browser is, and what it may; gives the browser its cookie, by which a ban holds. */
export function me(meeting?: string): Promise<Me> {
  return json("GET", meeting === undefined ? "/me" : `/me?meeting=${encodeURIComponent(meeting)}`);
}

/** Makes the first administrator, with the token of the one-time link. */
export async function setUp(token: string, name: string, password: string): Promise<void> {
  await call("POST", "/setup", { token, name, password });
}

export async function signIn(name: string, password: string): Promise<void> {
  await call("POST", "/sign-in", { name, password });
}

export async function signOut(): Promise<void> {
  await call("POST", "/sign-out");
}

export interface NewBroadcast {
  id: string;
  watch_url: string;
  whip_url: string;
  whep_url: string;
  /** Shown this once. */
  stream_key: string;
  /** Where the server takes them: they carry the key. */
  rtmp_url?: string;
  srt_url?: string;
  hls_url?: string;
}

/** Makes a broadcast. */
export function createBroadcast(title: string): Promise<NewBroadcast> {
  return json("POST", "/broadcasts", { title });
}

export interface ShownBroadcast {
  id: string;
  title: string;
  live: boolean;
  /** Who watch by WHEP. */
  viewers: number;
  whep_url: string;
  /** The multivariant playlist, where the server has one. */
  hls_url?: string;
  /** That of all that can still be had, where the server keeps more than players at the end need. */
  rewind_url?: string;
  /** What comes by RTMP; only for who has the stream key, or runs the server. */
  publisher?: Push;
}

/** A broadcast as who manages it sees it. */
export interface ListedBroadcast {
  id: string;
  title: string;
  /** Milliseconds since the Unix epoch. */
  created_at: number;
  /** The name of who made it; null of programs, or where the account was deleted. */
  owner: string | null;
  live: boolean;
  /** Who watch by WHEP. */
  viewers: number;
  watch_url: string;
}

export interface BroadcastPage {
  broadcasts: ListedBroadcast[];
  /** To be given as `before`; null at the end. */
  next: string | null;
}

/** Those that were not ended, newest first: all to administrators, to others their own. */
export function broadcasts(before: string | null = null): Promise<BroadcastPage> {
  return json("GET", before === null ? "/broadcasts" : `/broadcasts?before=${encodeURIComponent(before)}`);
}

/** Makes the stream key before it worthless. */
export function newStreamKey(id: string): Promise<Pick<NewBroadcast, "stream_key" | "rtmp_url">> {
  return json("POST", `/broadcasts/${encodeURIComponent(id)}/stream-key`);
}

/** A broadcast as viewers see it; with its stream key as who sends to it does. */
export function broadcast(id: string, streamKey?: string): Promise<ShownBroadcast> {
  return json("GET", `/broadcasts/${encodeURIComponent(id)}`, undefined, streamKey);
}

/** Ends a broadcast for good: its link leads nowhere from then on. */
export async function endBroadcast(id: string): Promise<void> {
  await call("DELETE", `/broadcasts/${encodeURIComponent(id)}`);
}
