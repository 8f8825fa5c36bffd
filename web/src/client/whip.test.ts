// The publisher against a server and a peer connection played by hand.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodings, inStereo, type Shape, WhipPublisher } from "./whip";

const SHAPE: Shape = { codec: "H264", bitrate: 2_400_000, framesPerSecond: 30, simulcast: false };

class FakeSender {
  transport = { state: "connected", onstatechange: null as (() => void) | null };
  parameters = { encodings: [{ maxBitrate: 1 }] };
  replaced: unknown[] = [];
  replaceTrack = (track: unknown) => Promise.resolve(void this.replaced.push(track));
  getParameters = () => this.parameters;
  setParameters = () => Promise.resolve();
}

class FakePeerConnection extends EventTarget {
  connectionState = "new";
  iceGatheringState = "complete";
  signalingState = "stable";
  localDescription = { sdp: "m=video 9 X 1\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\na=mid:0\r\n" };
  remote: string[] = [];
  closed = false;
  senders: FakeSender[] = [];
  onconnectionstatechange: (() => void) | null = null;
  addTransceiver = () => {
    const sender = new FakeSender();
    this.senders.push(sender);
    return { sender };
  };
  createOffer = () => Promise.resolve({});
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription = ({ sdp }: { sdp: string }) => Promise.resolve(void this.remote.push(sdp));
  close = () => {
    this.closed = true;
  };
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

let pcs: FakePeerConnection[];
let calls: { method: string; url: string; key: string | undefined; body: unknown }[];
let answers: ((() => Response) | "nothing")[];
let told: string[];
let publisher: WhipPublisher;
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);
const created = () => new Response("a=ice-ufrag:theirs\r\na=ice-pwd:p\r\na=candidate:1\r\n", { status: 201, headers: { Location: "/whip/b/r1" } });
const refusal = (status: number, code: string) => new Response(JSON.stringify({ code, message: "" }), { status });
const methods = () => calls.map(({ method }) => method);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { href: "http://server/studio/b" });
  [pcs, calls, answers, told] = [[], [], [], []];
  vi.stubGlobal("fetch", (url: string, { method = "GET", body, headers, signal }: RequestInit) => {
    calls.push({ method, url, key: (headers as Record<string, string>).Authorization, body });
    if (method === "DELETE") return Promise.resolve(new Response(null, { status: 200 }));
    const answer = answers.shift();
    if (answer === "nothing") return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError("no network"));
  });
  publisher = new WhipPublisher("/whip/b", "secret-key", SHAPE, { state: (state) => told.push(state), failed: ({ code }) => told.push(`failed ${code}`) }, {
    peerConnection: () => {
      const pc = new FakePeerConnection();
      pcs.push(pc);
      return pc as unknown as RTCPeerConnection;
    },
  });
});

afterEach(() => {
  publisher.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const live = async () => {
  answers.push(created);
  publisher.start();
  await pass();
  pcs[0]?.become("connected");
};

describe("publishing", () => {
  it("goes live with the key as Bearer token and never in an address, and ends with a DELETE", async () => {
    await live();
    expect(told).toEqual(["connecting", "live"]);
    publisher.close();
    expect(methods()).toEqual(["POST", "DELETE"]);
    expect(calls.map(({ key }) => key)).toEqual(["Bearer secret-key", "Bearer secret-key"]);
    expect(calls.some(({ url }) => url.includes("secret-key"))).toBe(false);
  });

  it("restarts ICE where the network breaks, and keeps the connection", async () => {
    await live();
    answers.push(() => new Response("a=ice-ufrag:new\r\na=ice-pwd:n\r\na=candidate:2\r\n", { status: 200 }));
    pcs[0]?.become("disconnected");
    await pass();
    pcs[0]?.become("connected");
    await pass(10_000);
    expect(methods()).toEqual(["POST", "PATCH"]);
    expect(pcs[0]?.remote.at(-1)).toContain("a=ice-ufrag:new");
    expect(pcs).toHaveLength(1);
    expect(told).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  it("begins anew where that does not help, and waits for its own old session to be given up", async () => {
    await live();
    answers.push(() => new Response(null, { status: 500 }), () => refusal(409, "already-publishing"), created);
    pcs[0]?.become("disconnected");
    await pass(5_000);
    await pass(2_000);
    pcs.at(-1)?.become("connected");
    expect(told.at(-1)).toBe("live");
    expect(told.some((word) => word.startsWith("failed"))).toBe(false);
  });

  it.each([["already-publishing", 409], ["wrong-stream-key", 401]])("says %s at the first try and stops", async (code, status) => {
    answers.push(() => refusal(status, code));
    publisher.start();
    await pass(60_000);
    expect(told).toEqual(["connecting", `failed ${code}`]);
    expect(methods()).toEqual(["POST"]);
    expect(pcs[0]?.closed).toBe(true);
  });

  it.each([
    ["was live for an hour", async () => {
      await live();
      await pass(3_600_000);
      pcs[0]?.become("failed");
    }],
    ["never connected", async () => {
      answers.push(created);
      publisher.start();
      await pass(11_000);
    }],
    ["was made by a request whose answer was lost", async () => {
      answers.push("nothing");
      publisher.start();
      await pass(8_500);
    }],
  ])("does not take its own session for somebody else's that %s", async (_, lose) => {
    await lose();
    answers.push(() => refusal(409, "already-publishing"), created);
    await pass(10_000);
    expect(answers).toEqual([]);
    pcs.at(-1)?.become("connected");
    expect(told.at(-1)).toBe("live");
    expect(told.some((word) => word.startsWith("failed"))).toBe(false);
  });

  it("says who sends when the session before was long given up", async () => {
    await live();
    pcs[0]?.become("failed");
    await pass(29_000);
    answers.push(() => refusal(409, "already-publishing"), () => refusal(409, "already-publishing"));
    await pass(40_000);
    expect(told.at(-1)).toBe("failed already-publishing");
  });

  it("tries again while the server is away", async () => {
    publisher.start();
    await pass(3_500);
    answers.push(created);
    await pass(8_000);
    pcs.at(-1)?.become("connected");
    expect(told.at(-1)).toBe("live");
  });

  it("changes a track without a new offer", async () => {
    await live();
    const track = { kind: "video" } as MediaStreamTrack;
    publisher.setTrack("video", track);
    publisher.setTrack("video", track);
    expect(pcs[0]?.senders[0]?.replaced).toEqual([track]);
    expect(methods()).toEqual(["POST"]);
  });
});

describe("what is asked for", () => {
  it("is one encoding, or three with names from the lowest", () => {
    expect(encodings(SHAPE, false)).toEqual([{ maxBitrate: 2_400_000, maxFramerate: 30 }]);
    const three = encodings(SHAPE, true);
    expect(three.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
    expect(three.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(three.at(-1)?.maxBitrate).toBe(2_400_000);
  });

  it("is Opus in stereo, said once", () => {
    const answer = "m=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=mid:1\r\n";
    const stereo = inStereo(answer);
    expect(stereo).toContain("a=fmtp:111 useinbandfec=1;stereo=1;maxaveragebitrate=128000\r\n");
    expect(inStereo(stereo)).toBe(stereo);
    expect(inStereo("a=rtpmap:96 opus/48000/2\r\na=mid:1\r\n")).toBe("a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1;maxaveragebitrate=128000\r\na=mid:1\r\n");
    expect(inStereo("m=video 9 X 1\r\n")).toBe("m=video 9 X 1\r\n");
  });
});
