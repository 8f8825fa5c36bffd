// The audience of a broadcast: the socket by which viewers comment and like, and what moderators ask by REST
// (docs/audience.md). Types and the way to the server; knows not what is shown.

import { call, json } from "./rest";

const SUBPROTOCOL = "symposia.audience.v1";
/** First and longest wait between two attempts to come back. */
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 15_000;
/** `WebSocket.OPEN`, which tests outside a browser lack. */
const OPEN = 1;
/** "Over", and "somebody talked nonsense": coming back helps nothing. */
const FOR_GOOD = new Set([4000, 4003]);

export interface AudienceRules {
  /** Comments are taken. */
  open: boolean;
  /** A moderator looks at each first. */
  hold: boolean;
  /** Seconds between two of one viewer. */
  slow: number;
}

export interface Comment {
  id: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
  name: string;
  text: string;
  /** The name is what somebody typed. */
  guest: boolean;
  /** By somebody who manages the broadcast. */
  host: boolean;
  /** Only moderators see it. */
  held?: boolean;
}

export const COMMENT_REFUSALS = ["closed", "muted", "bad-name", "bad-text", "too-soon", "too-many"] as const;
export type CommentRefusal = (typeof COMMENT_REFUSALS)[number];

export type FromViewer = { type: "comment"; id: number; name?: string; text: string } | { type: "like"; count: number };

export type ToViewer =
  | { type: "welcome"; name?: string; moderator: boolean; muted: boolean; rules: AudienceRules; likes: number; comments: Comment[] }
  | { type: "news"; comments?: Comment[]; deleted?: number[]; likes?: number; rules?: AudienceRules }
  | { type: "taken"; id: number; comment: number; held: boolean }
  | { type: "refused"; id: number; code: CommentRefusal; retryAfter?: number };

export const COMMENT_MAX = 500;
/** The server takes so many in one message. */
export const LIKES_AT_ONCE = 50;

export interface AudienceSocket {
  /** False where it is not open: nothing is kept for later. */
  say: (message: FromViewer) => boolean;
  close: () => void;
}

export interface AudienceHandlers {
  message: (message: ToViewer) => void;
  /** `over`: it does not come back by itself. */
  state: (state: "open" | "away" | "over") => void;
}

export interface AudienceSurroundings {
  socket: (broadcast: string) => WebSocket;
  random: () => number;
}

const BROWSER: AudienceSurroundings = {
  socket: (broadcast) => {
    const address = new URL(`/api/v1/broadcasts/${encodeURIComponent(broadcast)}/audience`, location.origin);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(address.href, [SUBPROTOCOL]);
  },
  random: Math.random,
};

/** Stays connected until it is closed. */
export function joinAudience(broadcast: string, handlers: AudienceHandlers, surroundings: AudienceSurroundings = BROWSER): AudienceSocket {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = BACKOFF_MIN_MS;
  let closed = false;

  const open = () => {
    const mine = surroundings.socket(broadcast);
    socket = mine;
    mine.onmessage = ({ data }) => {
      if (closed || typeof data !== "string") return;
      wait = BACKOFF_MIN_MS;
      handlers.message(JSON.parse(data) as ToViewer);
    };
    mine.onopen = () => {
      if (!closed) handlers.state("open");
    };
    mine.onclose = ({ code }) => {
      if (closed || socket !== mine) return;
      socket = null;
      const over = FOR_GOOD.has(code);
      handlers.state(over ? "over" : "away");
      if (over) return;
      // Not all at the same moment, where a server comes back.
      timer = setTimeout(open, wait * (0.5 + surroundings.random()));
      wait = Math.min(wait * 2, BACKOFF_MAX_MS);
    };
  };
  open();

  return {
    say: (message) => {
      if (socket?.readyState !== OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}

export interface CommentRules extends AudienceRules {
  /** A comment with one of these is held. */
  words: string[];
}

export interface Mute {
  id: number;
  name: string;
  at: number;
}

const at = (broadcast: string, more: string) => `/broadcasts/${encodeURIComponent(broadcast)}/${more}`;

export function commentRules(broadcast: string): Promise<CommentRules> {
  return json("GET", at(broadcast, "comment-rules"));
}

export function setCommentRules(broadcast: string, rules: CommentRules): Promise<CommentRules> {
  return json("PUT", at(broadcast, "comment-rules"), rules);
}

export async function judgeComment(broadcast: string, id: number, state: "shown" | "deleted"): Promise<void> {
  await call("PATCH", at(broadcast, `comments/${id}`), { state });
}

/** Whoever wrote it writes no more. */
export async function muteAuthor(broadcast: string, comment: number): Promise<void> {
  await call("POST", at(broadcast, `comments/${comment}/mute`));
}

export async function mutes(broadcast: string): Promise<Mute[]> {
  return (await json<{ mutes: Mute[] }>("GET", at(broadcast, "mutes"))).mutes;
}

export async function unmute(broadcast: string, mute: number): Promise<void> {
  await call("DELETE", at(broadcast, `mutes/${mute}`));
}
