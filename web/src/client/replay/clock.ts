// Where a replay is. Told the time; moved a little towards the sound that is heard. Knows no media.

/** Of what the sound is off, so much is made good at each look: more would make pictures jump. */
const TOWARDS = 0.3;

/** Positions are seconds of the recording, times are milliseconds of any steady clock. */
export class Clock {
  private running = false;
  private speed = 1;

  constructor(private position = 0, private at = 0) {}

  now(time: number): number {
    return this.running ? this.position + ((time - this.at) / 1000) * this.speed : this.position;
  }

  get isRunning(): boolean {
    return this.running;
  }

  run(time: number, running: boolean): void {
    this.set(time, this.now(time));
    this.running = running;
  }

  set(time: number, position: number): void {
    this.position = position;
    this.at = time;
  }

  setRate(time: number, rate: number): void {
    this.set(time, this.now(time));
    this.speed = rate;
  }

  get rate(): number {
    return this.speed;
  }

  /** The sound that leads is heard at `position`. */
  follow(time: number, position: number): void {
    const now = this.now(time);
    this.set(time, now + (position - now) * TOWARDS);
  }
}
