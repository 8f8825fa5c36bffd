// One WebSocket as texts, in order both ways. Long ones travel packed where both sides can: an offer of 60 KB would
// take three round trips of a new connection, packed it takes one. Knows no message.

import { PACKED_SUBPROTOCOL } from "./protocol";

/** Below that a text fits into few packets anyway. */
const WORTH_PACKING = 1_000;
const FORMAT = "deflate-raw";

export interface WireHandlers {
  open(): void;
  text(text: unknown): void;
  closed(): void;
}

export class Wire {
  /** What is still being packed or unpacked; null where the next text can go at once. */
  private outgoing: Promise<void> | null = null;
  private incoming: Promise<void> | null = null;
  private dropped = false;

  /** Where the socket is open already, `open` is not called. */
  constructor(
    private readonly socket: WebSocket,
    private readonly handlers: WireHandlers,
  ) {
    socket.onopen = () => handlers.open();
    socket.onmessage = (message: MessageEvent<unknown>) => this.take(message.data);
    // What came before it is heard before it: why we are out may still be on its way.
    socket.onclose = () => {
      if (this.incoming) void this.incoming.then(() => this.dropped || handlers.closed());
      else handlers.closed();
    };
  }

  /** Whether it could take a text now. */
  get isOpen(): boolean {
    return this.socket.readyState === 1;
  }

  send(text: string): void {
    const pack = text.length >= WORTH_PACKING && this.socket.protocol === PACKED_SUBPROTOCOL;
    if (!pack && !this.outgoing) {
      this.put(text);
      return;
    }
    const before = this.outgoing ?? Promise.resolve();
    const data = pack ? packed(text).catch(() => text) : text;
    const mine: Promise<void> = before
      .then(() => data)
      .then((ready) => this.put(ready))
      .finally(() => {
        if (this.outgoing === mine) this.outgoing = null;
      });
    this.outgoing = mine;
  }

  /** Nothing is heard of it any more. */
  drop(): void {
    this.dropped = true;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  private put(data: string | ArrayBuffer): void {
    if (!this.dropped && this.isOpen) this.socket.send(data);
  }

  private take(data: unknown): void {
    if (!(data instanceof ArrayBuffer) && !this.incoming) {
      this.handlers.text(data);
      return;
    }
    const before = this.incoming ?? Promise.resolve();
    const text = data instanceof ArrayBuffer ? unpacked(data).catch(() => null) : Promise.resolve(data);
    const mine: Promise<void> = before
      .then(() => text)
      .then((ready) => {
        if (!this.dropped) this.handlers.text(ready);
      })
      .finally(() => {
        if (this.incoming === mine) this.incoming = null;
      });
    this.incoming = mine;
  }
}

/** What a browser can do. */
export function canPack(): boolean {
  return typeof CompressionStream === "function" && typeof DecompressionStream === "function";
}

function packed(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(FORMAT))).arrayBuffer();
}

function unpacked(data: ArrayBuffer): Promise<string> {
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream(FORMAT))).text();
}
