// Tells the server what keeps this browser from sending all that is wanted of it: only the browser knows whether
// its uplink or its machine is too slow. Knows neither socket nor peer connection, only their numbers.

import type { Command, SendLimit } from "../protocol";

/** How often the numbers are read. */
export const LOOK_EVERY_MS = 2_000;
/** Every encoder starts low and grows: that is no limit yet. */
const BEGIN_AFTER_MS = 6_000;
const END_AFTER_MS = 6_000;
/** A figure that changed is told again so often at most. */
const AGAIN_MS = 10_000;
/** In its first seconds a source has yet to find out what it may send. */
const SETTLE_MS = 10_000;

type Reason = "bandwidth" | "processor" | null;

/** What of the browser's statistics says something about a limit. */
export interface SendingNumbers {
  /** Of each picture that is being sent. */
  reasons: Reason[];
  /** What the uplink is taken to carry, in kbit/s; null where the browser does not tell. */
  kbps: number | null;
}

interface AnyReport {
  type: string;
  kind?: string;
  active?: boolean;
  qualityLimitationReason?: string;
  nominated?: boolean;
  availableOutgoingBitrate?: number;
}

export function sendingNumbers(report: RTCStatsReport): SendingNumbers {
  const reasons: Reason[] = [];
  let kbps: number | null = null;
  report.forEach((one: AnyReport) => {
    // An encoding that nobody watches is off: nothing limits it.
    if (one.type === "outbound-rtp" && one.kind === "video" && one.active !== false) {
      const { qualityLimitationReason: reason } = one;
      reasons.push(reason === "bandwidth" ? "bandwidth" : reason === "cpu" ? "processor" : null);
    }
    if (one.type === "candidate-pair" && one.nominated && one.availableOutgoingBitrate) {
      kbps = Math.round(one.availableOutgoingBitrate / 1000);
    }
  });
  return { reasons, kbps };
}

/** Two digits say all that a person wants to know. */
export function rounded(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.round(value / unit) * unit;
}

/** Decides what to tell, with patience both ways. */
export class LimitWatch {
  private toldAt = 0;
  private candidate: Reason = null;
  private since: number | null = null;
  private sendingSince: number | null = null;

  /** What the server has heard, where that is sure. */
  constructor(private told: SendLimit | null | "unsure" = null) {}

  /** The limit to tell now: null for none any more, undefined where there is no news. */
  look(numbers: SendingNumbers, now: number): SendLimit | null | undefined {
    const sends = numbers.reasons.length > 0;
    this.sendingSince = sends ? (this.sendingSince ?? now) : null;
    const settled = this.sendingSince !== null && now - this.sendingSince >= SETTLE_MS;
    const found: Reason = numbers.reasons.includes("bandwidth")
      ? "bandwidth"
      : numbers.reasons.includes("processor")
        ? "processor"
        : null;
    // Without a figure there is nothing to say that a person could use.
    const reason = found === "bandwidth" && (numbers.kbps === null || !settled) ? null : found;
    const limit: SendLimit | null =
      reason === "bandwidth" ? { by: "bandwidth", kbps: rounded(numbers.kbps ?? 0) } : reason === "processor" ? { by: "processor" } : null;
    const told = this.told === "unsure" ? null : this.told;
    const before = this.told === "unsure" ? this.told : (told?.by ?? null);
    if (reason === before) {
      this.since = null;
      const apart = limit?.by === "bandwidth" && told?.by === "bandwidth" && Math.abs(limit.kbps - told.kbps) * 4 > told.kbps;
      return apart && now - this.toldAt >= AGAIN_MS ? this.tell(limit, now) : undefined;
    }
    if (this.since === null || this.candidate !== reason) {
      this.candidate = reason;
      this.since = now;
    }
    const patience = reason === null ? END_AFTER_MS : BEGIN_AFTER_MS;
    // Whoever sends nothing has no limit, at once.
    return now - this.since >= patience || (!sends && before !== null) ? this.tell(limit, now) : undefined;
  }

  private tell(limit: SendLimit | null, now: number): SendLimit | null {
    this.told = limit;
    this.toldAt = now;
    this.since = null;
    return limit;
  }
}

/** Looks at the numbers for as long as a session lasts. */
export class LimitTeller {
  private watch = new LimitWatch();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(statistics: () => Promise<RTCStatsReport> | null, send: (command: Command) => Promise<unknown>) {
    const look = async () => {
      const report = await statistics()?.catch(() => null);
      const limit = report ? this.watch.look(sendingNumbers(report), Date.now()) : undefined;
      if (limit !== undefined) await send({ do: "tell-limit", ...(limit ? { limit } : {}) }).catch(() => this.repeat());
    };
    this.timer = setInterval(() => void look(), LOOK_EVERY_MS);
  }

  /** Says it again, whatever it is: the server may not know it (any more). */
  repeat(): void {
    this.watch = new LimitWatch("unsure");
  }

  close(): void {
    clearInterval(this.timer);
  }
}
