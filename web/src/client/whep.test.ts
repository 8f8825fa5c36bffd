// The player against a server and a peer connection played by hand.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WhepPlayer } from "./whep";

class FakePeerConnection extends EventTarget {
  connectionState = "new";
  iceGatheringState = "complete";
  signalingState = "stable";
  flows = true;
  localDescription = { sdp: "m=audio 9 X 1\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\na=mid:0\r\n" };
  remote: string | null = null;
  closed = false;
  onconnectionstatechange: (() => void) | null = null;
  transport = { state: "connected", onstatechange: null as (() => void) | null };
  addTransceiver = (kind: string) => ({ receiver: { track: { kind }, transport: this.transport } });
  getStats = () => Promise.resolve(new Map([["a", { type: "inbound-rtp", bytesReceived: this.flows ? (this.bytes = performance.now()) : this.bytes }]]));
  private bytes = 0;
  createOffer = () => Promise.resolve({});
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription = ({ sdp }: { sdp: string }) => {
    this.remote = sdp;
    return Promise.resolve();
  };
  close = () => {
    this.closed = true;
  };
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

let pcs: FakePeerConnection[];
let calls: { method: string; url: string; body: unknown }[];
let answers: ((() => Response) | "nothing")[];
let told: string[];
let player: WhepPlayer;
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const created = () => new Response("answer", { status: 201, headers: { Location: "/whep/b/r1", "Content-Type": "application/sdp" } });
const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ code, message: "" }), { status, headers });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { href: "http://server/w/b" });
  [pcs, calls, answers, told] = [[], [], [], []];
  vi.stubGlobal("fetch", (url: string, { method = "GET", body, signal }: RequestInit) => {
    calls.push({ method, url, body });
    if (method === "DELETE") return Promise.resolve(new Response(null, { status: 200 }));
    const answer = answers.shift();
    if (answer === "nothing") return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError("no network"));
  });
  player = new WhepPlayer(
    "/whep/b",
    { state: (state) => told.push(state), stream: () => told.push("stream"), failed: ({ code }) => told.push(`failed ${code}`) },
    {
      peerConnection: () => {
        const pc = new FakePeerConnection();
        pcs.push(pc);
        return pc as unknown as RTCPeerConnection;
      },
      stream: () => ({ addTrack() {} }) as unknown as MediaStream,
    },
  );
});
afterEach(() => {
  player.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a player", () => {
  it("plays what the server answers, and takes its resource back at the end", async () => {
    answers = [created];
    player.start();
    await pass();
    expect(calls[0]).toEqual({ method: "POST", url: "/whep/b", body: pcs[0]?.localDescription.sdp });
    expect(pcs[0]?.remote).toBe("answer");
    pcs[0]?.become("connected");
    expect(told).toEqual(["connecting", "stream", "playing"]);
    player.close();
    expect(calls.at(-1)).toMatchObject({ method: "DELETE", url: "http://server/whep/b/r1" });
    expect(pcs[0]?.closed).toBe(true);
  });

  it("says that no more viewers fit in, and asks again when the server says", async () => {
    answers = [() => refusal(503, "server-busy", { "Retry-After": "60" }), created];
    player.start();
    await pass();
    expect(told.at(-1)).toBe("full");
    await pass(59_999);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
    pcs.at(-1)?.become("connected");
    expect(told.at(-1)).toBe("playing");
  });

  it.each([[503, "server-busy"], [503, "broadcast-full"], [406, "no-common-codec"]])("leaves the field to another way at %i %s", async (status, code) => {
    const asked: string[] = [];
    const handlers = { state: () => {}, stream: () => {}, failed: () => asked.push("failed") };
    const other = new WhepPlayer("/whep/b", { ...handlers, refused: (why) => { asked.push(why); other.close(); return true; } }, { peerConnection: () => new FakePeerConnection() as unknown as RTCPeerConnection, stream: () => ({ addTrack: () => {} }) as unknown as MediaStream });
    answers = [() => refusal(status, code)];
    other.start();
    await pass(120_000);
    expect(asked).toEqual([code]);
    expect(calls).toHaveLength(1);
  });

  it("waits as long as the server says while nobody publishes", async () => {
    answers = [() => refusal(409, "not-publishing", { "Retry-After": "3" }), created];
    player.start();
    await pass();
    expect(told).toEqual(["connecting", "waiting"]);
    await pass(2_999);
    expect(calls).toHaveLength(1);
    await pass(1);
    expect(calls).toHaveLength(2);
    pcs[1]?.become("connected");
    expect(told.at(-1)).toBe("playing");
  });

  it("asks at once what is when the server ends the session", async () => {
    answers = [created, () => refusal(404, "not-found")];
    player.start();
    await pass();
    pcs[0]?.become("connected");
    const transport = pcs[0]?.transport;
    if (transport) transport.state = "closed";
    transport?.onstatechange?.();
    await pass(100);
    expect(told).toEqual(["connecting", "stream", "playing", "reconnecting", "failed not-found"]);
  });

  it("gives up where there is no such broadcast", async () => {
    answers = [() => refusal(404, "not-found")];
    player.start();
    await pass(60_000);
    expect(told).toEqual(["connecting", "failed not-found"]);
    expect(calls).toHaveLength(1);
  });

  it("starts anew when the connection breaks, and again when the server is away", async () => {
    answers = [created];
    player.start();
    await pass();
    pcs[0]?.become("connected");
    pcs[0]?.become("disconnected");
    await pass(3_001);
    expect(told.at(-1)).toBe("reconnecting");
    // Two tries to restart ICE, then from the start.
    expect(calls.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH", "DELETE", "POST"]);
    answers = [created];
    await pass(10_000);
    pcs.at(-1)?.become("connected");
    expect(told.at(-1)).toBe("playing");
  });

  it("restarts ICE by PATCH as soon as nothing comes, and takes the server's new side", async () => {
    const side = (ufrag: string) => `a=ice-ufrag:${ufrag}\r\na=ice-pwd:p${ufrag}\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n`;
    const restarted = () => new Response(`a=ice-lite\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n${side("new")}`, { status: 200 });
    answers = [() => new Response(`v=0\r\nm=audio 9 X 1\r\n${side("old")}`, { status: 201, headers: { Location: "/whep/b/r1" } }), restarted];
    player.start();
    await pass();
    const pc = pcs[0];
    pc?.become("connected");
    await pass(3_000);
    expect(calls).toHaveLength(1);
    if (pc) pc.flows = false;
    // Not all viewers at once.
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    await pass(1_200);
    expect(calls).toHaveLength(1);
    await pass(400);
    expect(calls[1]).toMatchObject({ method: "PATCH", url: "http://server/whep/b/r1" });
    expect(calls[1]?.body).toContain("a=ice-ufrag:ours");
    expect(pc?.remote).toBe(`v=0\r\nm=audio 9 X 1\r\n${side("new")}`);
    if (pc) pc.flows = true;
    await pass(10_000);
    expect([calls.length, pcs.length, told.at(-1)]).toEqual([2, 1, "playing"]);
  });

  it("makes a new session at once where the server has forgotten this one", async () => {
    answers = [created, () => refusal(404, "not-found"), created];
    player.start();
    await pass();
    pcs[0]?.become("connected");
    pcs[0]?.become("disconnected");
    await pass(10);
    expect(calls.map(({ method }) => method)).toEqual(["POST", "PATCH", "DELETE", "POST"]);
  });

  it("asks again where no answer comes", async () => {
    answers = ["nothing", created];
    player.start();
    await pass(7_900);
    expect([calls.length, told]).toEqual([1, ["connecting"]]);
    await pass(2_500);
    pcs.at(-1)?.become("connected");
    expect([calls.length, told.at(-1)]).toEqual([2, "playing"]);
    expect(pcs[0]?.closed).toBe(true);
  });

  it("stays with a connection that mends by itself", async () => {
    answers = [created];
    player.start();
    await pass();
    pcs[0]?.become("connected");
    pcs[0]?.become("disconnected");
    await pass(2_000);
    pcs[0]?.become("connected");
    await pass(60_000);
    expect(pcs).toHaveLength(1);
  });
});
