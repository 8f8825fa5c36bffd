import { expect, test } from "vitest";
import { SendingMeter } from "./sending";

const report = (bytes: number, more = {}) =>
  new Map<string, { type: string }>([
    ["c", { type: "codec", mimeType: "video/H264" } as { type: string }],
    ["q", { type: "outbound-rtp", kind: "video", bytesSent: 0, frameHeight: 180 } as { type: string }],
    ["f", { type: "outbound-rtp", kind: "video", bytesSent: bytes, frameHeight: 720, frameWidth: 1280, framesPerSecond: 29.6, codecId: "c", ...more } as { type: string }],
    ["a", { type: "outbound-rtp", kind: "audio", bytesSent: 1_000 } as { type: string }],
    ["r", { type: "inbound-rtp", kind: "video", bytesReceived: 9_999 } as { type: string }],
  ]);

test("the rate is of all that leaves between two looks, the rest of the best picture", () => {
  const meter = new SendingMeter();
  expect(meter.look(report(0), 1_000)).toBeNull();
  expect(meter.look(report(125_000), 2_000)).toEqual({ kbps: 1000, framesPerSecond: 30, width: 1280, height: 720, codec: "H264", limited: null, history: [1000] });
  expect(meter.look(report(250_000, { qualityLimitationReason: "bandwidth" }), 3_000)?.limited).toBe("bandwidth");
});

test("a new connection, which counts from nothing, makes no rate below nothing", () => {
  const meter = new SendingMeter();
  meter.look(report(500_000), 1_000);
  expect(meter.look(report(1_000), 2_000)).toBeNull();
  expect(meter.look(report(126_000), 3_000)?.kbps).toBe(1000);
});
