// One sound out of the microphone's and a shared tab's. One alone goes through untouched; silence takes the place of none,
// so that there is always a sound to send. Knows no page and no network.

import { audioContext, barOf, LevelMeter } from "../media/level";

export type SoundSource = "microphone" | "screen-audio";

interface Input {
  track: MediaStreamTrack;
  meter: LevelMeter | null;
}

export class Mix {
  private readonly inputs = new Map<SoundSource, Input>();
  private nodes: AudioNode[] = [];
  private output: MediaStreamAudioDestinationNode | null = null;

  /** Null where the source gives nothing. */
  set(source: SoundSource, track: MediaStreamTrack | null): void {
    const old = this.inputs.get(source);
    if ((old?.track ?? null) === track) return;
    old?.meter?.close();
    this.inputs.delete(source);
    if (track) this.inputs.set(source, { track, meter: meterOf(track) });
    this.connect();
  }

  /** What is to be sent now; null where this browser makes no sound. */
  track(): MediaStreamTrack | null {
    const [first, second] = this.inputs.values();
    if (first && !second) return first.track;
    try {
      return this.destination().stream.getAudioTracks()[0] ?? null;
    } catch {
      return first?.track ?? null;
    }
  }

  /** 0 to 1. */
  level(source: SoundSource): number {
    const meter = this.inputs.get(source)?.meter;
    return meter ? barOf(meter.loudness()) : 0;
  }

  close(): void {
    for (const { meter } of this.inputs.values()) meter?.close();
    this.inputs.clear();
    this.connect();
    this.output?.stream.getTracks().forEach((track) => track.stop());
    this.output = null;
  }

  private connect(): void {
    for (const node of this.nodes) node.disconnect();
    this.nodes = [];
    if (this.inputs.size < 2) return;
    try {
      const output = this.destination();
      for (const { track } of this.inputs.values()) {
        const node = audioContext().createMediaStreamSource(new MediaStream([track]));
        node.connect(output);
        this.nodes.push(node);
      }
    } catch {
      // `track` gives the first of them.
    }
  }

  private destination(): MediaStreamAudioDestinationNode {
    this.output ??= audioContext().createMediaStreamDestination();
    return this.output;
  }
}

function meterOf(track: MediaStreamTrack): LevelMeter | null {
  try {
    return new LevelMeter(track);
  } catch {
    return null;
  }
}
