// One media element fed by Media Source Extensions. Knows no file and no clock; the element is on no page until the page
// that wants its picture puts it there.

import type { Range } from "./sync";

/** What of an element the replay uses: tests have a smaller one. */
export type Playable = Pick<
  HTMLMediaElement,
  "currentTime" | "paused" | "seeking" | "readyState" | "playbackRate" | "volume" | "muted" | "error" | "play" | "pause"
>;

export interface Media {
  readonly element: Playable;
  /** What is there to be played at once. */
  buffered(): Range[];
  /** What is appended from now on is of this type. */
  use(type: string): Promise<void>;
  append(bytes: ArrayBuffer): Promise<void>;
  remove(from: number, to: number): Promise<void>;
  close(): void;
}

export interface MediaParts {
  playable(type: string): boolean;
  /** `duration` in seconds, of the whole recording. */
  open(kind: "audio" | "video", duration: number): Media;
}

type SourceClass = typeof MediaSource;

/** iPhones have a managed one only. */
function sourceClass(): SourceClass | null {
  const { MediaSource: plain, ManagedMediaSource: managed } = globalThis as { MediaSource?: SourceClass; ManagedMediaSource?: SourceClass };
  return plain ?? managed ?? null;
}

class BrowserMedia implements Media {
  readonly element: HTMLMediaElement;
  private readonly source: MediaSource;
  private readonly address: string;
  private readonly opened: Promise<void>;
  private buffer: SourceBuffer | null = null;

  constructor(kind: "audio" | "video", Source: SourceClass, private readonly duration: number) {
    this.element = kind === "audio" ? new Audio() : document.createElement("video");
    this.element.preload = "auto";
    this.element.disableRemotePlayback = true;
    if (this.element instanceof HTMLVideoElement) {
      this.element.muted = true;
      this.element.playsInline = true;
      this.element.disablePictureInPicture = true;
      this.element.tabIndex = -1;
      // The tile around it says whose picture it is.
      this.element.ariaHidden = "true";
    }
    this.source = new Source();
    this.opened = new Promise((resolve) => this.source.addEventListener("sourceopen", () => resolve(), { once: true }));
    this.address = URL.createObjectURL(this.source);
    this.element.src = this.address;
  }

  buffered(): Range[] {
    // An element that failed has a source that was closed, whose buffers throw.
    if (!this.buffer || this.source.readyState === "closed" || this.element.error) return [];
    const { buffered } = this.buffer;
    return Array.from({ length: buffered.length }, (_, index) => [buffered.start(index), buffered.end(index)] as const);
  }

  async use(type: string): Promise<void> {
    if (this.buffer) {
      this.buffer.changeType(type);
      return;
    }
    await this.opened;
    this.buffer = this.source.addSourceBuffer(type);
    // One can be placed anywhere from the beginning on, whatever has come yet.
    this.source.duration = this.duration;
  }

  append(bytes: ArrayBuffer): Promise<void> {
    return this.update((buffer) => buffer.appendBuffer(bytes));
  }

  remove(from: number, to: number): Promise<void> {
    return this.update((buffer) => buffer.remove(from, to));
  }

  close(): void {
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
    URL.revokeObjectURL(this.address);
  }

  private update(begin: (buffer: SourceBuffer) => void): Promise<void> {
    const { buffer } = this;
    if (!buffer) return Promise.reject(new Error("no type was given"));
    return new Promise((resolve, reject) => {
      const ended = () => {
        buffer.removeEventListener("updateend", ended);
        buffer.removeEventListener("error", failed);
        resolve();
      };
      const failed = () => {
        buffer.removeEventListener("updateend", ended);
        reject(new Error("the media could not be read"));
      };
      buffer.addEventListener("updateend", ended, { once: true });
      buffer.addEventListener("error", failed, { once: true });
      try {
        begin(buffer);
      } catch (error) {
        buffer.removeEventListener("updateend", ended);
        buffer.removeEventListener("error", failed);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }
}

export const BROWSER_MEDIA: MediaParts = {
  playable: (type) => sourceClass()?.isTypeSupported(type) ?? false,
  open(kind, duration) {
    const Source = sourceClass();
    if (!Source) throw new Error("nothing is playable here");
    return new BrowserMedia(kind, Source, duration);
  },
};
