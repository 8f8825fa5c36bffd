// The studio of a broadcast as data: own sources become one picture and one sound, which WHIP sends. Decides what is
// sent; knows no page.

import { browserOf, canChooseSpeaker, canShareScreen, type DeviceCause, DeviceError } from "../client/devices";
import { Capture } from "../client/media/capture";
import { testSpeaker } from "../client/media/playout";
import { broadcast as shownBroadcast, type RestError } from "../client/rest";
import { forgetStreamKey, keepStreamKey, keptStreamKey, type StreamKey } from "../client/stream-key";
import { Compositor, CORNERS } from "../client/studio/compositor";
import { Mix } from "../client/studio/mix";
import { type Shape, WhipPublisher, type WhipState } from "../client/whip";
import { studioBroadcast } from "./encoder";
import { refusalOf } from "./refusal";
import { remember, remembered } from "./remembered";
import { SendingMeter } from "./sending";
import { Store } from "./store";
import type { StudioActions, StudioCodec, StudioInput, StudioModel, StudioPhase, StudioQuality, StudioSource, StudioView } from "./studio-types";

const LOOK_MS = 1_000;
/** How often the server is asked who watches; each second while another program sends, of which one reads what is wrong. */
const ASK_EVERY = 3;
/** Below it a picture drawn in a page that nobody looks at is no film any more. */
const SLOW_FRAMES = 8;

const QUALITIES: Record<StudioQuality, { height: number; bitrate: number }> = {
  "540": { height: 540, bitrate: 1_200_000 },
  "720": { height: 720, bitrate: 2_500_000 },
  "1080": { height: 1080, bitrate: 4_500_000 },
};
const FRAMES = 30;
/** H.264 first: phones, LL-HLS players and all browsers take it. */
const CODECS: readonly StudioCodec[] = ["H264", "VP9", "VP8"];

export function createStudio(id: string): StudioModel {
  const studio = new Studio(id);
  return { view: studio.view, actions: studio.actions, close: () => studio.close() };
}

class Studio {
  readonly view: Store<StudioView>;
  readonly actions: StudioActions;
  private readonly capture: Capture;
  private readonly mix = new Mix();
  private readonly meter = new SendingMeter();
  private compositor: Compositor | null = null;
  private camera: MediaStreamTrack | null = null;
  private screen: MediaStreamTrack | null = null;
  private screenSound = false;
  private readonly busy = { camera: false, microphone: false, screen: false };
  private screenError: DeviceCause | null = null;
  private publisher: WhipPublisher | null = null;
  private key: StreamKey | null;
  private looks = 0;
  private closed = false;
  private readonly look = setInterval(() => void this.lookAround(), LOOK_MS);
  private readonly leave = () => this.stopSending();
  /** By the browser's back button: what was sent ended when the page went, and nobody shall be on air without knowing. */
  private readonly comeBack = ({ persisted }: PageTransitionEvent) => {
    const { kind } = this.view.get().phase;
    if (persisted && (kind === "connecting" || kind === "live" || kind === "reconnecting")) this.end();
  };
  private readonly onVisible = () => this.visibilityChanged();

  constructor(private readonly id: string) {
    this.key = keptStreamKey(id);
    this.capture = new Capture({
      track: (source, track) => this.onTrack(source, track),
      changed: () => this.show({}),
      lost: () => this.show({}),
      screenEnded: () => this.screenEnded(),
    });
    this.capture.shareMode = "motion";
    this.view = new Store(this.first());
    this.actions = this.makeActions();
    window.addEventListener("pagehide", this.leave);
    window.addEventListener("pageshow", this.comeBack);
    document.addEventListener("visibilitychange", this.onVisible);
    void this.begin();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.look);
    window.removeEventListener("pagehide", this.leave);
    window.removeEventListener("pageshow", this.comeBack);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.stopSending();
    this.capture.close();
    this.mix.close();
    this.compositor?.close();
  }

  private first(): StudioView {
    const off: StudioInput = { on: false, busy: false, error: null };
    const supported = globalThis.RTCRtpSender?.getCapabilities?.("video")?.codecs ?? [];
    const codecs = CODECS.filter((codec) => supported.some(({ mimeType }) => mimeType.toLowerCase() === `video/${codec}`.toLowerCase()));
    const wanted = remembered("studio.quality");
    const corner = remembered("studio.corner");
    return {
      phase: { kind: "loading" },
      broadcast: null,
      source: "camera",
      corner: CORNERS.find((one) => one === corner) ?? "bottom-right",
      picture: null,
      camera: off,
      microphone: off,
      screen: { ...off, error: canShareScreen() ? null : "unsupported", sound: false },
      devices: this.devices(),
      viewers: 0,
      taken: false,
      push: null,
      sending: null,
      reconnects: 0,
      plainWhileHidden: false,
      codec: codecs[0] ?? "VP8",
      codecs,
      quality: wanted === "540" || wanted === "1080" ? wanted : "720",
      simulcast: false,
    };
  }

  private devices(): StudioView["devices"] {
    const { capture } = this;
    return {
      camera: { options: capture.options.camera, chosen: capture.chosen("camera"), error: capture.error("camera") },
      microphone: { options: capture.options.microphone, chosen: capture.chosen("microphone"), error: capture.error("microphone") },
      speaker: { options: canChooseSpeaker() ? capture.options.speaker : [], chosen: capture.chosen("speaker"), error: null },
      browser: browserOf(navigator.userAgent, navigator.maxTouchPoints),
    };
  }

  private makeActions(): StudioActions {
    return {
      giveKey: (key) => this.giveKey(key),
      setSource: (source) => void this.setSource(source),
      setCorner: (corner) => {
        remember("studio.corner", corner);
        if (this.compositor) this.compositor.corner = corner;
        this.show({ corner });
      },
      setCamera: (on) => void this.turn("camera", on),
      setMicrophone: (on) => void this.turn("microphone", on),
      chooseDevice: (kind, device) => void this.capture.choose(kind, device).catch(() => this.show({})),
      retryDevice: (kind) => {
        if (kind !== "speaker") void this.turn(kind, true);
      },
      testSpeaker: () => void testSpeaker(this.capture.chosen("speaker")),
      level: () => this.capture.level(),
      screenLevel: () => this.mix.level("screen-audio"),
      setCodec: (codec) => this.reshape({ codec }),
      setQuality: (quality) => {
        remember("studio.quality", quality);
        this.reshape({ quality });
        this.compositor?.close();
        this.compositor = null;
        this.size();
        this.output();
      },
      setSimulcast: (simulcast) => this.reshape({ simulcast }),
      goLive: () => this.goLive(),
      end: () => this.end(),
    };
  }

  private async begin(): Promise<void> {
    try {
      await this.ask();
    } catch (error) {
      if (!this.closed) this.show({ phase: { kind: "failed", refusal: refusalOf(error) } });
      return;
    }
    if (this.closed) return;
    this.show({ phase: this.key ? { kind: "preview", refusal: null } : { kind: "key", wrong: false } });
    // Whoever came here wants to be seen; the browser asks for leave.
    if (this.key) this.openDevices();
  }

  private openDevices(): void {
    void this.turn("camera", true);
    void this.turn("microphone", true);
  }

  /** What the server says of the broadcast. */
  private async ask(): Promise<void> {
    const said = await shownBroadcast(this.id, this.key?.key);
    const { phase } = this.view.get();
    this.show({
      viewers: said.viewers,
      taken: said.live && (phase.kind === "preview" || phase.kind === "ended"),
      push: said.publisher ?? null,
      broadcast: studioBroadcast(said, this.key),
    });
  }

  private giveKey(given: string): void {
    const key = given.trim();
    if (!key) return;
    this.key = { key };
    keepStreamKey(this.id, this.key);
    const { broadcast } = this.view.get();
    this.show({ phase: { kind: "preview", refusal: null }, broadcast: broadcast && { ...broadcast, streamKey: key } });
    this.openDevices();
  }

  private async turn(kind: "camera" | "microphone", on: boolean): Promise<void> {
    this.busy[kind] = on;
    this.show({});
    try {
      await (kind === "camera" ? this.capture.setCamera(on) : this.capture.setMicrophone(on));
    } catch {
      // `Capture` knows why, and the page says it.
    } finally {
      this.busy[kind] = false;
      this.show({});
    }
  }

  private async setSource(source: StudioSource): Promise<void> {
    if (source !== "camera" && !this.screen) {
      this.busy.screen = true;
      this.screenError = null;
      this.show({});
      try {
        if (!(await this.capture.setScreen(true))) return;
      } catch (error) {
        this.screenError = error instanceof DeviceError ? error.cause : "unknown";
        return;
      } finally {
        this.busy.screen = false;
        this.show({});
      }
    }
    if (source === "camera" && this.screen) await this.capture.setScreen(false);
    this.show({ source });
    this.output();
    if (source === "both" && !this.camera) await this.turn("camera", true);
  }

  private screenEnded(): void {
    this.show({ source: "camera" });
    this.output();
  }

  private onTrack(source: string, track: MediaStreamTrack | null): void {
    if (source === "camera") {
      this.camera = track;
      this.size();
    } else if (source === "screen") {
      this.screen = track;
      // Letters that cannot be read are worse than a mouse that jumps.
      if (track) track.contentHint = "detail";
    } else {
      if (source === "screen-audio") this.screenSound = track !== null;
      this.mix.set(source === "microphone" ? "microphone" : "screen-audio", track);
      this.publisher?.setTrack("audio", this.mix.track());
    }
    this.output();
  }

  /** Asks the camera for as many lines as are to leave; one that has fewer gives what it has. */
  private size(): void {
    const { height } = QUALITIES[this.view.get().quality];
    this.camera?.applyConstraints({ width: { ideal: (height * 16) / 9 }, height: { ideal: height }, frameRate: { ideal: FRAMES } }).catch(() => {});
  }

  /** What viewers get now. */
  private output(): void {
    const { source, plainWhileHidden, phase } = this.view.get();
    const { screen, camera } = this;
    const both = source === "both" && screen && camera && !plainWhileHidden;
    const plain = source === "camera" ? camera : screen;
    const sends = phase.kind === "connecting" || phase.kind === "live" || phase.kind === "reconnecting";
    // Without any source the stream goes on, dark: players would take a pause for its end.
    const composed = both || (plain === null && sends);
    if (composed) this.composed().set(both ? screen : null, both ? camera : null);
    else if (!plainWhileHidden) {
      this.compositor?.close();
      this.compositor = null;
    }
    const track = composed ? this.composed().track : plain;
    if (this.view.get().picture?.getVideoTracks()[0] !== (track ?? undefined)) {
      this.show({ picture: track && new MediaStream([track]) });
    }
    this.publisher?.setTrack("video", track);
  }

  private composed(): Compositor {
    const { quality, corner } = this.view.get();
    const { height } = QUALITIES[quality];
    this.compositor ??= new Compositor((height * 16) / 9, height);
    this.compositor.corner = corner;
    return this.compositor;
  }

  private reshape(change: Partial<Pick<StudioView, "codec" | "quality" | "simulcast">>): void {
    this.show(change);
    this.publisher?.setShape(this.shape());
  }

  private shape(): Shape {
    const { codec, quality, simulcast } = this.view.get();
    return { codec, simulcast, bitrate: QUALITIES[quality].bitrate, framesPerSecond: FRAMES };
  }

  private goLive(): void {
    if (!this.key || this.publisher) return;
    this.meter.reset();
    this.publisher = new WhipPublisher(`/whip/${encodeURIComponent(this.id)}`, this.key.key, this.shape(), {
      state: (state) => this.onState(state),
      failed: (error) => this.onFailed(error),
    });
    this.show({ phase: { kind: "connecting" }, sending: null, reconnects: 0, taken: false });
    this.output();
    this.publisher.setTrack("audio", this.mix.track());
    this.publisher.start();
  }

  private onState(state: WhipState): void {
    const { phase, reconnects } = this.view.get();
    const since = phase.kind === "live" || phase.kind === "reconnecting" ? phase.since : null;
    if (state === "live") this.show({ phase: { kind: "live", since: since ?? Date.now() } });
    else if (state === "reconnecting" && since !== null) {
      this.show({ phase: { kind: "reconnecting", since }, reconnects: phase.kind === "live" ? reconnects + 1 : reconnects });
    }
  }

  private onFailed(error: RestError): void {
    this.stopSending();
    if (error.code === "wrong-stream-key") {
      forgetStreamKey(this.id);
      this.key = null;
      this.show({ phase: { kind: "key", wrong: true }, sending: null });
    } else this.show({ phase: { kind: "preview", refusal: refusalOf(error) }, sending: null });
  }

  private end(): void {
    const { phase } = this.view.get();
    this.stopSending();
    const next: StudioPhase = phase.kind === "live" || phase.kind === "reconnecting" ? { kind: "ended", lasted: Date.now() - phase.since } : { kind: "preview", refusal: null };
    this.show({ phase: next, sending: null, viewers: 0, plainWhileHidden: false });
    this.output();
  }

  private stopSending(): void {
    this.publisher?.close();
    this.publisher = null;
  }

  private async lookAround(): Promise<void> {
    this.looks += 1;
    const { phase } = this.view.get();
    if (this.publisher && phase.kind === "live") {
      const report = await this.publisher.stats();
      const sending = report && this.meter.look(report, Date.now());
      if (sending && this.publisher) {
        this.show({ sending });
        this.mindHidden(sending.framesPerSecond);
      }
    }
    const shown = phase.kind !== "loading" && phase.kind !== "failed";
    // Without an answer the numbers stay as they were; sending says by itself when the server is away.
    const every = this.view.get().taken ? 1 : ASK_EVERY;
    if (shown && !document.hidden && this.looks % every === 0) await this.ask().catch(() => {});
  }

  /** Where the browser draws too slowly in the background, the screen goes out as it is, without the camera. */
  private mindHidden(frames: number): void {
    const { source, plainWhileHidden } = this.view.get();
    if (!document.hidden || source !== "both" || plainWhileHidden || frames >= SLOW_FRAMES) return;
    this.show({ plainWhileHidden: true });
    this.output();
  }

  private visibilityChanged(): void {
    if (document.hidden || !this.view.get().plainWhileHidden) return;
    this.show({ plainWhileHidden: false });
    this.output();
  }

  private show(change: Partial<StudioView>): void {
    // `Capture` speaks up while it is made.
    if (this.closed || !(this.view as Store<StudioView> | undefined)) return;
    const { capture, busy } = this;
    this.view.update((view) => ({
      ...view,
      camera: { on: capture.isOn("camera"), busy: busy.camera, error: capture.error("camera") },
      microphone: { on: capture.isOn("microphone"), busy: busy.microphone, error: capture.error("microphone") },
      screen: { on: this.screen !== null, busy: busy.screen, error: canShareScreen() ? this.screenError : "unsupported", sound: this.screenSound },
      devices: this.devices(),
      ...change,
    }));
  }
}
