// How loud a microphone is, and whether somebody speaks into it. The sound stays on this machine.

/** Louder than a quiet room, quieter than speech half a metre away; root mean square of full scale. */
const SPEECH = 0.02;
/** So much of it within the window is speech and no cough. */
const SPEECH_MS = 600;
const WINDOW_MS = 1_500;
/** A pause longer than that ends it. */
const PAUSE_MS = 2_000;

/** One audio context for all: browsers allow a handful. It starts with the first gesture at the latest. */
let shared: AudioContext | null = null;

export function audioContext(): AudioContext {
  if (!shared) {
    const context = new AudioContext();
    shared = context;
    const start = () => {
      void context.resume().then(() => {
        if (context.state !== "running") return;
        for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, start, true);
      });
    };
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, start, true);
    start();
  }
  return shared;
}

export class LevelMeter {
  private readonly source: MediaStreamAudioSourceNode;
  private readonly analyser: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(track: MediaStreamTrack) {
    const context = audioContext();
    this.source = context.createMediaStreamSource(new MediaStream([track]));
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source.connect(this.analyser);
  }

  /** Root mean square of the last 20 ms or so, 0 to 1. */
  loudness(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.sqrt(sum / this.samples.length);
  }

  close(): void {
    this.source.disconnect();
  }
}

/** For a bar: 0 at -60 dB, 1 at full scale. */
export function barOf(loudness: number): number {
  const decibels = 20 * Math.log10(Math.max(loudness, 1e-6));
  return Math.min(1, Math.max(0, (decibels + 60) / 60));
}

/** Whether somebody speaks, from a few looks a second at the loudness. */
export class SpeechDetector {
  private loud: { at: number; for: number }[] = [];
  private last: number | null = null;
  private lastLoud = 0;
  private speaking = false;

  look(loudness: number, now: number): boolean {
    const since = this.last === null ? 0 : Math.min(now - this.last, 250);
    this.last = now;
    if (loudness >= SPEECH) {
      this.loud.push({ at: now, for: since });
      this.lastLoud = now;
    }
    this.loud = this.loud.filter(({ at }) => now - at < WINDOW_MS);
    const total = this.loud.reduce((sum, part) => sum + part.for, 0);
    if (total >= SPEECH_MS) this.speaking = true;
    else if (now - this.lastLoud > PAUSE_MS) this.speaking = false;
    return this.speaking;
  }

  reset(): void {
    this.loud = [];
    this.last = null;
    this.speaking = false;
  }
}
