import { describe, expect, it } from "vitest";
import type { SendLimit } from "../protocol";
import { LimitWatch, LOOK_EVERY_MS, rounded, sendingNumbers, type SendingNumbers } from "./limit";

const report = (...reports: object[]) => new Map(reports.map((one, index) => [String(index), one])) as unknown as RTCStatsReport;

describe("the browser's numbers", () => {
  it("tell why pictures are limited and what the uplink carries", () => {
    const numbers = sendingNumbers(
      report(
        { type: "outbound-rtp", kind: "video", active: true, qualityLimitationReason: "bandwidth" },
        { type: "outbound-rtp", kind: "video", active: false, qualityLimitationReason: "cpu" },
        { type: "outbound-rtp", kind: "audio" },
        { type: "candidate-pair", nominated: false, availableOutgoingBitrate: 9e6 },
        { type: "candidate-pair", nominated: true, availableOutgoingBitrate: 412_345 },
      ),
    );
    expect(numbers).toEqual({ reasons: ["bandwidth"], kbps: 412 });
  });

  it("have two digits for people", () => {
    expect([7, 98, 412, 1249, 23_800].map(rounded)).toEqual([7, 98, 410, 1200, 24_000]);
  });
});

describe("what is told", () => {
  /** What is told while `numbers` holds for so many seconds each. */
  function told(...phases: [seconds: number, numbers: SendingNumbers][]): (SendLimit | null)[] {
    const watch = new LimitWatch();
    const all: (SendLimit | null)[] = [];
    let now = 0;
    for (const [seconds, numbers] of phases) {
      for (const end = now + seconds * 1000; now < end; now += LOOK_EVERY_MS) {
        const limit = watch.look(numbers, now);
        if (limit !== undefined) all.push(limit);
      }
    }
    return all;
  }
  const thin = (kbps: number): SendingNumbers => ({ reasons: ["bandwidth", null], kbps });
  const free: SendingNumbers = { reasons: [null, null], kbps: 3000 };

  it("is a limit that lasts, once, and its end", () => {
    expect(told([10, free], [20, thin(412)], [20, free])).toEqual([{ by: "bandwidth", kbps: 410 }, null]);
  });

  it("is not the first seconds, in which every encoder grows", () => {
    expect(told([8, thin(300)], [30, free])).toEqual([]);
  });

  it("is not a moment, nor a figure that moves a little", () => {
    expect(told([20, free], [4, thin(412)], [20, free])).toEqual([]);
    expect(told([60, thin(400)], [60, thin(440)])).toEqual([{ by: "bandwidth", kbps: 400 }]);
    expect(told([60, thin(400)], [60, thin(900)])).toEqual([{ by: "bandwidth", kbps: 400 }, { by: "bandwidth", kbps: 900 }]);
  });

  it("is the machine where the uplink is wide", () => {
    expect(told([20, { reasons: ["processor"], kbps: 3000 }])).toEqual([{ by: "processor" }]);
  });

  it("ends with the pictures", () => {
    expect(told([30, thin(400)], [2, { reasons: [], kbps: 400 }])).toEqual([{ by: "bandwidth", kbps: 400 }, null]);
  });

  it("is nothing where the browser has no figure", () => {
    expect(told([60, { reasons: ["bandwidth"], kbps: null }])).toEqual([]);
  });
});
