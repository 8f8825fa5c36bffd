// For tests: the server's end of a WebSocket, driven by hand.

import type { Surroundings } from "./connection";
import type { ClientMessage, Command, Event, Participant, ServerMessage, Welcome } from "./protocol";

export class FakeSocket {
  readyState = 0;
  sent: ClientMessage[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  says(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  event(number: number, event: Event): void {
    this.says({ type: "event", number, event });
  }

  /** Answers the newest ping. */
  pong(): void {
    const ping = this.sent.findLast((message) => message.type === "ping");
    if (ping?.type === "ping") this.says({ type: "pong", nonce: ping.nonce });
  }

  /** The network or the server ends it. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  /** The commands so far. */
  commands(): { id: number; command: Command }[] {
    return this.sent.filter((message) => message.type === "command");
  }
}

/** All sockets that a client opened, the newest last. */
export class FakeServer implements Surroundings {
  sockets: FakeSocket[] = [];
  network = new EventTarget();

  /** A socket that was opened before it was needed. */
  opened: FakeSocket | null = null;

  socket(): WebSocket {
    if (this.opened) {
      const { opened } = this;
      this.opened = null;
      return opened as unknown as WebSocket;
    }
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  }

  random(): number {
    return 1;
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }
}

/** A meeting with nobody but you in it. */
export function welcome(change: Partial<Welcome> = {}): Event {
  return {
    kind: "welcome",
    you: 1,
    seat: "seat-1",
    epoch: 1,
    meeting: { id: "m-1", title: "Weekly", number: "482915073", startedAt: 0, capacity: 9 },
    policy: {
      waitingRoom: true, locked: false, mayUnmute: true, mayShowCamera: true,
      mayShare: true, mayChat: true, mayRename: true, muteOnEntry: false,
    },
    participants: [person(1, { name: "Ana", role: "host" })],
    waiting: [],
    chat: [],
    slots: { video: 9, audio: 5 },
    ...change,
  };
}

/** Somebody admitted, microphone and camera off. */
export function person(id: number, change: Partial<Participant> = {}): Participant {
  return {
    id, name: `P${id}`, role: "attendee", guest: true, microphone: false, camera: false, screen: false,
    screenAudio: false, spotlight: false, connected: true, joinedAt: id, ...change,
  };
}
