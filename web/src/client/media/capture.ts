// One's own sources: opens and closes devices, gives tracks to send, and copes with a plug pulled.
// A muted microphone sends nothing at all; it stays open on this machine so that "you are muted"
// can be said to somebody who speaks. A camera that is off is closed: its light goes out.

import {
  available, DeviceError, type DeviceCause, type DeviceKind, type DeviceOption, listDevices, openDevice, openScreen,
  rememberDevice, rememberedDevice,
} from "../devices";
import type { Source } from "../protocol";
import { SHARE_FRAMES, SHARE_HINT, type ShareMode } from "./layers";
import { barOf, LevelMeter, SpeechDetector } from "./level";

/** How often a muted microphone is listened to. */
const LISTEN_EVERY_MS = 150;

export interface CaptureHandlers {
  /** What is to be sent as a source from now on. */
  track(source: Source, track: MediaStreamTrack | null): void;
  /** Lists, choices, errors or the preview changed. */
  changed(): void;
  /** The device in use went away; its replacement's label, or null where there is none. */
  lost(kind: "microphone" | "camera", fallback: string | null): void;
  /** The screen share ended by the browser's own button. */
  screenEnded(): void;
}

interface Input {
  on: boolean;
  track: MediaStreamTrack | null;
  error: DeviceCause | null;
  /** The newest wish counts; an older one that ends later is undone. */
  turn: number;
}

export class Capture {
  options: Record<DeviceKind, DeviceOption[]> = { microphone: [], camera: [], speaker: [] };
  speakingWhileMuted = false;
  shareMode: ShareMode = "text";
  private readonly microphone: Input = { on: false, track: null, error: null, turn: 0 };
  private readonly camera: Input = { on: false, track: null, error: null, turn: 0 };
  private screen: { video: MediaStreamTrack; audio: MediaStreamTrack | null } | null = null;
  /** As `Input.turn`: people take their time to choose a window. */
  private screenTurn = 0;
  private previewStream: MediaStream | null = null;
  private meter: LevelMeter | null = null;
  private readonly speech = new SpeechDetector();
  private listening: ReturnType<typeof setInterval> | undefined;
  private readonly onDevices = () => void this.devicesChanged();

  constructor(private readonly handlers: CaptureHandlers) {
    navigator.mediaDevices?.addEventListener?.("devicechange", this.onDevices);
    this.listening = setInterval(() => this.listen(), LISTEN_EVERY_MS);
    void this.refresh();
  }

  /** The device in use, or the one that would be. */
  chosen(kind: DeviceKind): string | null {
    const inUse = kind === "speaker" ? null : this.input(kind).track?.getSettings().deviceId;
    return inUse ?? available(this.options[kind], rememberedDevice(kind));
  }

  error(kind: "microphone" | "camera"): DeviceCause | null {
    return this.input(kind).error;
  }

  isOn(kind: "microphone" | "camera"): boolean {
    return this.input(kind).on;
  }

  /** The own camera's picture. */
  preview(): MediaStream | null {
    return this.previewStream;
  }

  /** 0 to 1. */
  level(): number {
    return this.meter ? barOf(this.meter.loudness()) : 0;
  }

  /** @throws DeviceError */
  async setMicrophone(on: boolean): Promise<void> {
    const input = this.microphone;
    input.turn += 1;
    input.on = on;
    if (!on) {
      this.handlers.track("microphone", null);
      this.handlers.changed();
      return;
    }
    await this.open("microphone");
  }

  /** @throws DeviceError */
  async setCamera(on: boolean): Promise<void> {
    const input = this.camera;
    input.turn += 1;
    input.on = on;
    if (!on) {
      this.drop("camera");
      this.handlers.track("camera", null);
      this.handlers.changed();
      return;
    }
    await this.open("camera");
  }

  /** Null: it is wanted no more, since another wish came or the page was left.
   * @throws DeviceError */
  async setScreen(on: boolean): Promise<{ audio: boolean } | null> {
    const turn = ++this.screenTurn;
    this.dropScreen();
    if (!on) return { audio: false };
    const screen = await openScreen(SHARE_FRAMES[this.shareMode]);
    if (turn !== this.screenTurn) {
      screen.video.stop();
      screen.audio?.stop();
      return null;
    }
    screen.video.contentHint = SHARE_HINT[this.shareMode];
    this.screen = screen;
    screen.video.onended = () => {
      if (this.screen !== screen) return;
      this.dropScreen();
      this.handlers.screenEnded();
    };
    this.handlers.track("screen", screen.video);
    if (screen.audio) this.handlers.track("screen-audio", screen.audio);
    return { audio: screen.audio !== null };
  }

  /** What the shared screen shows, now or when one will be. */
  setShareMode(mode: ShareMode): void {
    this.shareMode = mode;
    const track = this.screen?.video;
    if (!track) return;
    track.contentHint = SHARE_HINT[mode];
    // A browser that cannot change it sends as many as the encoder takes.
    void track.applyConstraints({ frameRate: { ideal: SHARE_FRAMES[mode], max: 30 } }).catch(() => {});
  }

  /** @throws DeviceError */
  async choose(kind: DeviceKind, id: string): Promise<void> {
    rememberDevice(kind, id);
    if (kind !== "speaker" && this.input(kind).track) {
      this.input(kind).turn += 1;
      await this.open(kind);
    }
    this.handlers.changed();
  }

  /** Everything off, every device closed, the muted microphone too. */
  release(): void {
    for (const kind of ["microphone", "camera"] as const) {
      const input = this.input(kind);
      input.turn += 1;
      input.on = false;
      this.drop(kind);
    }
    this.screenTurn += 1;
    this.dropScreen();
    this.handlers.changed();
  }

  /** `release`, and never used again. */
  close(): void {
    clearInterval(this.listening);
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.onDevices);
    this.release();
  }

  /** Tracks to give to a new session. */
  tracks(): [Source, MediaStreamTrack][] {
    const tracks: [Source, MediaStreamTrack | null][] = [
      ["microphone", this.microphone.on ? this.microphone.track : null],
      ["camera", this.camera.on ? this.camera.track : null],
      ["screen", this.screen?.video ?? null],
      ["screen-audio", this.screen?.audio ?? null],
    ];
    return tracks.filter((entry): entry is [Source, MediaStreamTrack] => entry[1] !== null);
  }

  private input(kind: "microphone" | "camera"): Input {
    return kind === "microphone" ? this.microphone : this.camera;
  }

  private async open(kind: "microphone" | "camera"): Promise<void> {
    const input = this.input(kind);
    const turn = input.turn;
    const wish = available(this.options[kind], rememberedDevice(kind)) ?? rememberedDevice(kind);
    const held = input.track;
    const same = held?.readyState === "live" && (wish === null || held.getSettings().deviceId === wish);
    try {
      // Some systems give a camera to one opener only: close the last before the next.
      if (!same && kind === "camera") this.drop(kind);
      const track = same ? held : await openDevice(kind, wish);
      if (turn !== input.turn || !input.on) {
        if (!same) track.stop();
        return;
      }
      if (!same) this.take(kind, track);
      input.error = null;
      this.handlers.track(kind, track);
      this.handlers.changed();
      void this.refresh();
    } catch (error) {
      if (turn !== input.turn) return;
      input.on = false;
      input.error = error instanceof DeviceError ? error.cause : "unknown";
      this.handlers.track(kind, null);
      this.handlers.changed();
      throw error;
    }
  }

  private take(kind: "microphone" | "camera", track: MediaStreamTrack): void {
    this.drop(kind);
    this.input(kind).track = track;
    track.onended = () => void this.ended(kind, track);
    if (kind === "camera") {
      this.previewStream = new MediaStream([track]);
    } else {
      try {
        this.meter = new LevelMeter(track);
      } catch {
        // No meter, then; the sound itself needs none.
      }
    }
  }

  private drop(kind: "microphone" | "camera"): void {
    const input = this.input(kind);
    if (input.track) {
      input.track.onended = null;
      input.track.stop();
      input.track = null;
    }
    if (kind === "camera") this.previewStream = null;
    else {
      this.meter?.close();
      this.meter = null;
    }
  }

  private dropScreen(): void {
    if (!this.screen) return;
    const { video, audio } = this.screen;
    this.screen = null;
    video.onended = null;
    video.stop();
    audio?.stop();
    this.handlers.track("screen", null);
    this.handlers.track("screen-audio", null);
  }

  /** The plug was pulled, or the system took the device away. */
  private async ended(kind: "microphone" | "camera", track: MediaStreamTrack): Promise<void> {
    const input = this.input(kind);
    if (input.track !== track) return;
    this.drop(kind);
    await this.refresh();
    const wasOn = input.on;
    const next = this.options[kind][0];
    if (!wasOn) return;
    input.turn += 1;
    try {
      if (!next) throw new DeviceError("unplugged");
      await this.open(kind);
      this.handlers.lost(kind, next.label);
    } catch {
      input.on = false;
      input.error = "unplugged";
      this.handlers.track(kind, null);
      this.handlers.lost(kind, null);
      this.handlers.changed();
    }
  }

  private async devicesChanged(): Promise<void> {
    await this.refresh();
    // What failed because nothing was there may be there now: the button is worth another try.
    for (const kind of ["microphone", "camera"] as const) {
      const input = this.input(kind);
      if (input.error === "none" || input.error === "unplugged") {
        if (this.options[kind].length > 0) input.error = null;
      }
    }
    this.handlers.changed();
  }

  private async refresh(): Promise<void> {
    this.options = await listDevices();
    this.handlers.changed();
  }

  private listen(): void {
    const muted = !this.microphone.on && this.meter !== null;
    if (!muted) this.speech.reset();
    const speaking = muted && this.meter !== null && this.speech.look(this.meter.loudness(), Date.now());
    if (speaking === this.speakingWhileMuted) return;
    this.speakingWhileMuted = speaking;
    this.handlers.changed();
  }
}
