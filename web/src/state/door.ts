// What is known of a meeting before one joins it: its title, and whether one will be recorded. Asked again while somebody
// stands there, since a recording may begin meanwhile. Knows no page.

import type { DoorSign } from "../client/rest";

const AGAIN_MS = 20_000;

export class Door {
  sign: DoorSign | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;

  constructor(
    private readonly ask: () => Promise<DoorSign | null>,
    /** Whether somebody stands before it. */
    private readonly isBefore: () => boolean,
    private readonly changed: () => void,
  ) {}

  begin(): void {
    clearTimeout(this.timer);
    void this.look((this.turn += 1));
  }

  private async look(turn: number): Promise<void> {
    // Where nobody answers, what was known stays; who joins is told what is wrong.
    const sign = await this.ask().catch(() => this.sign);
    if (turn !== this.turn || !this.isBefore()) return;
    this.sign = sign;
    this.changed();
    this.timer = setTimeout(() => this.isBefore() && this.begin(), AGAIN_MS);
  }
}
