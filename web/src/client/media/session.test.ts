// The session against a peer connection played by hand.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommandError } from "../connection";
import type { Command, Outcome } from "../protocol";
import { Peer } from "./peer";
import { MediaSession } from "./session";

class FakePeerConnection {
  static all: FakePeerConnection[] = [];
  /** Whether gathering finds any address of the machine. */
  static found = true;
  iceConnectionState: RTCIceConnectionState = "new";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: { sdp: string } | null = null;
  remote: string | null = null;
  restarts = 0;
  closed = false;
  received = 0;
  transceivers: { kind: string; init: RTCRtpTransceiverInit; mid: string | null; sender: FakeSender; receiver: object }[] = [];
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;

  constructor() {
    FakePeerConnection.all.push(this);
  }
  addTransceiver(kind: string, init: RTCRtpTransceiverInit) {
    const id = this.transceivers.length;
    const transceiver = {
      kind, init, mid: null as string | null, sender: new FakeSender(init), setCodecPreferences: () => {},
      receiver: { track: { kind, id: `r${id}` }, getStats: () => Promise.resolve(new Map()) },
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }
  restartIce(): void {
    this.restarts += 1;
  }
  createOffer() {
    return Promise.resolve({ type: "offer", sdp: `offer ${FakePeerConnection.all.indexOf(this)}.${this.restarts}` });
  }
  setLocalDescription(description: { sdp: string }) {
    this.localDescription = description;
    this.transceivers.forEach((transceiver, index) => {
      transceiver.mid = String(index);
    });
    const protocol = FakePeerConnection.found ? "udp" : "tcp";
    if (this.restarts > 0) this.onicecandidate?.({ candidate: { candidate: `candidate:1 1 ${protocol} 1 192.0.2.1 9 typ host` } });
    return Promise.resolve();
  }
  setRemoteDescription({ sdp }: { sdp: string }) {
    this.remote = sdp;
    return Promise.resolve();
  }
  getStats() {
    return Promise.resolve(new Map([["t", { type: "transport", bytesReceived: this.received }]]));
  }
  close(): void {
    this.closed = true;
  }
  ice(state: RTCIceConnectionState): void {
    this.iceConnectionState = state;
    this.oniceconnectionstatechange?.();
  }
}
class FakeSender {
  track: { readyState: string; getSettings(): { height: number } } | null = null;
  constructor(private readonly init: RTCRtpTransceiverInit) {}
  replaceTrack(track: FakeSender["track"]) {
    this.track = track;
    return Promise.resolve();
  }
  getParameters() {
    return { encodings: (this.init.sendEncodings ?? []).map((encoding) => ({ active: true, ...encoding })) };
  }
  parameters: { encodings: RTCRtpEncodingParameters[] } | null = null;
  setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }) {
    this.parameters = parameters;
    return Promise.resolve();
  }
}

let session: MediaSession;
let freshMade: number;
const fresh = () => {
  freshMade += 1;
  return new FakePeerConnection() as unknown as RTCPeerConnection;
};
let commands: Command[];
let states: string[];
let doubts: number;
let answer: (command: Command) => Promise<Outcome>;
const pc = () => FakePeerConnection.all.at(-1) as FakePeerConnection;
const offers = () => commands.filter((command) => command.do === "offer");
/** Lets promises run, and timers of so many milliseconds. */
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

const another = () =>
  new MediaSession(
    { video: 9, audio: 5 },
    (command) => {
      commands.push(command);
      return answer(command);
    },
    { state: (state) => states.push(state), tracks: () => {}, sounds: () => {}, doubt: () => (doubts += 1) },
    {
      peerConnection: () => new FakePeerConnection() as unknown as RTCPeerConnection,
      stream: () => ({ addTrack() {}, removeTrack() {} }) as unknown as MediaStream,
      fresh,
    },
  );

beforeEach(() => {
  vi.useFakeTimers();
  FakePeerConnection.all = [];
  FakePeerConnection.found = true;
  freshMade = 0;
  commands = [];
  states = [];
  doubts = 0;
  answer = (command) =>
    Promise.resolve(command.do === "offer" ? { kind: "answer", sdp: `answer to ${command.sdp}` } : { kind: "done" });
  session = another();
});
afterEach(() => {
  session.close();
  vi.useRealTimers();
});

async function connected(): Promise<void> {
  session.start();
  await pass();
  pc().ice("connected");
}
const track = { readyState: "live", getSettings: () => ({ height: 720 }) } as unknown as MediaStreamTrack;

describe("the offer", () => {
  it("has four sections that send, named by their sources, and the slots after them", async () => {
    session.start();
    await pass();
    expect(pc().transceivers.map(({ kind, init }) => `${kind} ${init.direction}`)).toEqual([
      "audio sendonly", "video sendonly", "video sendonly", "audio sendonly",
      ...Array<string>(9).fill("video recvonly"), ...Array<string>(5).fill("audio recvonly"),
    ]);
    expect(offers()).toEqual([
      {
        do: "offer", sdp: "offer 0.0",
        sends: [
          { mid: "0", source: "microphone" }, { mid: "1", source: "camera" },
          { mid: "2", source: "screen" }, { mid: "3", source: "screen-audio" },
        ],
      },
    ]);
    expect(pc().remote).toBe("answer to offer 0.0");
    expect(pc().transceivers[1]?.init.sendEncodings?.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
  });

  it("is sent before the candidates, an empty one ends them", async () => {
    session.start();
    await pass();
    pc().onicecandidate?.({ candidate: { candidate: "candidate:1" } });
    pc().onicecandidate?.({ candidate: null });
    await pass();
    expect(commands.map((command) => command.do)).toEqual(["offer", "candidate", "candidate"]);
    expect(commands[2]).toEqual({ do: "candidate", candidate: "" });
  });

  it("carries tracks chosen before and after it", async () => {
    await session.setTrack("camera", track);
    await connected();
    expect(pc().transceivers[1]?.sender.track).toBe(track);
    await session.setTrack("camera", null);
    expect(pc().transceivers[1]?.sender.track).toBeNull();
  });

  it("is followed by what the page shows, before the answer: key frames are asked for meanwhile", async () => {
    session.watch([{ participant: 7, source: "camera", height: 180 }]);
    answer = () => new Promise(() => {});
    session.start();
    await pass();
    expect(commands).toEqual([
      expect.objectContaining({ do: "offer" }),
      { do: "watch", videos: [{ participant: 7, source: "camera", height: 180 }] },
    ]);
  });

  it("is the one that was prepared, if any", async () => {
    const prepared = new FakePeerConnection();
    const peer = new Peer(prepared as unknown as RTCPeerConnection, { video: 9, audio: 5 });
    session.close();
    session = new MediaSession(
      { video: 9, audio: 5 },
      (command) => {
        commands.push(command);
        return answer(command);
      },
      { state: () => {}, tracks: () => {}, sounds: () => {}, doubt: () => {} },
      {
        peerConnection: () => new FakePeerConnection() as unknown as RTCPeerConnection,
        stream: () => ({ addTrack() {}, removeTrack() {} }) as unknown as MediaStream,
        fresh,
        prepared: vi.fn().mockReturnValueOnce({ peer, offer: peer.offer(false) }).mockReturnValue(null),
      },
    );
    await session.setTrack("camera", track);
    await connected();
    expect(FakePeerConnection.all).toEqual([prepared]);
    expect(prepared.remote).toBe("answer to offer 0.0");
    expect(prepared.transceivers[1]?.sender.track).toBe(track);
    session.renew();
    await pass();
    expect(prepared.closed).toBe(true);
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  it("is made again after a refusal, later and later", async () => {
    answer = () => Promise.reject(new CommandError("internal", ""));
    session.start();
    await pass();
    await pass(500);
    expect(offers()).toHaveLength(2);
    await pass(500);
    expect(offers()).toHaveLength(2);
    await pass(500);
    expect(offers()).toHaveLength(3);
  });

  it("is not made again when the connection is over", async () => {
    answer = () => Promise.reject(new CommandError("closed", ""));
    session.start();
    await pass(60_000);
    expect(offers()).toHaveLength(1);
  });
});

describe("a broken path", () => {
  it("gets new ICE credentials on the same peer connection", async () => {
    await connected();
    expect(states).toEqual(["connecting", "connected"]);
    pc().ice("disconnected");
    await pass();
    expect(offers()[1]?.sdp).toBe("offer 0.1");
    expect(FakePeerConnection.all).toHaveLength(1);
    expect(doubts).toBe(1);
    pc().ice("connected");
    expect(states).toEqual(["connecting", "connected", "restoring", "connected"]);
  });

  it("gets a new peer connection where the restart does not help in time", async () => {
    await connected();
    await session.setTrack("camera", track);
    pc().ice("disconnected");
    await pass(4_000 + 500);
    expect(FakePeerConnection.all).toHaveLength(2);
    expect(FakePeerConnection.all[0]?.closed).toBe(true);
    expect(pc().transceivers[1]?.sender.track).toBe(track);
  });

  it("gets one at once when the server says that it will not come back", async () => {
    await connected();
    session.handle({ kind: "session", state: "failed" });
    await pass();
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  it("waits for the socket", async () => {
    await connected();
    session.setOnline(false);
    pc().ice("disconnected");
    await pass(2_000);
    expect(offers()).toHaveLength(1);
    session.setOnline(true);
    await pass();
    expect(offers()[1]?.sdp).toBe("offer 0.1");
  });

  it("is not looked for when the socket alone was gone", async () => {
    await connected();
    session.setOnline(false);
    session.setOnline(true);
    await pass(1_000);
    expect(offers()).toHaveLength(1);
  });

  it("that never worked is tried with a new peer connection", async () => {
    session.start();
    await pass();
    pc().ice("failed");
    await pass(500);
    expect(FakePeerConnection.all).toHaveLength(2);
    expect(states).toEqual(["connecting"]);
  });

  it("is noticed by the silence of the server, before ICE notices", async () => {
    await connected();
    await session.setTrack("microphone", track);
    for (let step = 0; step < 20; step += 1) {
      pc().received += 500;
      await pass(230);
    }
    expect(offers()).toHaveLength(1);
    await pass(1_000);
    expect(offers()[1]?.sdp).toBe("offer 0.1");
    expect(doubts).toBe(1);
  });

  it("with no address of the machine left is mended by a connection that looks afresh", async () => {
    await connected();
    FakePeerConnection.found = false;
    pc().ice("disconnected");
    await pass(199);
    expect([freshMade, offers().length]).toEqual([0, 2]);
    await pass(1);
    expect([freshMade, FakePeerConnection.all.length]).toEqual([1, 2]);
    expect(FakePeerConnection.all[0]?.closed).toBe(true);
    expect(offers()[2]?.sdp).toBe("offer 1.0");
    pc().ice("connected");
    expect(states.at(-1)).toBe("connected");
    await pass(10_000);
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  it("waits with the fresh connection for the socket, but uses none that has grown old", async () => {
    for (const [late, used] of [[1_000, true], [30_000, false]] as const) {
      FakePeerConnection.found = true;
      await connected();
      FakePeerConnection.found = false;
      const usual = answer;
      answer = () => new Promise((reply) => setTimeout(() => reply({ kind: "answer", sdp: "late" }), late));
      const before = pc();
      before.ice("disconnected");
      await pass(late - 1);
      answer = usual;
      await pass(1);
      expect(before.closed).toBe(used);
      expect(before.remote === "late").toBe(!used);
      session.close();
      session = another();
    }
  });

  it("that finds an address needs no other connection", async () => {
    await connected();
    FakePeerConnection.found = false;
    pc().ice("disconnected");
    await pass(100);
    pc().onicecandidate?.({ candidate: { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host" } });
    await pass(1_000);
    expect([freshMade, FakePeerConnection.all.length]).toEqual([0, 1]);
  });

  it("is none where nobody sends", async () => {
    await connected();
    for (let step = 0; step < 20; step += 1) {
      pc().received += 500;
      await pass(230);
    }
    await pass(5_000);
    expect(offers()).toHaveLength(1);
  });
});

describe("wishes and layers", () => {
  it("are said again to a new peer connection", async () => {
    await connected();
    session.watch([{ participant: 2, source: "camera", height: 300 }]);
    await pass(200);
    session.renew();
    await pass(200);
    const videos = [{ participant: 2, source: "camera", height: 360 }];
    expect(commands.filter((command) => command.do === "watch")).toEqual([{ do: "watch", videos }, { do: "watch", videos }]);
  });

  it("that nobody watches are not sent", async () => {
    await connected();
    await session.setTrack("camera", track);
    session.handle({ kind: "wanted", source: "camera", height: 180 });
    await pass();
    expect(pc().transceivers[1]?.sender.parameters?.encodings.map(({ active }) => active)).toEqual([true, false, false]);
  });
});
