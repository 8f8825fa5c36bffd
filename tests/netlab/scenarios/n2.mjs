// acceptance: N2
// A downlink that shrinks to a tenth and grows again: the layer follows, and no queue stays. Draws the chart of docs/.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "../lib/chart.mjs";
import { Call, eventually, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { height, layerChanges, longestGap, longestQueue, received, record, timeLine } from "../lib/measure.mjs";

const WIDE = 5_000_000;
const THIN = 500_000;
const DELAY = { delay_ms: 20 };
const TOP = 720;
const link = (rate) => ({ down: { ...DELAY, rate, queue: 64_000 }, up: DELAY });
const CHART = join(import.meta.dirname, "../../../docs/netlab.svg");

export const title = "5 Mbit/s → 500 kbit/s → 5 Mbit/s downlink";

/** `seconds`: how long the link is thin, and how long it is watched after that. */
export async function run(lab, { rows, seconds = 30, say, firefox = false, draw = true }) {
  const call = await Call.open(lab);
  let recording;
  let moments;
  try {
    lab.set(both(DELAY));
    const ana = await call.person("Ana", 1, { camera: { width: 1280, height: TOP, fps: 15 } });
    await call.enter(ana);
    const ben = await call.person("Ben", 2, { behind: true, firefox, camera: { width: 320, height: 180, fps: 10 } });
    await call.enter(ben);
    await call.sees(ben, [ana]);
    recording = record(lab, { [ana.name]: ana, [ben.name]: ben });
    const { samples } = recording;
    const heightNow = () => height(samples.at(-1)?.pages.Ben);
    const start = Date.now();
    lab.set(link(WIDE));
    await eventually(() => {
      if (heightNow() < TOP) throw new Error(`Ben gets ${heightNow()} lines at ${WIDE / 1e6} Mbit/s`);
    }, 60_000);
    await sleep(5_000);
    const thin = Date.now();
    lab.set(link(THIN));
    await sleep(seconds * 1000);
    const wide = Date.now();
    lab.set(link(WIDE));
    await sleep(Math.max(20, seconds) * 1000);
    const end = Date.now();
    await recording.stop();
    moments = { start, thin, wide, end };

    const changes = layerChanges(samples, "Ben");
    const down = changes.find(({ time, from, to }) => time >= thin && to < from);
    const up = changes.find(({ time, to }) => time >= wide && to >= TOP);
    const queue = longestQueue(lab, "down", thin + 3_000, wide);
    const found = received(samples, "Ben", thin + 3_000, wide);
    const gap = await longestGap(ben, thin, end);
    const seconds_ = (one, since) => (one ? `${((one.time - since) / 1000).toFixed(1)} s` : "never");
    rows.push({ what: "a lower layer after the link shrank", value: seconds_(down, thin), bound: "≤ 2 s", ok: down !== undefined && down.time - thin <= 2_000 });
    rows.push({ what: "queue from 3 s after it on", value: `${Math.round(queue)} ms`, bound: "< 400 ms", ok: queue < 400 });
    rows.push({ what: "the top layer after the link grew", value: seconds_(up, wide), bound: "≤ 15 s", ok: up !== undefined && up.time - wide <= 15_000 });
    say(timeLine(samples, "Ben", start, 2));
    say(`\nlayer changes: ${changes.map(({ time, from, to }) => `${((time - start) / 1000).toFixed(1)} s: ${from} → ${to}`).join(", ")}`);
    say(`thin from ${((thin - start) / 1000).toFixed(1)} s to ${((wide - start) / 1000).toFixed(1)} s; there ${Math.round(found.bits / 1000)} kbit/s, ${found.freezes} freezes, concealed ${(found.concealment * 100).toFixed(1)} %; longest gap ${Math.round(gap)} ms`);
  } finally {
    await recording?.stop();
    const estimates = await call.close();
    lab.set(both({}));
    if (moments && draw) writeFileSync(CHART, drawing(lab, call, recording.samples, estimates, moments));
  }
}

/** Estimate, link rate, what passed and the queue over time. */
function drawing(lab, call, samples, estimates, { start, thin, wide, end }) {
  // Ben joined last.
  const session = estimates.at(-1) && estimates.map((one) => one.session).toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)).at(-1);
  const seconds = (time) => (time - start) / 1000;
  const estimate = estimates
    .filter((one) => one.session === session)
    .map(({ ms, bits }) => [seconds(call.started + ms), bits / 1e6])
    .filter(([at]) => at >= 0 && at <= seconds(end));
  const links = lab.samples.filter(({ time }) => time >= start && time <= end);
  const every = 5;
  const passed = links.flatMap((one, index) => {
    const before = links[index - every];
    return index % every === 0 && before ? [[seconds(one.time), ((one.down.left_bytes - before.down.left_bytes) * 8) / (one.at - before.at) / 1000]] : [];
  });
  return chart({
    title: "N2: estimate of the server against the rate of the link",
    seconds: seconds(end),
    bands: [
      {
        unit: "Mbit/s",
        most: 6,
        lines: [
          { name: "rate of the link", colour: "#7a7a7a", dashed: true, points: [[0, 5], [seconds(thin), 5], [seconds(thin), 0.5], [seconds(wide), 0.5], [seconds(wide), 5], [seconds(end), 5]] },
          { name: "estimate", colour: "#c2410c", points: estimate },
          { name: "what passed", colour: "#0369a1", points: passed },
        ],
      },
      { unit: "queue, ms", most: 1000, lines: [{ name: "queue", colour: "#7c3aed", points: links.map((one) => [seconds(one.time), one.down.queue_ms]) }] },
      { unit: "lines", most: 800, lines: [{ name: "lines of the picture", colour: "#15803d", points: samples.filter(({ time }) => time >= start && time <= end).map((one) => [seconds(one.time), height(one.pages.Ben)]) }] },
    ],
  });
}
