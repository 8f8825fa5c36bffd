// What leaves a publisher, out of what the browser counts. Knows no connection.

import type { StudioSending } from "./studio-types";

/** A minute of looks, one a second. */
const KEPT = 60;

interface Outbound {
  type: string;
  kind?: string;
  bytesSent?: number;
  framesPerSecond?: number;
  frameWidth?: number;
  frameHeight?: number;
  qualityLimitationReason?: string;
  codecId?: string;
  mimeType?: string;
}

export class SendingMeter {
  private bytes = -1;
  private at = 0;
  private history: number[] = [];

  /** `null` until there are two looks at one connection. */
  look(report: ReadonlyMap<string, Outbound>, now: number): StudioSending | null {
    const all = [...report.values()].filter(({ type }) => type === "outbound-rtp");
    const pictures = all.filter(({ kind }) => kind === "video").sort((a, b) => (b.frameHeight ?? 0) - (a.frameHeight ?? 0));
    const best = pictures[0];
    const bytes = all.reduce((sum, { bytesSent }) => sum + (bytesSent ?? 0), 0);
    const [before, since] = [this.bytes, now - this.at];
    [this.bytes, this.at] = [bytes, now];
    // A new connection counts from nothing.
    if (!best || before < 0 || bytes < before || since <= 0) return null;
    const kbps = Math.round(((bytes - before) * 8) / since);
    this.history = [...this.history, kbps].slice(-KEPT);
    const { qualityLimitationReason: reason } = best;
    return {
      kbps,
      framesPerSecond: Math.round(best.framesPerSecond ?? 0),
      width: best.frameWidth ?? 0,
      height: best.frameHeight ?? 0,
      codec: (report.get(best.codecId ?? "")?.mimeType ?? "").replace("video/", ""),
      limited: reason === "cpu" || reason === "bandwidth" ? reason : null,
      history: this.history,
    };
  }

  reset(): void {
    this.bytes = -1;
    this.history = [];
  }
}
