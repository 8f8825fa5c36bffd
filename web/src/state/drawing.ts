// When the page is drawn: once for all that happens in one turn, and while a connection is being made not before
// it, since drawing takes longer. Knows not what is drawn.

/** How long drawing waits for the server's answer to our offer at most… */
const ASKED_DRAW_MS = 150;
/** …and for what it says right after it. */
const ANSWERED_DRAW_MS = 30;

export class Drawing {
  private state: "free" | "asked" | "answered" = "free";
  private pending = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly drawNow: () => void) {}

  /** Something changed. */
  want(): void {
    if (this.pending) return;
    this.pending = true;
    if (this.state === "free") queueMicrotask(() => this.draw());
    else this.timer = setTimeout(() => this.draw(), this.state === "asked" ? ASKED_DRAW_MS : ANSWERED_DRAW_MS);
  }

  /** An offer is being made. */
  asked(): void {
    this.state = "asked";
  }

  /** The server has answered: what comes next is not the page's work. */
  answered(): void {
    if (this.state === "asked") this.state = "answered";
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), ANSWERED_DRAW_MS);
  }

  /** The connection is made, or given up. */
  free(): void {
    this.state = "free";
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private draw(): void {
    this.pending = false;
    this.timer = undefined;
    this.drawNow();
  }
}
