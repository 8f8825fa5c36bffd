import { describe, expect, it } from "vitest";
import { pathNumbers, TrackMeter } from "./numbers";

const report = (...reports: { id: string; [field: string]: unknown }[]) =>
  new Map(reports.map((one) => [one.id, one])) as unknown as RTCStatsReport;

describe("a track that is received", () => {
  const reading = (at: number, change: object) =>
    report(
      { id: "c", type: "codec", mimeType: "video/VP8" },
      { id: "i", type: "inbound-rtp", timestamp: at, codecId: "c", jitter: 0.012, frameWidth: 1280, frameHeight: 720, framesPerSecond: 29, ...change },
    );

  it("has rates from the second reading on", () => {
    const meter = new TrackMeter();
    const first = meter.received(reading(1000, { bytesReceived: 1000, packetsReceived: 100, packetsLost: 4 }));
    expect(first).toMatchObject({ kbps: null, lost: null, codec: "VP8", width: 1280, height: 720, fps: 29, jitterMs: 12 });
    const second = meter.received(reading(3000, { bytesReceived: 251_000, packetsReceived: 190, packetsLost: 14 }));
    expect(second).toMatchObject({ kbps: 1000, lost: 0.1 });
  });

  it("begins anew where its totals fell, and takes loss that was repaired late for none", () => {
    const meter = new TrackMeter();
    meter.received(reading(1000, { bytesReceived: 9000, packetsReceived: 100, packetsLost: 9 }));
    expect(meter.received(reading(2000, { bytesReceived: 100, packetsReceived: 150, packetsLost: 5 }))).toMatchObject({ kbps: null, lost: null });
  });

  it("counts made-up sound while somebody speaks", () => {
    const meter = new TrackMeter();
    const sound = (at: number, totalSamplesReceived: number, concealedSamples: number, silentConcealedSamples: number) =>
      report({ id: "i", type: "inbound-rtp", timestamp: at, totalSamplesReceived, concealedSamples, silentConcealedSamples });
    meter.received(sound(0, 0, 0, 0));
    expect(meter.received(sound(1000, 48_000, 5800, 1000))?.concealed).toBe(0.1);
  });

  it("is nothing where nothing comes", () => {
    expect(new TrackMeter().received(report({ id: "x", type: "transport" }))).toBeNull();
  });
});

describe("a track that is sent", () => {
  it("is the sum of its layers and as good as the best that flows", () => {
    const meter = new TrackMeter();
    const layer = (id: string, at: number, bytesSent: number, change: object) => ({ id, type: "outbound-rtp", rid: id, timestamp: at, bytesSent, ...change });
    const reading = (at: number, bytes: number) =>
      report(
        layer("f", at, 0, { active: false, frameHeight: 720, frameWidth: 1280 }),
        layer("q", at, bytes, { active: true, frameHeight: 180, frameWidth: 320, framesPerSecond: 30, qualityLimitationReason: "none" }),
        layer("h", at, bytes * 3, { active: true, frameHeight: 360, frameWidth: 640, framesPerSecond: 24, qualityLimitationReason: "cpu" }),
        { id: "r", type: "remote-inbound-rtp", fractionLost: 0.02, jitter: 0.003 },
      );
    meter.sent(reading(0, 0));
    const sent = meter.sent(reading(1000, 12_500));
    expect(sent?.track).toMatchObject({ kbps: 400, width: 640, height: 360, fps: 24, lost: 0.02, jitterMs: 3, limit: "processor" });
    expect(sent?.layers.map(({ name, kbps, active }) => [name, kbps, active])).toEqual([["q", 100, true], ["h", 300, true], ["f", 0, false]]);
  });
});

describe("the way", () => {
  it("is the pair that the transport uses", () => {
    const numbers = pathNumbers(
      report(
        { id: "t", type: "transport", selectedCandidatePairId: "p2" },
        { id: "p1", type: "candidate-pair", nominated: true, currentRoundTripTime: 1 },
        { id: "p2", type: "candidate-pair", nominated: true, currentRoundTripTime: 0.048, localCandidateId: "l", availableOutgoingBitrate: 2_500_000 },
        { id: "l", type: "local-candidate", protocol: "tcp", address: "192.0.2.7" },
      ),
    );
    expect(numbers).toEqual({ rttMs: 48, transport: "tcp", uplinkKbps: 2500 });
  });

  it("is the pair that Firefox marks, whose round trip is in reports", () => {
    const numbers = pathNumbers(
      report(
        { id: "p", type: "candidate-pair", selected: true, localCandidateId: "l" },
        { id: "l", type: "local-candidate", protocol: "udp" },
        { id: "r", type: "remote-inbound-rtp", roundTripTime: 0.02 },
      ),
    );
    expect(numbers).toEqual({ rttMs: 20, transport: "udp", uplinkKbps: null });
  });
});
