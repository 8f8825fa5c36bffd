import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WhepPlayer, type WhepState } from "./whep";

/** A peer connection that connects as soon as it has an answer; the test says what it has received. */
class FakePeer {
  iceGatheringState = "complete";
  connectionState = "new";
  localDescription = { sdp: "v=0" };
  onconnectionstatechange: (() => void) | null = null;
  bytes = 0;
  closed = false;
  addTransceiver() {
    return { receiver: { track: {} } };
  }
  createOffer() {
    return Promise.resolve({});
  }
  setLocalDescription() {
    return Promise.resolve();
  }
  setRemoteDescription() {
    this.connectionState = "connected";
    return Promise.resolve();
  }
  getStats() {
    return Promise.resolve(new Map([["a", { type: "inbound-rtp", bytesReceived: this.bytes }]]));
  }
  close() {
    this.closed = true;
  }
}

const created = () => new Response("v=0", { status: 201, headers: { Location: "/whep/b/r" } });
const refused = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ code, message: "" }), { status, headers });

describe("WhepPlayer and a publisher that comes and goes", () => {
  let peers: FakePeer[];
  let states: WhepState[];
  let failures: string[];
  let answers: (() => Response)[];
  let player: WhepPlayer;
  const asked: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    [peers, states, failures, answers] = [[], [], [], []];
    asked.length = 0;
    vi.stubGlobal("location", { href: "https://example.org/w/b" });
    vi.stubGlobal("fetch", (_: string, { method }: { method: string }) => {
      asked.push(method);
      return Promise.resolve(method === "POST" ? (answers.shift() ?? created)() : new Response());
    });
    player = new WhepPlayer(
      "https://example.org/whep/b",
      { state: (state) => states.push(state), stream: () => {}, failed: ({ code }) => failures.push(code) },
      {
        peerConnection: () => {
          const peer = new FakePeer();
          peers.push(peer);
          return peer as unknown as RTCPeerConnection;
        },
        stream: () => ({ addTrack: () => {} }) as unknown as MediaStream,
      },
    );
  });
  afterEach(() => {
    player.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const flow = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      for (const peer of peers) peer.bytes += 1000;
      await pass(1_000);
    }
  };

  it("asks again after the time that the server names while nobody publishes", async () => {
    answers = [() => refused(409, "not-publishing", { "Retry-After": "2" })];
    player.start();
    await pass(1_900);
    expect([states, asked]).toEqual([["connecting", "waiting"], ["POST"]]);
    await pass(200);
    expect(states.at(-1)).toBe("playing");
  });

  it("says that the picture is gone when nothing comes, and that it is back when something does", async () => {
    player.start();
    await flow(5);
    expect(states).toEqual(["connecting", "playing"]);
    await pass(5_000);
    expect(states.at(-1)).toBe("reconnecting");
    await flow(2);
    expect(states.at(-1)).toBe("playing");
    expect(peers).toHaveLength(1);
  });

  it("asks the server anew when nothing comes for long", async () => {
    answers = [created, () => refused(409, "not-publishing", { "Retry-After": "2" })];
    player.start();
    await flow(2);
    await pass(20_500);
    expect(states.at(-1)).toBe("waiting");
    expect(peers[0]?.closed).toBe(true);
    expect(asked.filter((method) => method === "DELETE")).toHaveLength(1);
  });

  it("fails with the reason when the browser cannot play the format", async () => {
    answers = [() => refused(422, "no-common-codec")];
    player.start();
    await pass(60_000);
    expect([failures, asked]).toEqual([["no-common-codec"], ["POST"]]);
  });
});
