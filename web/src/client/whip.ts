// Publishes a broadcast by WHIP (RFC 9725): one POST with an offer, one DELETE at the end. A broken connection restarts
// ICE by PATCH and starts anew where that does not help. Tracks and rates change without a new offer. Knows no page.

import { gathered, type Headers, patch, remove } from "./exchange";
import { restartedAnswer, restartFragment } from "./fragment";
import { prefer } from "./media/codecs";
import { failureOf, RestError } from "./rest";

const AGAIN_MS = 1_000;
const AGAIN_MAX_MS = 15_000;
const CONNECT_WITHIN_MS = 10_000;
/** A broken one may mend for so long, by itself or by a restart of ICE. */
const MEND_WITHIN_MS = 4_000;
/** The server takes our own lost session for somebody else's until it has missed it for 7 s. */
const OWN_GHOST_MS = 30_000;
/** Music in stereo needs it; speech takes a third of it. */
const SOUND_BITS_PER_SECOND = 128_000;

export type WhipState = "connecting" | "live" | "reconnecting";

/** What leaves, at most. */
export interface Shape {
  /** `H264`, `VP8` or `VP9`: offered first. */
  codec: string;
  /** Bits a second of the best picture. */
  bitrate: number;
  framesPerSecond: number;
  /** Smaller pictures beside it, for viewers with thin links. */
  simulcast: boolean;
}

export interface WhipHandlers {
  state(state: WhipState): void;
  /** It is over: the key is wrong, somebody else publishes, or the server cannot be used. */
  failed(error: RestError): void;
}

export interface WhipMakers {
  peerConnection: () => RTCPeerConnection;
}

const BROWSER: WhipMakers = { peerConnection: () => new RTCPeerConnection({ bundlePolicy: "max-bundle" }) };
type Kind = "video" | "audio";

export class WhipPublisher {
  private pc: RTCPeerConnection | null = null;
  private senders: Partial<Record<Kind, RTCRtpSender>> = {};
  private readonly tracks: Record<Kind, MediaStreamTrack | null> = { video: null, audio: null };
  private resource: string | null = null;
  private answer = "";
  private restarting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;
  /** When it was live last; null before it was. */
  private liveAt: number | null = null;
  private closed = false;
  private readonly headers: Headers;

  constructor(
    private readonly url: string,
    key: string,
    private shape: Shape,
    private readonly handlers: WhipHandlers,
    private readonly make: WhipMakers = BROWSER,
  ) {
    this.headers = { Authorization: `Bearer ${key}` };
  }

  start(): void {
    this.handlers.state("connecting");
    void this.attempt();
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  /** What is sent from now on; `null` sends nothing of the kind. */
  setTrack(kind: Kind, track: MediaStreamTrack | null): void {
    if (this.tracks[kind] === track) return;
    this.tracks[kind] = track;
    // A sender refuses a track only while its connection closes: the next one begins with it.
    this.senders[kind]?.replaceTrack(track).catch(() => {});
  }

  /** Rates hold at once, codec and simulcast from the next connection on. */
  setShape(shape: Shape): void {
    this.shape = shape;
    const sender = this.senders.video;
    if (!sender) return;
    const parameters = sender.getParameters();
    const wanted = encodings(shape, parameters.encodings.length > 1);
    parameters.encodings.forEach((encoding, index) => {
      const { maxBitrate, maxFramerate } = wanted[index] ?? {};
      Object.assign(encoding, { maxBitrate, maxFramerate });
    });
    sender.setParameters(parameters).catch(() => {});
  }

  async stats(): Promise<RTCStatsReport | null> {
    return (await this.pc?.getStats()) ?? null;
  }

  private async attempt(): Promise<void> {
    this.drop();
    if (this.closed) return;
    const pc = this.make.peerConnection();
    this.pc = pc;
    const video = pc.addTransceiver(this.tracks.video ?? "video", { direction: "sendonly", sendEncodings: encodings(this.shape, this.shape.simulcast) });
    const audio = pc.addTransceiver(this.tracks.audio ?? "audio", { direction: "sendonly" });
    prefer(video, "video", `video/${this.shape.codec}`);
    this.senders = { video: video.sender, audio: audio.sender };
    try {
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      const answer = await this.post(pc.localDescription?.sdp ?? "");
      if (answer === null || this.pc !== pc || this.closed) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
      this.answer = answer;
    } catch (error) {
      if (this.pc === pc && !this.closed) this.onError(error);
      return;
    }
    this.timer = setTimeout(() => this.again(), CONNECT_WITHIN_MS);
    const { transport } = video.sender;
    // The server says goodbye on the transport alone; the connection's own state does not show it.
    if (transport) {
      transport.onstatechange = () => {
        if (this.pc === pc && !this.closed && transport.state === "closed") this.again();
      };
    }
    pc.onconnectionstatechange = () => this.onConnection(pc);
    this.onConnection(pc);
  }

  private async post(sdp: string): Promise<string | null> {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { ...this.headers, "Content-Type": "application/sdp", Accept: "application/sdp" },
      body: sdp,
    });
    const location = response.headers.get("Location");
    if (!response.ok || !location) throw await failureOf(response);
    const resource = new URL(location, new URL(this.url, globalThis.location?.href)).href;
    if (this.closed) {
      remove(resource, this.headers);
      return null;
    }
    this.resource = resource;
    return inStereo(await response.text());
  }

  private onConnection(pc: RTCPeerConnection): void {
    if (this.pc !== pc || this.closed) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.timer);
      this.attempts = 0;
      this.liveAt = Date.now();
      this.handlers.state("live");
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.again();
    } else if (pc.connectionState === "disconnected") {
      this.liveAt = Date.now();
      this.handlers.state("reconnecting");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), MEND_WITHIN_MS);
      void this.restart(pc);
    }
  }

  /** New ways for the same connection: viewers notice a pause and no new stream. */
  private async restart(pc: RTCPeerConnection): Promise<void> {
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
      if (this.pc === pc && pc.signalingState === "have-local-offer") {
        await pc.setLocalDescription({ type: "rollback" }).catch(() => {});
      }
      this.restarting = false;
    }
  }

  private onError(error: unknown): void {
    const rest = error instanceof RestError ? error : null;
    const ghost = rest?.code === "already-publishing" && this.liveAt !== null && Date.now() - this.liveAt < OWN_GHOST_MS;
    const passing = !rest || ghost || rest.status === 429 || rest.status >= 500 || rest.code === "unreachable";
    if (passing) {
      this.again(rest?.retryAfter ?? null);
      return;
    }
    this.drop();
    this.handlers.failed(rest);
  }

  private again(seconds: number | null = null): void {
    this.drop();
    if (this.closed) return;
    this.handlers.state(this.liveAt === null ? "connecting" : "reconnecting");
    const wait = seconds === null ? Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** this.attempts) : seconds * 1000;
    const first = this.liveAt !== null && this.attempts === 0;
    this.attempts += 1;
    this.timer = setTimeout(() => void this.attempt(), first ? 0 : wait);
  }

  private drop(): void {
    clearTimeout(this.timer);
    if (this.resource) remove(this.resource, this.headers);
    this.resource = null;
    this.answer = "";
    this.senders = {};
    if (this.pc) {
      this.pc.onconnectionstatechange = null;
      this.pc.close();
    }
    this.pc = null;
  }
}

/** Lowest first, as the server expects them; one without a name where there is no simulcast. */
export function encodings(shape: Shape, simulcast: boolean): RTCRtpEncodingParameters[] {
  const { bitrate, framesPerSecond } = shape;
  if (!simulcast) return [{ maxBitrate: bitrate, maxFramerate: framesPerSecond }];
  return [
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: Math.round(bitrate / 12), maxFramerate: framesPerSecond },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: Math.round(bitrate / 3.5), maxFramerate: framesPerSecond },
    { rid: "f", scaleResolutionDownBy: 1, maxBitrate: bitrate, maxFramerate: framesPerSecond },
  ];
}

/** The answer, with Opus in stereo: browsers send one channel unless it asks for two (RFC 7587 §6.1). */
export function inStereo(answer: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/imu.exec(answer)?.[1];
  if (opus === undefined) return answer;
  const wanted = `stereo=1;maxaveragebitrate=${SOUND_BITS_PER_SECOND}`;
  const line = new RegExp(`^a=fmtp:${opus} .*?(?=\\r?$)`, "mu");
  const said = line.exec(answer)?.[0];
  if (said === undefined) return answer.replace(new RegExp(`^(a=rtpmap:${opus} opus/48000/2)(\\r?\\n)`, "imu"), `$1$2a=fmtp:${opus} ${wanted}$2`);
  return /[ ;]stereo=/u.test(said) ? answer : answer.replace(line, `${said};${wanted}`);
}
