// Plays sounds: those of a meeting's slots, and the test of a speaker. No element is on the page.

import { audioContext } from "./level";

export class Playout {
  private readonly players: HTMLAudioElement[] = [];
  private sink = "";
  blocked = false;

  /** `changed` is called when the browser refuses to play before a click, and when it does no more. */
  constructor(private readonly changed: () => void) {}

  /** All that is to be heard from now on. */
  play(tracks: readonly MediaStreamTrack[]): void {
    while (this.players.length > tracks.length) {
      const player = this.players.pop();
      if (player) player.srcObject = null;
    }
    tracks.forEach((track, index) => {
      const player = (this.players[index] ??= this.makePlayer());
      player.srcObject = new MediaStream([track]);
    });
    this.start();
  }

  /** To be called from a click. */
  unblock(): void {
    this.setBlocked(false);
    this.start();
  }

  async setSpeaker(id: string): Promise<void> {
    this.sink = id;
    await Promise.all(this.players.map((player) => setSink(player, id)));
  }

  close(): void {
    this.play([]);
  }

  private makePlayer(): HTMLAudioElement {
    const player = new Audio();
    player.autoplay = true;
    void setSink(player, this.sink);
    return player;
  }

  private start(): void {
    for (const player of this.players) {
      player.play().catch((error: unknown) => {
        // A source that was replaced aborts the call before; only a refusal blocks.
        if ((error as { name?: string }).name === "NotAllowedError") this.setBlocked(true);
      });
    }
  }

  private setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.changed();
  }
}

async function setSink(player: HTMLMediaElement, id: string): Promise<void> {
  // The speaker may be gone: the system's own choice is heard then.
  if ("setSinkId" in player && id !== "") await player.setSinkId(id).catch(() => {});
}

/** Three rising notes through a speaker. */
export async function testSpeaker(id: string | null): Promise<void> {
  const context = audioContext();
  const output = context.createMediaStreamDestination();
  const player = new Audio();
  player.srcObject = output.stream;
  if (id) await setSink(player, id);
  await player.play().catch(() => {});
  const start = context.currentTime + 0.05;
  [523.25, 659.25, 783.99].forEach((frequency, index) => {
    const note = context.createOscillator();
    const volume = context.createGain();
    const at = start + index * 0.28;
    note.frequency.value = frequency;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    note.connect(volume).connect(output);
    note.start(at);
    note.stop(at + 0.55);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  player.srcObject = null;
}
