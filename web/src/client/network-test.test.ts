import { describe, expect, it } from "vitest";
import { NOTHING, remarksOf, Samples, type TestFigures, verdictOf } from "./network-test";

const fine: TestFigures = {
  reachMs: 12, socket: true, media: true, transport: "udp", rttMs: 30, jitterMs: 4, lossUp: 0, lossDown: 0, upKbps: 2300, downKbps: 1900, busy: false,
};

describe("the verdict", () => {
  it.each([
    ["good", {}],
    ["small", { upKbps: 600 }],
    ["small", { lossDown: 0.08 }],
    ["small", { rttMs: 900 }],
    ["sound", { downKbps: 60 }],
    ["sound", { lossUp: 0.3 }],
    ["blocked", { media: false }],
    ["no-socket", { socket: false }],
  ] as const)("is %s for %o", (verdict, change) => expect(verdictOf({ ...fine, ...change })).toBe(verdict));

  it("is that nothing answers where nothing does", () => expect(verdictOf(NOTHING)).toBe("unreachable"));

  it("comes with what else there is to say", () => {
    expect(remarksOf(fine)).toEqual([]);
    expect(remarksOf({ ...fine, transport: "tcp", rttMs: 400, lossUp: 0.04, jitterMs: 80, busy: true })).toEqual(["tcp", "loss", "delay", "jitter", "busy"]);
  });
});

describe("the samples", () => {
  const reports = (...all: object[]) => Promise.resolve(new Map(all.map((one, index) => [String(index), one])) as unknown as RTCStatsReport);

  it("give the best two seconds of each direction and what was lost since they count", async () => {
    let at = 0;
    const publisher = {
      getStats: () => reports({ type: "outbound-rtp", timestamp: at, bytesSent: (at / 1000) * 250_000 }, { type: "remote-inbound-rtp", fractionLost: 0.1 }),
    };
    const viewer = {
      getStats: () => reports({ type: "inbound-rtp", kind: "audio", timestamp: at, bytesReceived: (at / 1000) * 125_000, packetsReceived: at / 10, packetsLost: 50 + at / 1000, jitter: 0.004 }),
    };
    const samples = new Samples(publisher, viewer);
    expect(await samples.read(false)).toEqual({ transport: null, rttMs: null, jitterMs: 4 });
    let figures = {};
    for (at = 500; at <= 5000; at += 500) figures = await samples.read(true);
    expect(figures).toMatchObject({ upKbps: 2000, downKbps: 1000, lossUp: expect.closeTo(0.1) as number, lossDown: expect.closeTo(4.5 / 454.5) as number, busy: false });
  });
});
