// What WHIP and WHEP have in common: a peer connection that is offered by POST, restarted by PATCH, deleted at the end,
// and made anew where it breaks. Knows not which way media flows.

import { restartedAnswer, restartFragment } from "./fragment";
import { failureOf, RestError } from "./rest";
import { timed } from "./timed";

/** How long a restart is waited for: the HTTP connection of before may be as dead as the one of the media, and a
 * second request gets another one. */
const PATCH_WITHIN_MS = [1_000, 4_000];
/** An answer that is not there by then will not come: the request went into a dead connection. */
const POST_WITHIN_MS = 8_000;
/** A connection that is not there by then will not come. */
const CONNECT_WITHIN_MS = 10_000;
/** The server is found without our candidates; those found at once go along. */
const GATHER_WITHIN_MS = 300;

export type Headers = Record<string, string>;

export interface Pace {
  /** Where the server names no time: the first wait, which doubles, and the longest. */
  againMs: number;
  againMaxMs: number;
  /** A broken connection may mend for so long, by itself or by a restart of ICE. */
  mendWithinMs: number;
}

export abstract class Exchange {
  protected pc: RTCPeerConnection | null = null;
  protected closed = false;
  /** It has flowed once. */
  protected flowed = false;
  /** When a session was given up that the server may still hold. */
  protected givenUpAt: number | null = null;
  private resource: string | null = null;
  /** What the server says of its side of the connection. */
  private answer = "";
  private restarting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;

  constructor(
    private readonly url: string,
    private readonly headers: Headers,
    private readonly pace: Pace,
  ) {}

  close(): void {
    this.closed = true;
    this.drop();
  }

  /** A new connection, with what is to flow; the transport is looked at for the server's goodbye. */
  protected abstract make(): { pc: RTCPeerConnection; transport: () => RTCDtlsTransport | null };
  protected abstract onConnected(pc: RTCPeerConnection): void;
  /** It is broken, and being mended. */
  protected abstract onBroken(): void;
  /** There will be another attempt. */
  protected abstract onAgain(): void;
  protected abstract onError(error: unknown): void;

  /** The server's answer as it is to be taken. */
  protected answered(answer: string): string {
    return answer;
  }

  protected async attempt(): Promise<void> {
    this.drop();
    if (this.closed) return;
    const { pc, transport: transportOf } = this.make();
    this.pc = pc;
    try {
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      const answer = await this.post(pc);
      if (answer === null) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
      this.answer = answer;
    } catch (error) {
      if (this.pc === pc && !this.closed) this.onError(error);
      return;
    }
    this.timer = setTimeout(() => this.again(), CONNECT_WITHIN_MS);
    const transport = transportOf();
    // The server says goodbye on the transport alone; the connection's own state does not show it.
    if (transport) {
      transport.onstatechange = () => {
        if (this.pc === pc && !this.closed && transport.state === "closed") this.again();
      };
    }
    pc.onconnectionstatechange = () => this.onConnection(pc);
    this.onConnection(pc);
  }

  /** The answer; null where nobody wants it any more. */
  private async post(pc: RTCPeerConnection): Promise<string | null> {
    try {
      return await timed(POST_WITHIN_MS, async (signal) => {
        const response = await fetch(this.url, {
          method: "POST",
          headers: { ...this.headers, "Content-Type": "application/sdp", Accept: "application/sdp" },
          body: pc.localDescription?.sdp ?? "",
          signal,
        });
        const location = response.headers.get("Location");
        if (!response.ok || !location) throw await failureOf(response);
        const resource = new URL(location, new URL(this.url, globalThis.location?.href)).href;
        if (this.pc !== pc || this.closed) {
          remove(resource, this.headers);
          return null;
        }
        this.resource = resource;
        const answer = this.answered(await response.text());
        return this.pc === pc ? answer : null;
      });
    } catch (error) {
      // The offer may have arrived, and its answer been lost.
      if (!(error instanceof RestError)) this.givenUpAt = Date.now();
      throw error;
    }
  }

  private onConnection(pc: RTCPeerConnection): void {
    if (this.pc !== pc || this.closed) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.timer);
      this.attempts = 0;
      this.flowed = true;
      this.onConnected(pc);
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.again();
    } else if (pc.connectionState === "disconnected") {
      this.onBroken();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), this.pace.mendWithinMs);
      void this.restart(pc);
    }
  }

  /** New ways for the same connection (RFC 9725 §4.3.3): keys and streams stay, others notice a pause at most. */
  protected async restart(pc: RTCPeerConnection): Promise<void> {
    const { resource, answer } = this;
    if (this.restarting || !resource || !answer) return;
    this.restarting = true;
    try {
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
      const response = await patch(resource, restartFragment(pc.localDescription?.sdp ?? ""), this.headers);
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

  /** Begins anew: at once where it flowed before, else later each time, or when the server says. */
  protected again(seconds: number | null = null): void {
    this.drop();
    if (this.closed) return;
    this.onAgain();
    const { againMs, againMaxMs } = this.pace;
    const wait = seconds === null ? Math.min(againMaxMs, againMs * 2 ** this.attempts) : seconds * 1000;
    const atOnce = this.flowed && this.attempts === 0;
    this.attempts += 1;
    this.timer = setTimeout(() => void this.attempt(), atOnce ? 0 : wait);
  }

  /** Asks again, as often as it takes. */
  protected later(seconds: number | null): void {
    this.drop();
    this.attempts = 0;
    this.timer = setTimeout(() => void this.attempt(), seconds === null ? this.pace.againMs : seconds * 1000);
  }

  protected drop(): void {
    clearTimeout(this.timer);
    if (this.resource) {
      this.givenUpAt = Date.now();
      remove(this.resource, this.headers);
    }
    this.resource = null;
    this.answer = "";
    if (this.pc) {
      this.pc.onconnectionstatechange = null;
      this.pc.close();
    }
    this.pc = null;
  }
}

/** Restarts ICE by a fragment (RFC 9725 §4.3.3). */
async function patch(resource: string, fragment: string, headers: Headers): Promise<Response> {
  let failed: unknown = null;
  for (const within of PATCH_WITHIN_MS) {
    try {
      return await fetch(resource, {
        method: "PATCH",
        headers: { ...headers, "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
        body: fragment,
        signal: AbortSignal.timeout(within),
      });
    } catch (error) {
      failed = error;
    }
  }
  throw failed;
}

/** Also while the page goes away. */
function remove(resource: string, headers: Headers): void {
  void fetch(resource, { method: "DELETE", headers, keepalive: true }).catch(() => {});
}

function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_WITHIN_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
