import { describe, expect, it, vi } from "vitest";
import { PACKED_SUBPROTOCOL, SUBPROTOCOL } from "./protocol";
import { Wire } from "./wire";

/** Packing happens beside; a busy machine takes its time. */
const PATIENCE = { timeout: 20_000 };
const LONG = JSON.stringify({ sdp: "a=rtcp-fb:96 nack pli\r\n".repeat(200) });

async function inflated(data: unknown): Promise<string> {
  if (typeof data === "string") return data;
  return new Response(new Blob([data as ArrayBuffer]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}

function wire(protocol: string) {
  const sent: unknown[] = [];
  const heard: unknown[] = [];
  const socket = { readyState: 1, protocol, send: (data: unknown) => sent.push(data), close: () => {} } as unknown as WebSocket;
  const one = new Wire(socket, { open: () => {}, text: (text) => heard.push(text), closed: () => {} });
  return { sent, heard, socket, wire: one };
}

describe("a wire", () => {
  it("packs what is long, in order, and hands out what comes packed, in order", async () => {
    const here = wire(PACKED_SUBPROTOCOL);
    here.wire.send("first");
    here.wire.send(LONG);
    here.wire.send("last");
    expect(here.sent).toEqual(["first"]);
    await vi.waitFor(() => expect(here.sent).toHaveLength(3), PATIENCE);
    const [, packed] = here.sent;
    expect((packed as ArrayBuffer).byteLength).toBeLessThan(LONG.length / 10);
    expect(await Promise.all(here.sent.map(inflated))).toEqual(["first", LONG, "last"]);

    const there = wire(PACKED_SUBPROTOCOL);
    for (const data of here.sent) there.socket.onmessage?.({ data } as MessageEvent);
    await vi.waitFor(() => expect(there.heard).toEqual(["first", LONG, "last"]), PATIENCE);
    // Nothing waits any more: what comes now is heard at once.
    there.socket.onmessage?.({ data: "again" } as MessageEvent);
    expect(there.heard.at(-1)).toBe("again");
  });

  it("packs nothing for a server that does not unpack", () => {
    const { sent, wire: one } = wire(SUBPROTOCOL);
    one.send(LONG);
    expect(sent).toEqual([LONG]);
  });

  it("says nothing more once it was dropped", async () => {
    const { sent, heard, socket, wire: one } = wire(PACKED_SUBPROTOCOL);
    const { onmessage } = socket;
    one.send(LONG);
    onmessage?.call(socket, { data: new Blob([LONG]) } as unknown as MessageEvent);
    one.drop();
    await new Promise((done) => setTimeout(done, 50));
    expect(sent).toEqual([]);
    expect(heard.filter((text) => typeof text === "string")).toEqual([]);
  });
});
