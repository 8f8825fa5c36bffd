// Tests the network between this page and the server as a meeting would use it: a picture and a sound that the page
// makes up go to the server by one connection and come back by another. Knows no page; keeps no address.

import { CAMERA_ENCODINGS } from "./media/layers";
import { pathNumbers } from "./media/numbers";
import { CONFIGURATION } from "./media/peer";
import { SOCKET_PATH, SUBPROTOCOL } from "./protocol";
import { failureOf, RestError } from "./rest";

const AT = "/api/v1/network-tests";
const SOCKET_WITHIN_MS = 6_000;
const CONNECT_WITHIN_MS = 12_000;
const GATHER_WITHIN_MS = 2_000;
/** The sender feels its way up first; what counts comes after that. */
const WARM_MS = 5_000;
const MEASURE_MS = 6_000;
const SAMPLE_MS = 500;

export const STEPS = ["server", "socket", "media", "speed"] as const;
export type TestStep = (typeof STEPS)[number];

/** What was found out; null is what was not. */
export interface TestFigures {
  reachMs: number | null;
  socket: boolean | null;
  media: boolean | null;
  transport: "udp" | "tcp" | null;
  rttMs: number | null;
  jitterMs: number | null;
  /** Shares from 0 to 1. */
  lossUp: number | null;
  lossDown: number | null;
  upKbps: number | null;
  downKbps: number | null;
  /** The browser could not make pictures fast enough to fill the link. */
  busy: boolean;
}

export const NOTHING: TestFigures = {
  reachMs: null, socket: null, media: null, transport: null, rttMs: null, jitterMs: null, lossUp: null, lossDown: null, upKbps: null, downKbps: null, busy: false,
};

export type Verdict = "unreachable" | "no-socket" | "blocked" | "sound" | "small" | "good";

/** What the figures are good for: what a camera's layers need, both ways. */
export function verdictOf(figures: TestFigures): Verdict {
  if (figures.reachMs === null) return "unreachable";
  if (figures.socket === false) return "no-socket";
  if (!figures.media) return "blocked";
  const rate = Math.min(figures.upKbps ?? 0, figures.downKbps ?? 0);
  const loss = Math.max(figures.lossUp ?? 0, figures.lossDown ?? 0);
  const slow = (figures.rttMs ?? 0) > 700;
  if (rate < 120 || loss > 0.2) return "sound";
  if (rate < 1_000 || loss > 0.05 || slow) return "small";
  return "good";
}

/** What to say beside the verdict. */
export type Remark = "tcp" | "delay" | "loss" | "jitter" | "busy";

export function remarksOf(figures: TestFigures): Remark[] {
  const all: [Remark, boolean][] = [
    ["tcp", figures.transport === "tcp"],
    ["loss", Math.max(figures.lossUp ?? 0, figures.lossDown ?? 0) > 0.03],
    ["delay", (figures.rttMs ?? 0) > 300],
    ["jitter", (figures.jitterMs ?? 0) > 60],
    ["busy", figures.busy],
  ];
  return all.flatMap(([remark, holds]) => (holds ? [remark] : []));
}

/** A place for the test is not free now, or the server did not answer in the middle of it. */
export type TestFailure = { code: "full" | "unreachable"; retryAfter: number | null };

export interface TestHandlers {
  step(step: TestStep): void;
  figures(figures: TestFigures): void;
}

/** Runs once. Ends everything it began, also where it is given up by `signal`. */
export async function testNetwork(handlers: TestHandlers, signal: AbortSignal): Promise<TestFigures | TestFailure> {
  let figures: TestFigures = { ...NOTHING };
  const found = (more: Partial<TestFigures>) => handlers.figures((figures = { ...figures, ...more }));
  handlers.step("server");
  const reachMs = await reach(signal);
  if (reachMs === null) return figures;
  found({ reachMs });
  handlers.step("socket");
  const socket = await opens(signal);
  found({ socket });
  if (signal.aborted) return figures;
  handlers.step("media");
  const begun = await begin(signal);
  if (typeof begun !== "string") return begun;
  const source = new Source();
  const publisher = new RTCPeerConnection(CONFIGURATION);
  const viewer = new RTCPeerConnection(CONFIGURATION);
  try {
    publisher.addTransceiver(source.sound, { direction: "sendonly" });
    publisher.addTransceiver(source.picture, { direction: "sendonly", sendEncodings: CAMERA_ENCODINGS.map((one) => ({ ...one })) });
    viewer.addTransceiver("audio", { direction: "recvonly" });
    viewer.addTransceiver("video", { direction: "recvonly" });
    const media =
      (await exchange(publisher, "publish", begun, signal)) &&
      (await connects(publisher, signal)) &&
      (await exchange(viewer, "watch", begun, signal)) &&
      (await connects(viewer, signal));
    found({ media });
    if (!media || signal.aborted) return figures;
    handlers.step("speed");
    const samples = new Samples(publisher, viewer);
    for (let passed = 0; passed < WARM_MS + MEASURE_MS && !signal.aborted; passed += SAMPLE_MS) {
      await sleep(SAMPLE_MS, signal);
      found(await samples.read(passed + SAMPLE_MS > WARM_MS));
    }
    return figures;
  } finally {
    publisher.close();
    viewer.close();
    source.close();
    void fetch(AT, { method: "DELETE", headers: { Authorization: `Bearer ${begun}` }, keepalive: true }).catch(() => {});
  }
}

/** Milliseconds of a small answer on a connection that is open already. */
async function reach(signal: AbortSignal): Promise<number | null> {
  try {
    let took = 0;
    for (let time = 0; time < 2; time += 1) {
      const start = performance.now();
      const answer = await fetch("/healthz", { cache: "no-store", signal });
      if (!answer.ok) return null;
      took = performance.now() - start;
    }
    return took;
  } catch {
    return null;
  }
}

function opens(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const address = new URL(SOCKET_PATH, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, SUBPROTOCOL);
    const end = (opened: boolean) => {
      clearTimeout(timer);
      socket.onopen = socket.onerror = socket.onclose = null;
      socket.close();
      resolve(opened);
    };
    const timer = setTimeout(() => end(false), SOCKET_WITHIN_MS);
    socket.onopen = () => end(true);
    socket.onerror = socket.onclose = () => end(false);
    signal.addEventListener("abort", () => end(false), { once: true });
  });
}

async function begin(signal: AbortSignal): Promise<string | TestFailure> {
  try {
    const answer = await fetch(AT, { method: "POST", signal });
    if (!answer.ok) throw await failureOf(answer);
    return ((await answer.json()) as { key: string }).key;
  } catch (error) {
    const full = error instanceof RestError && (error.code === "too-many" || error.code === "draining");
    return { code: full ? "full" : "unreachable", retryAfter: error instanceof RestError ? error.retryAfter : null };
  }
}

async function exchange(pc: RTCPeerConnection, way: "publish" | "watch", key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const answer = await fetch(`${AT}/${way}`, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${key}` },
      body: pc.localDescription?.sdp ?? "",
      signal,
    });
    if (!answer.ok) return false;
    await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    return true;
  } catch {
    return false;
  }
}

function until(pc: RTCPeerConnection, event: string, holds: () => boolean, within: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => holds() && end(true);
    const end = (result: boolean) => {
      clearTimeout(timer);
      pc.removeEventListener(event, look);
      resolve(result);
    };
    const timer = setTimeout(() => end(false), within);
    pc.addEventListener(event, look);
    signal?.addEventListener("abort", () => end(false), { once: true });
    look();
  });
}

const gathered = (pc: RTCPeerConnection) => until(pc, "icegatheringstatechange", () => pc.iceGatheringState === "complete", GATHER_WITHIN_MS);
const connects = (pc: RTCPeerConnection, signal: AbortSignal) =>
  until(pc, "connectionstatechange", () => pc.connectionState === "connected", CONNECT_WITHIN_MS, signal);

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

interface Totals {
  at: number;
  sent: number;
  received: number;
  lost: number;
  packets: number;
}

interface Counted {
  type: string;
  kind?: string;
  timestamp: number;
  bytesSent?: number;
  bytesReceived?: number;
  packetsReceived?: number;
  packetsLost?: number;
  fractionLost?: number;
  jitter?: number;
  qualityLimitationReason?: string;
}

/** Figures out of what both connections count, the best two seconds of each direction. */
export class Samples {
  private readonly all: Totals[] = [];
  private readonly losses: number[] = [];
  private best = { up: 0, down: 0 };
  private busy = 0;
  private looks = 0;

  constructor(
    private readonly publisher: Pick<RTCPeerConnection, "getStats">,
    private readonly viewer: Pick<RTCPeerConnection, "getStats">,
  ) {}

  async read(counts: boolean): Promise<Partial<TestFigures>> {
    const [out, back] = await Promise.all([this.publisher.getStats(), this.viewer.getStats()]);
    const now: Totals = { at: 0, sent: 0, received: 0, lost: 0, packets: 0 };
    let jitterMs: number | null = null;
    let limited = false;
    out.forEach((one: Counted) => {
      if (one.type === "outbound-rtp") {
        now.sent += one.bytesSent ?? 0;
        now.at = Math.max(now.at, one.timestamp);
        limited ||= one.qualityLimitationReason === "cpu";
      }
      if (one.type === "remote-inbound-rtp" && counts && typeof one.fractionLost === "number") this.losses.push(one.fractionLost);
    });
    back.forEach((one: Counted) => {
      if (one.type !== "inbound-rtp") return;
      now.received += one.bytesReceived ?? 0;
      now.packets += one.packetsReceived ?? 0;
      now.lost += one.packetsLost ?? 0;
      if (one.kind === "audio") jitterMs = (one.jitter ?? 0) * 1000;
    });
    const path = pathNumbers(out);
    const common = { transport: path.transport, rttMs: path.rttMs, jitterMs };
    if (!counts) return common;
    this.looks += 1;
    this.busy += Number(limited);
    this.all.push(now);
    const before = this.all.at(-1 - Math.min(this.all.length - 1, 2_000 / SAMPLE_MS));
    const first = this.all[0];
    if (!before || !first || now.at <= before.at) return common;
    const kbps = (bytes: number) => (bytes * 8) / (now.at - before.at);
    this.best = {
      up: Math.max(this.best.up, kbps(now.sent - before.sent)),
      down: Math.max(this.best.down, kbps(now.received - before.received)),
    };
    const [lost, came] = [now.lost - first.lost, now.packets - first.packets];
    return {
      ...common,
      upKbps: this.best.up,
      downKbps: this.best.down,
      lossUp: this.losses.length > 0 ? this.losses.reduce((sum, one) => sum + one, 0) / this.losses.length : null,
      lossDown: lost + came > 0 ? Math.max(0, lost) / (lost + came) : null,
      busy: this.busy > this.looks / 2,
    };
  }
}

/** A picture that no encoder can make small, and a tone that nobody hears. */
class Source {
  readonly picture: MediaStreamTrack;
  readonly sound: MediaStreamTrack;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly context = new AudioContext();

  constructor() {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 960, height: 540 });
    const pen = canvas.getContext("2d");
    const draw = () => {
      for (let block = 0; pen && block < 160; block += 1) {
        pen.fillStyle = `hsl(${Math.random() * 360} 70% ${20 + Math.random() * 60}%)`;
        pen.fillRect(Math.random() * 960, Math.random() * 540, 8 + Math.random() * 60, 8 + Math.random() * 40);
      }
    };
    draw();
    this.timer = setInterval(draw, 40);
    const [picture] = canvas.captureStream(25).getVideoTracks();
    const tone = new OscillatorNode(this.context, { frequency: 330 });
    const out = new MediaStreamAudioDestinationNode(this.context);
    tone.connect(out);
    tone.start();
    const [sound] = out.stream.getAudioTracks();
    if (!picture || !sound) throw new Error("no made-up media");
    this.picture = picture;
    this.sound = sound;
  }

  close(): void {
    clearInterval(this.timer);
    this.picture.stop();
    this.sound.stop();
    void this.context.close();
  }
}
