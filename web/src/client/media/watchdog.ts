// Decides from counters of bytes whether media stopped that should flow, long before ICE notices.
// Pure: it is told counters and time, and says what it thinks.

/** How often to look while something comes. */
export const LOOK_EVERY_MS = 230;
/** At least so long between two looks: one costs the browser some work. */
const LOOK_AGAIN_MS = 40;
/** Silence that is no pause any more. */
export const SILENCE_MS = 700;
/** Only what flowed regularly for so long can be missed. */
const REGULAR_MS = 1_400;
/** After an alarm: not again before; doubled each time until something flows. */
const AGAIN_MIN_MS = 3_000;
const AGAIN_MAX_MS = 12_000;

export class Watchdog {
  private bytes = -1;
  private lastGrowth: number | null = null;
  private regularSince: number | null = null;
  private quietUntil = 0;
  private again = AGAIN_MIN_MS;
  /** Since it flowed regularly the last time. */
  alarms = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /**
   * `received`: bytes of the transport so far. `expected`: something should come, because we send (and
   * the server acknowledges) or a slot carries a video that is not paused. True is an alarm.
   */
  look(received: number, expected: boolean, now: number): boolean {
    const grown = received > this.bytes && this.bytes >= 0;
    if (received < this.bytes) this.reset();
    this.bytes = received;
    if (grown) {
      // A gap longer than the silence looked for breaks the regularity.
      if (this.lastGrowth === null || now - this.lastGrowth > SILENCE_MS) this.regularSince = now;
      this.lastGrowth = now;
      if (this.regularSince !== null && now - this.regularSince >= REGULAR_MS) {
        this.again = AGAIN_MIN_MS;
        this.alarms = 0;
      }
      return false;
    }
    if (!expected) {
      this.regularSince = this.lastGrowth = null;
      return false;
    }
    if (this.lastGrowth === null || this.regularSince === null) return false;
    const regular = this.lastGrowth - this.regularSince >= REGULAR_MS;
    if (!regular || now - this.lastGrowth < SILENCE_MS || now < this.quietUntil) return false;
    this.alarms += 1;
    // Those of a meeting whose server is away do not all come again at once.
    this.quietUntil = now + this.again * (0.75 + 0.5 * this.random());
    this.again = Math.min(AGAIN_MAX_MS, this.again * 2);
    return true;
  }

  /** When to look again: a silence is looked at when it has lasted long enough, not up to a look later. */
  nextLook(now: number): number {
    const due = this.lastGrowth === null ? LOOK_EVERY_MS : this.lastGrowth + SILENCE_MS - now;
    return due > 0 && due < LOOK_EVERY_MS ? Math.max(LOOK_AGAIN_MS, due) : LOOK_EVERY_MS;
  }

  /** Forgets what flowed: a new transport, or what was expected changed. */
  reset(): void {
    this.bytes = -1;
    this.lastGrowth = this.regularSince = null;
  }
}
