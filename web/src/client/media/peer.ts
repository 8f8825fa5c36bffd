// One RTCPeerConnection with the sections that the server expects: four that send, in the order of
// the sources, and a fixed pool of receive slots. Its SDP is made once; later offers only restart ICE.

import type { SendSlot, SlotCounts, Source } from "../protocol";
import { SOURCES } from "../protocol";
import { prefer } from "./codecs";
import { activeLayers, CAMERA_ENCODINGS, layerScales, SCREEN_ENCODINGS, screenEncodings, type ShareMode } from "./layers";
import type { Decoded } from "./slots";
import { withSoundRepair } from "./sound";

export const CONFIGURATION: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };

/** Codec offered first: every browser sends it in several qualities. */
const FIRST_VIDEO = "video/VP8";

/** Each packet repeats the one before it, which the server hands on where that was lost. Firefox has none. */
const FIRST_SOUND = "audio/red";

export class Peer {
  private readonly senders = new Map<Source, RTCRtpTransceiver>();
  private readonly slots: RTCRtpTransceiver[] = [];
  /** Changes of encodings one after another: `setParameters` takes back what another call changed. */
  private parameters: Promise<void> = Promise.resolve();
  private wanted: number | null = null;
  private shareMode: ShareMode = "text";

  constructor(
    readonly pc: RTCPeerConnection,
    counts: SlotCounts,
  ) {
    for (const source of SOURCES) this.senders.set(source, this.addSender(source));
    for (let slot = 0; slot < counts.video; slot += 1) this.slots.push(this.addSlot("video"));
    for (let slot = 0; slot < counts.audio; slot += 1) this.slots.push(this.addSlot("audio"));
  }

  private addSender(source: Source): RTCRtpTransceiver {
    const kind = source === "microphone" || source === "screen-audio" ? "audio" : "video";
    const init: RTCRtpTransceiverInit = { direction: "sendonly" };
    if (source === "camera") init.sendEncodings = CAMERA_ENCODINGS.map((encoding) => ({ ...encoding }));
    if (source === "screen") init.sendEncodings = SCREEN_ENCODINGS.map((encoding) => ({ ...encoding }));
    const transceiver = this.pc.addTransceiver(kind, init);
    prefer(transceiver, kind, kind === "video" ? FIRST_VIDEO : FIRST_SOUND);
    return transceiver;
  }

  private addSlot(kind: "audio" | "video"): RTCRtpTransceiver {
    const transceiver = this.pc.addTransceiver(kind, { direction: "recvonly" });
    if (kind === "video") prefer(transceiver, kind, FIRST_VIDEO);
    return transceiver;
  }

  /** Makes an offer and takes it as the local description. */
  async offer(iceRestart: boolean): Promise<{ sdp: string; sends: SendSlot[] }> {
    if (iceRestart) this.pc.restartIce();
    const offer = await this.pc.createOffer();
    const repaired = { type: offer.type, sdp: withSoundRepair(offer.sdp ?? "") };
    // A browser that takes its own text only goes without.
    await this.pc.setLocalDescription(repaired).catch(() => this.pc.setLocalDescription(offer));
    const sends = [...this.senders].flatMap(([source, { mid }]) => (mid === null ? [] : [{ mid, source }]));
    return { sdp: this.pc.localDescription?.sdp ?? "", sends };
  }

  async accept(sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** The track that comes in each slot, by its `mid`. */
  receivers(): Map<string, MediaStreamTrack> {
    return new Map(this.slots.flatMap(({ mid, receiver }) => (mid === null ? [] : [[mid, receiver.track] as const])));
  }

  /** The sounds of all slots: whoever is loudest comes in some of them. */
  sounds(): MediaStreamTrack[] {
    return this.slots.map(({ receiver }) => receiver.track).filter((track) => track.kind === "audio");
  }

  async setTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    await this.senders.get(source)?.sender.replaceTrack(track);
    if (source === "camera" && track) this.setLayers();
    if (source === "screen" && track) this.setShareLayers();
  }

  /** The height of the largest tile that shows our camera: higher layers are not sent. */
  setWanted(height: number): void {
    this.wanted = height;
    this.setLayers();
  }

  /** What the shared screen shows. */
  setShareMode(mode: ShareMode): void {
    this.shareMode = mode;
    this.setShareLayers();
  }

  private setShareLayers(): void {
    const sender = this.senders.get("screen")?.sender;
    const height = sender?.track?.getSettings().height;
    if (!sender || !height) return;
    const mode = this.shareMode;
    this.parameters = this.parameters
      .then(async () => {
        const parameters = sender.getParameters();
        const wanted = screenEncodings(mode, height);
        parameters.encodings.forEach((encoding, index) => {
          const { rid: _rid, ...rest } = wanted[index] ?? {};
          Object.assign(encoding, { active: true }, rest);
        });
        // Text gives up pictures where there is no room, motion gives up pixels.
        parameters.degradationPreference = mode === "text" ? "maintain-resolution" : "maintain-framerate";
        await sender.setParameters(parameters);
      })
      // A browser that cannot do it goes on as it was.
      .catch(() => {});
  }

  private setLayers(): void {
    const sender = this.senders.get("camera")?.sender;
    const own = sender?.track?.getSettings().height;
    if (!sender || !own) return;
    this.parameters = this.parameters
      .then(async () => {
        const parameters = sender.getParameters();
        if (parameters.encodings.length < 2) return;
        const scales = layerScales(own);
        const active = activeLayers(scales, own, this.wanted ?? own);
        const changed = parameters.encodings.filter((encoding, index) => {
          const scale = scales[index] ?? 1;
          const before = [encoding.active, encoding.scaleResolutionDownBy];
          encoding.active = active[index] ?? false;
          encoding.scaleResolutionDownBy = scale;
          return before[0] !== encoding.active || before[1] !== scale;
        });
        if (changed.length === 0) return;
        await sender.setParameters(parameters);
      })
      // A browser that cannot do it sends more than is watched, no harm.
      .catch(() => {});
  }

  sending(): boolean {
    return [...this.senders.values()].some(({ sender }) => sender.track?.readyState === "live");
  }

  /** Bytes of the whole transport so far. */
  async received(): Promise<number> {
    let transport = 0;
    let pairs = 0;
    (await this.pc.getStats()).forEach((report: { type: string; bytesReceived?: number }) => {
      if (report.type === "transport") transport += report.bytesReceived ?? 0;
      // Firefox has no report of the transport.
      if (report.type === "candidate-pair") pairs += report.bytesReceived ?? 0;
    });
    return transport || pairs;
  }

  async decoded(mid: string): Promise<Decoded | null> {
    const slot = this.slots.find((one) => one.mid === mid);
    if (!slot) return null;
    let found: Decoded | null = null;
    (await slot.receiver.getStats()).forEach(
      (report: { type: string; framesDecoded?: number; keyFramesDecoded?: number }) => {
        if (report.type === "inbound-rtp") {
          found = { frames: report.framesDecoded ?? 0, keyFrames: report.keyFramesDecoded ?? 0 };
        }
      },
    );
    return found;
  }

  /** The browser's numbers of what is sent as a source, or of what a slot receives in this track. */
  numbers(of: Source | MediaStreamTrack): Promise<RTCStatsReport> | null {
    if (typeof of === "string") {
      const sender = this.senders.get(of)?.sender;
      return sender?.track ? sender.getStats() : null;
    }
    return this.slots.find(({ receiver }) => receiver.track === of)?.receiver.getStats() ?? null;
  }

  close(): void {
    this.pc.onicecandidate = this.pc.oniceconnectionstatechange = this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
