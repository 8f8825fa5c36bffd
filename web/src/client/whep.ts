// Watches a broadcast by WHEP: one POST with an offer, one DELETE at the end. While nobody publishes
// it asks again; when the connection breaks ICE is restarted by PATCH, and where that does not help it starts anew.
// Knows no page.

import { gathered, patch, remove } from "./exchange";
import { restartedAnswer, restartFragment } from "./fragment";
import { LOOK_EVERY_MS, Watchdog } from "./media/watchdog";
import { failureOf, RestError, retryAfter } from "./rest";

/** Where the server names no time. */
const AGAIN_MS = 2_000;
const AGAIN_MAX_MS = 30_000;
/** A connection that is not there by then will not come. */
const CONNECT_WITHIN_MS = 10_000;
/** Viewers who miss the same restart within so long of each other. */
const SPREAD_MS = 800;
/** A broken one may mend for so long, by itself or by a restart of ICE. */
const MEND_WITHIN_MS = 3_000;
/** Nothing has come for so long: the encoder is gone. The server keeps the connection, and it may come back. */
const STANDS_AFTER_MS = 3_000;
/** Then the server is asked anew, which says whether anybody sends and in what format. */
const ASK_AFTER_MS = 20_000;

/** Another way of watching may help against these. */
const NO_ROOM: ReadonlySet<string> = new Set<RestError["code"]>(["broadcast-full", "server-busy", "no-common-codec"]);

export type WhepState = "connecting" | "waiting" | "full" | "playing" | "reconnecting";

export interface WhepHandlers {
  state(state: WhepState): void;
  /** The picture and sound; a new one after each reconnect. */
  stream(stream: MediaStream): void;
  /** The server gives this viewer no connection; true where another way was taken, and this player is closed. */
  refused?(code: RestError["code"]): boolean;
  /** It is over: the broadcast does not exist, or the server cannot be used. */
  failed(error: RestError): void;
}

export interface WhepMakers {
  peerConnection: () => RTCPeerConnection;
  stream: () => MediaStream;
}

const BROWSER: WhepMakers = {
  peerConnection: () => new RTCPeerConnection({ bundlePolicy: "max-bundle" }),
  stream: () => new MediaStream(),
};

export class WhepPlayer {
  private pc: RTCPeerConnection | null = null;
  private resource: string | null = null;
  /** What the server says of its side of the connection. */
  private answer = "";
  private restarting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private look: ReturnType<typeof setInterval> | undefined;
  private attempts = 0;
  private played = false;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly handlers: WhepHandlers,
    private readonly make: WhepMakers = BROWSER,
  ) {}

  start(): void {
    this.handlers.state("connecting");
    void this.attempt();
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  /** How far what is shown is behind what is sent, in seconds, without the encoder's part; null before anything came. */
  async delay(): Promise<number | null> {
    const report = await this.pc?.getStats();
    const found = { waited: -1, roundTrip: 0 };
    report?.forEach((one: { type: string; kind?: string; jitterBufferDelay?: number; jitterBufferEmittedCount?: number; currentRoundTripTime?: number; nominated?: boolean }) => {
      const { jitterBufferDelay = 0, jitterBufferEmittedCount: count = 0 } = one;
      if (one.type === "inbound-rtp" && one.kind === "video" && count > 0) found.waited = jitterBufferDelay / count;
      if (one.type === "candidate-pair" && one.nominated) found.roundTrip = one.currentRoundTripTime ?? 0;
    });
    return found.waited < 0 ? null : found.waited + found.roundTrip;
  }

  private async attempt(): Promise<void> {
    this.drop();
    if (this.closed) return;
    const pc = this.make.peerConnection();
    this.pc = pc;
    const stream = this.make.stream();
    const receivers = (["video", "audio"] as const).map(
      (kind) => pc.addTransceiver(kind, { direction: "recvonly" }).receiver,
    );
    receivers.forEach(({ track }) => stream.addTrack(track));
    try {
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      const response = await this.post(pc.localDescription?.sdp ?? "");
      if (!response) return;
      const answer = await response.text();
      if (this.pc !== pc || this.closed) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
      this.answer = answer;
    } catch (error) {
      if (this.pc === pc && !this.closed) this.onError(error);
      return;
    }
    this.timer = setTimeout(() => this.again(), CONNECT_WITHIN_MS);
    this.watchEnd(pc, receivers[0]?.transport ?? null);
    pc.onconnectionstatechange = () => this.onConnection(pc, stream);
    this.onConnection(pc, stream);
  }

  /** The answer; null where there is none yet and another attempt was arranged. */
  private async post(sdp: string): Promise<Response | null> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Accept: "application/sdp" },
      body: sdp,
    });
    const location = response.headers.get("Location");
    if (response.ok && location) {
      const resource = new URL(location, new URL(this.url, globalThis.location?.href)).href;
      if (this.closed) {
        remove(resource);
        return null;
      }
      this.resource = resource;
      return response;
    }
    const wait = retryAfter(response);
    const error = await failureOf(response);
    if (response.status === 409 && error.code !== "conflict") {
      this.drop();
      this.handlers.state("waiting");
      this.attempts = 0;
      this.timer = setTimeout(() => void this.attempt(), wait === null ? AGAIN_MS : wait * 1000);
      return null;
    }
    throw error;
  }

  private onConnection(pc: RTCPeerConnection, stream: MediaStream): void {
    if (this.pc !== pc || this.closed) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.timer);
      this.attempts = 0;
      this.played = true;
      this.handlers.stream(stream);
      this.handlers.state("playing");
      this.watchFlow(pc);
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.again();
    } else if (pc.connectionState === "disconnected") {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), MEND_WITHIN_MS);
      void this.restart(pc);
    }
  }

  /** New ways for the same connection (RFC 9725 §4.3.3): keys, streams and the viewer's place stay. */
  private async restart(pc: RTCPeerConnection): Promise<void> {
    const { resource, answer } = this;
    if (this.restarting || !resource || !answer) return;
    this.restarting = true;
    try {
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
      const response = await patch(resource, restartFragment(pc.localDescription?.sdp ?? ""));
      const sdp = response.status === 200 ? restartedAnswer(answer, await response.text()) : null;
      if (this.pc !== pc || this.closed) return;
      if (sdp) {
        await pc.setRemoteDescription({ type: "answer", sdp });
        this.answer = sdp;
      } else if (response.status === 404) this.again();
    } catch {
      // The network is away: looked after by whoever waits for the connection to mend.
    } finally {
      // Nothing came of it; the connection is as it was.
      if (this.pc === pc && pc.signalingState === "have-local-offer") {
        await pc.setLocalDescription({ type: "rollback" }).catch(() => {});
      }
      this.restarting = false;
    }
  }

  /** The server says goodbye on the transport alone; the connection's own state does not show it. */
  private watchEnd(pc: RTCPeerConnection, transport: RTCDtlsTransport | null): void {
    if (!transport) return;
    transport.onstatechange = () => {
      if (this.pc === pc && !this.closed && transport.state === "closed") this.again();
    };
  }

  /** Says when nothing comes any more, and when it does again. */
  private watchFlow(pc: RTCPeerConnection): void {
    let bytes = -1;
    let stoodMs = 0;
    const watchdog = new Watchdog();
    clearInterval(this.look);
    this.look = setInterval(() => {
      void bytesReceived(pc).then((now) => {
        if (this.pc !== pc || this.closed || pc.connectionState !== "connected") return;
        const stood = stoodMs >= STANDS_AFTER_MS;
        stoodMs = now === bytes ? stoodMs + LOOK_EVERY_MS : 0;
        bytes = now;
        if (stoodMs >= ASK_AFTER_MS) this.again();
        else if (stoodMs >= STANDS_AFTER_MS && !stood) this.handlers.state("reconnecting");
        else if (stoodMs === 0 && stood) this.handlers.state("playing");
        // Long before the browser notices; or the encoder stopped, then it does no harm.
        if (watchdog.look(now, true, Date.now())) this.doubt(pc, now);
      });
    }, LOOK_EVERY_MS);
  }

  /** Restarts ICE, not in the same moment as everybody else: where the encoder stumbled, all its viewers see the same. */
  private doubt(pc: RTCPeerConnection, bytes: number): void {
    const look = async () => {
      if (this.pc === pc && !this.closed && (await bytesReceived(pc)) === bytes) void this.restart(pc);
    };
    setTimeout(() => void look(), Math.random() * SPREAD_MS);
  }

  private onError(error: unknown): void {
    const rest = error instanceof RestError ? error : null;
    if (rest && NO_ROOM.has(rest.code) && this.handlers.refused?.(rest.code)) return;
    const passing = !rest || rest.status === 429 || rest.status >= 500 || rest.code === "unreachable";
    if (!passing) {
      this.drop();
      this.handlers.failed(rest);
      return;
    }
    this.again(rest?.retryAfter ?? null);
    // So many watch that no more fit in, or more than the server can send to: there may be room later.
    if (rest?.code === "broadcast-full" || rest?.code === "server-busy") this.handlers.state("full");
  }

  private again(seconds: number | null = null): void {
    this.drop();
    if (this.closed) return;
    this.handlers.state(this.played ? "reconnecting" : "connecting");
    const wait = seconds === null ? Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** this.attempts) : seconds * 1000;
    this.attempts += 1;
    this.timer = setTimeout(() => void this.attempt(), this.played && this.attempts === 1 ? 0 : wait);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearInterval(this.look);
    if (this.resource) remove(this.resource);
    this.resource = null;
    this.answer = "";
    if (this.pc) {
      this.pc.onconnectionstatechange = null;
      this.pc.close();
    }
    this.pc = null;
  }
}

async function bytesReceived(pc: RTCPeerConnection): Promise<number> {
  let bytes = 0;
  (await pc.getStats()).forEach((one: { type: string; bytesReceived?: number }) => {
    if (one.type === "inbound-rtp") bytes += one.bytesReceived ?? 0;
  });
  return bytes;
}
