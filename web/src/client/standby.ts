// A socket that is open before somebody clicks "Join": at a round trip of half a second opening one takes longer than
// all that follows. The server bears a stranger for a minute, so it is opened again when the person stirs. Says nothing
// on it; knows no protocol.

/** Not more often, whatever the person does. */
const AGAIN_AFTER_MS = 10_000;
const SIGNS = ["pointermove", "pointerdown", "keydown", "focus"] as const;

export interface StandbyMakers {
  socket: () => WebSocket;
  /** Tells of the person's doing. */
  page: EventTarget | undefined;
  hidden: () => boolean;
}

export class Standby {
  private socket: WebSocket | null = null;
  private wanted = false;
  private openedAt = 0;
  private readonly stir = () => this.open();

  constructor(private readonly make: StandbyMakers) {}

  /** Somebody may join soon. */
  begin(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.openedAt = 0;
    for (const sign of SIGNS) this.make.page?.addEventListener(sign, this.stir, { passive: true });
    this.open();
  }

  /** Hands over the socket, open or opening, once. */
  take(): WebSocket | null {
    const { socket } = this;
    this.socket = null;
    this.end();
    if (!socket || socket.readyState > 1) return null;
    return socket;
  }

  /** Nobody will join. */
  end(): void {
    this.wanted = false;
    for (const sign of SIGNS) this.make.page?.removeEventListener(sign, this.stir);
    if (!this.socket) return;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  private open(): void {
    const now = Date.now();
    if (!this.wanted || this.socket || this.make.hidden() || now - this.openedAt < AGAIN_AFTER_MS) return;
    this.openedAt = now;
    try {
      const socket = this.make.socket();
      this.socket = socket;
      // The server's patience is over, or the network's.
      socket.onclose = () => {
        if (this.socket === socket) this.socket = null;
      };
    } catch {
      // Then it is opened with the click.
    }
  }
}
