// One seat's WebSocket: hello, numbered commands and events, and coming back to the seat after the
// connection was lost. Knows nothing of what commands and events mean, but for the seat they name.

import type { Command, Event, Join, MediaEvent, Outcome, RefusalCode, ServerMessage } from "./protocol";
import { PACKED_SUBPROTOCOL, SEAT_KEPT_MS, SOCKET_PATH, SUBPROTOCOL, VERSION } from "./protocol";
import type { Seat } from "./seat";
import { canPack, Wire } from "./wire";

/** First and longest wait between two attempts to come back. */
const BACKOFF_MIN_MS = 300;
const BACKOFF_MAX_MS = 5_000;
/** An attempt that is not open by then is given up: the network swallows it. */
const OPEN_TIMEOUT_MS = 5_000;
/** The same from the hello on where the socket had waited for it: it may have died meanwhile. */
const WAITED_WITHIN_MS = 2_500;
/** A socket that was silent for so long is asked for a sign of life… */
const PING_AFTER_MS = 5_000;
/** …and given up without one so much later. */
const PONG_WITHIN_MS = 4_000;
/** The same when the page comes to the front or the system says that the network is back. */
const WAKE_WITHIN_MS = 2_000;
/** The same when media stopped, too, and nothing comes by a second socket either: the server may be busy. */
const PROBE_WITHIN_MS = 2_000;
/** Attempts at the first hello before the server counts as unreachable. */
const FIRST_ATTEMPTS = 3;

export type ConnectionState =
  | { kind: "idle" }
  /** The first hello is under way. */
  | { kind: "joining" }
  | { kind: "online" }
  /** Since when, and until when it is tried. */
  | { kind: "reconnecting"; since: number; until: number }
  | { kind: "closed"; why: CloseCause };

export type CloseCause =
  /** `close()` was called, or the server said why by an `out` event. */
  | { kind: "done" }
  /** The hello was refused. */
  | { kind: "refused"; code: RefusalCode; retryAfter: number | null }
  /** The first hello got no answer. */
  | { kind: "unreachable" }
  /** The seat is given up. */
  | { kind: "lost" };

/** What a command failed with. */
export class CommandError extends Error {
  constructor(
    readonly code: RefusalCode | "closed",
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "CommandError";
  }
}

export interface ConnectionHandlers {
  state(state: ConnectionState): void;
  event(event: Event): void;
  media(media: MediaEvent): void;
  /** The seat to remember for a reload of the page; null when it is no longer worth remembering. */
  seat?(seat: Seat | null): void;
}

/** What a connection needs of its surroundings; a test brings its own. */
export interface Surroundings {
  /** One that was opened before is taken as it is. */
  socket(): WebSocket;
  /** Tells `online` and `visibilitychange`; absent outside a page. */
  network?: EventTarget;
  page?: EventTarget;
  random(): number;
}

/** Opens a socket to the server. `origin` for use outside a page or with another server. */
export function browserSocket(origin = globalThis.location?.origin): WebSocket {
  const address = new URL(SOCKET_PATH, origin);
  address.protocol = address.protocol === "https:" || address.protocol === "wss:" ? "wss:" : "ws:";
  const socket = new WebSocket(address.href, canPack() ? [PACKED_SUBPROTOCOL, SUBPROTOCOL] : [SUBPROTOCOL]);
  socket.binaryType = "arraybuffer";
  return socket;
}

/** Those of a browser. `opened` gives a socket that was opened before it was needed, if there is one. */
export function browserSurroundings(opened: () => WebSocket | null = () => null): Surroundings {
  return {
    socket: () => opened() ?? browserSocket(),
    ...(typeof window === "undefined" ? {} : { network: window }),
    ...(typeof document === "undefined" ? {} : { page: document }),
    random: Math.random,
  };
}

interface Pending {
  command: Command;
  resolve(outcome: Outcome): void;
  reject(error: CommandError): void;
}

export class Connection {
  private state: ConnectionState = { kind: "idle" };
  private wire: Wire | null = null;
  /** The hello is on its way: commands may follow it. */
  private greeted = false;
  private seat: Seat | null = null;
  private first: { join: Join; name?: string } | null = null;
  private attempts = 0;
  private gaps = 0;
  /** Whether a snapshot may follow with any number: after a hello, before the first event. */
  private fresh = false;
  private nextCommand = 1;
  private nonce = 0;
  /** In the order of their ids, as sent. */
  private readonly pending = new Map<number, Pending>();
  private retryTimer: Timer;
  private openTimer: Timer;
  private quietTimer: Timer;
  private pongTimer: Timer;
  private pongDue = 0;
  /** Opened beside a socket that is doubted, to take its place. */
  private rival: WebSocket | null = null;
  private readonly wake = () => this.onWake();

  constructor(
    private readonly handlers: ConnectionHandlers,
    private readonly surroundings: Surroundings = browserSurroundings(),
  ) {
    surroundings.network?.addEventListener("online", this.wake);
    surroundings.page?.addEventListener("visibilitychange", this.wake);
  }

  /** Knocks, or joins where no waiting room is. */
  join(join: Exclude<Join, { by: "resume" }>, name: string): void {
    if (this.state.kind !== "idle") throw new Error("a connection joins once");
    this.first = { join, name };
    this.setState({ kind: "joining" });
    this.connect();
  }

  /** Takes up a seat remembered from before a reload. All state is asked for anew. */
  resume(seat: Seat): void {
    if (this.state.kind !== "idle") throw new Error("a connection joins once");
    this.seat = { ...seat, lastEvent: 0 };
    this.nextCommand = seat.nextCommand;
    const now = Date.now();
    this.setState({ kind: "reconnecting", since: now, until: now + SEAT_KEPT_MS });
    this.connect();
  }

  /**
   * Asks for something. While the connection is lost the command waits; after a return it is sent
   * again under its id, which the server carries out once.
   */
  command(command: Command): Promise<Outcome> {
    if (this.state.kind === "idle" || this.state.kind === "closed") {
      return Promise.reject(new CommandError("closed", "not connected"));
    }
    const id = this.nextCommand++;
    const reply = new Promise<Outcome>((resolve, reject) => this.pending.set(id, { command, resolve, reject }));
    this.rememberSeat();
    if (this.greeted) this.send({ type: "command", id, command });
    return reply;
  }

  /**
   * Doubts the network: a socket that does not answer before another one is open, which takes three times as long,
   * is replaced by that one.
   */
  probe(): void {
    this.check(PROBE_WITHIN_MS);
    if (this.state.kind !== "online" || this.rival) return;
    try {
      const rival = this.surroundings.socket();
      this.rival = rival;
      rival.onopen = () => this.lost(0);
      rival.onclose = () => this.dropRival();
    } catch {
      // Then the ping alone has to say it.
    }
  }

  /** Ends it without a word: the seat stays for a reload. Say `leave` first to give it up. */
  close(): void {
    this.seat = null;
    this.finish({ kind: "done" });
  }

  private setState(state: ConnectionState): void {
    this.state = state;
    this.handlers.state(state);
  }

  private connect(): void {
    this.dropSocket();
    let socket: WebSocket;
    try {
      socket = this.rival ?? this.surroundings.socket();
      this.rival = null;
    } catch {
      this.lost();
      return;
    }
    this.wire = new Wire(socket, {
      open: () => this.onOpen(OPEN_TIMEOUT_MS),
      text: (text) => this.onMessage(text),
      closed: () => this.lost(),
    });
    this.openTimer = setTimeout(() => this.lost(), OPEN_TIMEOUT_MS);
    if (this.wire.isOpen) this.onOpen(WAITED_WITHIN_MS);
  }

  private onOpen(within: number): void {
    clearTimeout(this.openTimer);
    this.fresh = true;
    this.greeted = true;
    if (this.seat) {
      const { meeting, seat, lastEvent } = this.seat;
      this.send({ type: "hello", version: VERSION, join: { by: "resume", meeting, seat, lastEvent } });
    } else if (this.first) {
      const { join, name } = this.first;
      this.send({ type: "hello", version: VERSION, join, ...(name === undefined ? {} : { name }) });
    }
    // Whoever is let in loses no round trip by waiting for the word of it; who is not gets refusals.
    for (const [id, { command }] of this.pending) this.send({ type: "command", id, command });
    // A resume without missed events is answered by nothing else.
    this.ping(within);
  }

  private onMessage(data: unknown): void {
    const message = parse(data);
    if (!message) return;
    this.heard();
    switch (message.type) {
      case "event":
        this.onEvent(message.number, message.event);
        break;
      case "media":
        this.settled();
        this.handlers.media(message.media);
        break;
      case "reply":
        this.pending.get(message.id)?.resolve(message.result);
        this.pending.delete(message.id);
        break;
      case "refused":
        this.onRefused(message);
        break;
      case "pong":
        if (this.seat) this.settled();
        break;
    }
  }

  private onEvent(number: number, event: Event): void {
    const snapshot = event.kind === "welcome" || event.kind === "waiting";
    if (event.kind === "out" && event.reason === "server-stopping") {
      // The seat outlives the server's restart.
      this.lost();
      return;
    }
    const last = this.seat?.lastEvent ?? 0;
    if (!(snapshot && this.fresh) && event.kind !== "out") {
      if (number <= last) return;
      if (number > last + 1) {
        this.onGap();
        return;
      }
    }
    this.fresh = false;
    this.gaps = 0;
    if (snapshot) {
      this.seat = { meeting: event.meeting.id, seat: event.seat, lastEvent: number, nextCommand: this.nextCommand };
    } else if (this.seat) {
      this.seat = { ...this.seat, lastEvent: number };
    }
    this.settled();
    if (event.kind === "out") {
      this.handlers.event(event);
      this.finish({ kind: "done" });
      return;
    }
    this.rememberSeat();
    this.handlers.event(event);
  }

  /** An event is missing: ask for it; if it is missing again, ask for everything. */
  private onGap(): void {
    this.gaps += 1;
    if (this.gaps > 1 && this.seat) this.seat = { ...this.seat, lastEvent: 0 };
    this.lost();
  }

  private onRefused(message: Extract<ServerMessage, { type: "refused" }>): void {
    const retryAfter = message.retryAfter ?? null;
    if (message.id !== 0) {
      this.pending.get(message.id)?.reject(new CommandError(message.code, message.message, retryAfter));
      this.pending.delete(message.id);
      return;
    }
    const passing = message.code === "draining" || message.code === "too-many" || message.code === "internal";
    if (this.seat && passing) {
      this.lost(retryAfter === null ? undefined : retryAfter * 1000);
    } else {
      this.finish({ kind: "refused", code: message.code, retryAfter });
    }
  }

  /** The seat is ours and the socket works. */
  private settled(): void {
    if (this.state.kind === "online" || !this.seat) return;
    this.attempts = 0;
    this.setState({ kind: "online" });
  }

  private lost(wait?: number): void {
    if (this.state.kind === "closed" || this.state.kind === "idle") return;
    this.dropSocket();
    this.attempts += 1;
    const now = Date.now();
    if (!this.seat) {
      if (this.attempts >= FIRST_ATTEMPTS) {
        this.finish({ kind: "unreachable" });
        return;
      }
    } else if (this.state.kind === "reconnecting") {
      if (now >= this.state.until) {
        this.finish({ kind: "lost" });
        return;
      }
    } else {
      this.setState({ kind: "reconnecting", since: now, until: now + SEAT_KEPT_MS });
    }
    // What is open already must not wait its turn.
    if (this.rival?.readyState === 1) this.connect();
    else this.retryTimer = setTimeout(() => this.connect(), wait ?? this.backoff());
  }

  private backoff(): number {
    const full = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (this.attempts - 1));
    // Not all clients of a server that restarts come at the same moment.
    return full * (0.75 + 0.25 * this.surroundings.random());
  }

  private check(within: number): void {
    if (this.state.kind === "online") this.ping(within);
    else if (this.retryTimer !== undefined) this.connect();
  }

  private onWake(): void {
    const hidden = (this.surroundings.page as Document | undefined)?.visibilityState === "hidden";
    if (!hidden) this.check(WAKE_WITHIN_MS);
  }

  private send(message: object): void {
    this.wire?.send(JSON.stringify(message));
  }

  private ping(within: number): void {
    this.nonce += 1;
    this.send({ type: "ping", nonce: this.nonce });
    const due = Date.now() + within;
    if (this.pongTimer !== undefined && this.pongDue <= due) return;
    clearTimeout(this.pongTimer);
    this.pongDue = due;
    // The wait for the sign of life was wait enough.
    this.pongTimer = setTimeout(() => this.lost(0), within);
  }

  private dropRival(): void {
    const { rival } = this;
    this.rival = null;
    if (!rival) return;
    rival.onopen = rival.onmessage = rival.onclose = null;
    rival.close();
  }

  /** Whatever came is a sign of life. */
  private heard(): void {
    this.dropRival();
    clearTimeout(this.pongTimer);
    this.pongTimer = undefined;
    clearTimeout(this.quietTimer);
    this.quietTimer = setTimeout(() => this.ping(PONG_WITHIN_MS), PING_AFTER_MS);
  }

  private dropSocket(): void {
    for (const timer of [this.retryTimer, this.openTimer, this.quietTimer, this.pongTimer]) clearTimeout(timer);
    this.retryTimer = this.openTimer = this.quietTimer = this.pongTimer = undefined;
    this.greeted = false;
    this.wire?.drop();
    this.wire = null;
  }

  private rememberSeat(): void {
    if (!this.seat) return;
    this.seat = { ...this.seat, nextCommand: this.nextCommand };
    this.handlers.seat?.(this.seat);
  }

  private finish(why: CloseCause): void {
    if (this.state.kind === "closed") return;
    this.dropSocket();
    this.dropRival();
    this.surroundings.network?.removeEventListener("online", this.wake);
    this.surroundings.page?.removeEventListener("visibilitychange", this.wake);
    const error = new CommandError("closed", "the connection ended");
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
    if (this.seat) this.handlers.seat?.(null);
    this.seat = null;
    this.setState({ kind: "closed", why });
  }
}

type Timer = ReturnType<typeof setTimeout> | undefined;

function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    const message: unknown = JSON.parse(data);
    return typeof message === "object" && message !== null && "type" in message ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
