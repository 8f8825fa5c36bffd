import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Standby } from "./standby";

let sockets: { readyState: number; onclose: (() => void) | null; close: () => void }[];
let page: EventTarget;
let hidden: boolean;
let standby: Standby;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  page = new EventTarget();
  hidden = false;
  standby = new Standby({
    socket: () => {
      const socket = { readyState: 1, onclose: null, close: () => void (socket.readyState = 3) };
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    page,
    hidden: () => hidden,
  });
});
afterEach(() => vi.useRealTimers());

const stir = () => page.dispatchEvent(new Event("pointermove"));
const die = () => {
  const socket = sockets.at(-1);
  if (!socket) return;
  socket.readyState = 3;
  socket.onclose?.();
};

describe("a socket that stands by", () => {
  it("is open before it is needed and handed over once", () => {
    standby.begin();
    expect(sockets).toHaveLength(1);
    expect(standby.take()).toBe(sockets[0]);
    expect(standby.take()).toBeNull();
    stir();
    expect(sockets).toHaveLength(1);
  });

  it("is opened again when the person stirs, and not by itself or more often than every 10 s", () => {
    standby.begin();
    die();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    stir();
    expect(sockets).toHaveLength(2);
    for (let second = 0; second < 10; second += 1) {
      die();
      stir();
      vi.advanceTimersByTime(1_000);
    }
    expect(sockets).toHaveLength(2);
    stir();
    expect(sockets).toHaveLength(3);
  });

  it("is not opened by a page that nobody sees, and closed when nobody will join", () => {
    hidden = true;
    standby.begin();
    expect(sockets).toHaveLength(0);
    hidden = false;
    stir();
    expect(sockets).toHaveLength(1);
    standby.end();
    expect(sockets[0]?.readyState).toBe(3);
    expect(standby.take()).toBeNull();
  });

  it("that died is not handed over", () => {
    standby.begin();
    die();
    expect(standby.take()).toBeNull();
  });
});
