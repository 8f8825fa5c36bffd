// Watches a broadcast by WHEP. While nobody publishes it asks again. Knows no page.

import { Exchange, type Pace } from "./exchange";
import { LOOK_EVERY_MS, Watchdog } from "./media/watchdog";
import { RestError } from "./rest";

const PACE: Pace = { againMs: 2_000, againMaxMs: 30_000, mendWithinMs: 3_000 };
/** Viewers who miss the same restart within so long of each other. */
const SPREAD_MS = 800;
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

export class WhepPlayer extends Exchange {
  private look: ReturnType<typeof setInterval> | undefined;
  private stream: MediaStream | null = null;

  constructor(
    url: string,
    private readonly handlers: WhepHandlers,
    private readonly makers: WhepMakers = BROWSER,
  ) {
    super(url, {}, PACE);
  }

  start(): void {
    this.handlers.state("connecting");
    void this.attempt();
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

  protected make() {
    const pc = this.makers.peerConnection();
    const stream = this.makers.stream();
    const receivers = (["video", "audio"] as const).map((kind) => pc.addTransceiver(kind, { direction: "recvonly" }).receiver);
    receivers.forEach(({ track }) => stream.addTrack(track));
    this.stream = stream;
    return { pc, transport: () => receivers[0]?.transport ?? null };
  }

  protected onConnected(pc: RTCPeerConnection): void {
    if (this.stream) this.handlers.stream(this.stream);
    this.handlers.state("playing");
    this.watchFlow(pc);
  }

  /** What was received is still played for a moment. */
  protected onBroken(): void {}

  protected onAgain(): void {
    this.handlers.state(this.flowed ? "reconnecting" : "connecting");
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

  protected onError(error: unknown): void {
    const rest = error instanceof RestError ? error : null;
    if (rest?.status === 409 && rest.code !== "conflict") {
      this.handlers.state("waiting");
      this.later(rest.retryAfter);
      return;
    }
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

  protected override drop(): void {
    super.drop();
    clearInterval(this.look);
    this.stream = null;
  }
}

async function bytesReceived(pc: RTCPeerConnection): Promise<number> {
  let bytes = 0;
  (await pc.getStats()).forEach((one: { type: string; bytesReceived?: number }) => {
    if (one.type === "inbound-rtp") bytes += one.bytesReceived ?? 0;
  });
  return bytes;
}
