// Publishes a broadcast by WHIP (RFC 9725). Tracks and rates change without a new offer. Knows no page.

import { Exchange, type Pace } from "./exchange";
import { prefer } from "./media/codecs";
import { RestError } from "./rest";

const PACE: Pace = { againMs: 1_000, againMaxMs: 15_000, mendWithinMs: 4_000 };
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

export class WhipPublisher extends Exchange {
  private senders: Partial<Record<Kind, RTCRtpSender>> = {};
  private readonly tracks: Record<Kind, MediaStreamTrack | null> = { video: null, audio: null };

  constructor(
    url: string,
    key: string,
    private shape: Shape,
    private readonly handlers: WhipHandlers,
    private readonly makers: WhipMakers = BROWSER,
  ) {
    super(url, { Authorization: `Bearer ${key}` }, PACE);
  }

  start(): void {
    this.handlers.state("connecting");
    void this.attempt();
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

  protected make() {
    const pc = this.makers.peerConnection();
    const video = pc.addTransceiver(this.tracks.video ?? "video", { direction: "sendonly", sendEncodings: encodings(this.shape, this.shape.simulcast) });
    const audio = pc.addTransceiver(this.tracks.audio ?? "audio", { direction: "sendonly" });
    prefer(video, "video", `video/${this.shape.codec}`);
    this.senders = { video: video.sender, audio: audio.sender };
    return { pc, transport: () => video.sender.transport };
  }

  protected override answered(answer: string): string {
    return inStereo(answer);
  }

  protected onConnected(): void {
    this.handlers.state("live");
  }

  protected onBroken(): void {
    this.handlers.state("reconnecting");
  }

  protected onAgain(): void {
    this.handlers.state(this.flowed ? "reconnecting" : "connecting");
  }

  protected onError(error: unknown): void {
    const rest = error instanceof RestError ? error : null;
    const ghost = rest?.code === "already-publishing" && this.givenUpAt !== null && Date.now() - this.givenUpAt < OWN_GHOST_MS;
    const passing = !rest || ghost || rest.status === 429 || rest.status >= 500 || rest.code === "unreachable";
    if (passing) {
      this.again(rest?.retryAfter ?? null);
      return;
    }
    this.drop();
    this.handlers.failed(rest);
  }

  protected override drop(): void {
    super.drop();
    this.senders = {};
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
