// acceptance: N3
// A downlink of 150 kbit/s in a meeting with six others: one speaks, whose sound must not suffer; of the pictures one
// at least comes, or its tile says why not.

import { Call, eventually, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { longestQueue, received, record, timeLine } from "../lib/measure.mjs";

const DELAY = { delay_ms: 20 };
const PUBLISHERS = 6;
/** Until the estimate has found the link. */
const SETTLE_MS = 10_000;

export const title = "150 kbit/s downlink with six publishers";

export async function run(lab, { rows, seconds = 30, say, firefox = false }) {
  const call = await Call.open(lab);
  let recording;
  try {
    lab.set(both(DELAY));
    const others = [];
    for (let code = 1; code <= PUBLISHERS; code += 1) {
      // Low and slow: seven encoders share this machine with seven decoders each.
      const other = await call.person(`P${code}`, code, { camera: { width: 320, height: 180, fps: 8 } });
      await call.enter(other);
      // One speaks: six open microphones alone are more than the link.
      if (code > 1) await other.press("Mute");
      others.push(other);
    }
    const ben = await call.person("Ben", PUBLISHERS + 1, { behind: true, firefox, camera: { width: 320, height: 180, fps: 8 } });
    await call.enter(ben);
    await call.sees(ben, others.slice(0, 1));
    recording = record(lab, { Ben: ben });
    const start = Date.now();
    await sleep(5_000);
    lab.set({ down: { ...DELAY, rate: 150_000, queue: 30_000 }, up: DELAY });
    const thin = Date.now();
    await sleep(SETTLE_MS);
    const from = Date.now();
    await sleep(seconds * 1000);
    const to = Date.now();
    await recording.stop();
    const found = received(recording.samples, "Ben", from, to);
    const tiles = await eventually(() => ben.tiles());
    const faces = tiles.filter(({ label }) => /^P\d/u.test(label));
    const told = faces.filter(({ label }) => label.includes("too slow"));
    const shown = found.frames / found.seconds;
    rows.push({ what: "concealed sound", value: `${(found.concealment * 100).toFixed(1)} %`, bound: "≤ 1 %", ok: found.concealment <= 0.01 });
    rows.push({ what: "a picture, or a tile that says why", value: `${shown.toFixed(1)} frames/s, ${told.length} of ${faces.length} tiles say so`, bound: "either", ok: shown >= 4 || told.length > 0 });
    rows.push({ what: "tiles without picture that say nothing", value: String(faces.filter(({ picture, label }) => !picture && !label.includes("too slow")).length), bound: "0", ok: faces.every(({ picture, label }) => picture || label.includes("too slow")) });
    say(timeLine(recording.samples, "Ben", start, Math.max(1, seconds / 15)));
    say(`\nthin from ${((thin - start) / 1000).toFixed(1)} s on; longest queue after ${SETTLE_MS / 1000} s: ${Math.round(longestQueue(lab, "down", from, to))} ms; ${Math.round(found.bits / 1000)} kbit/s; tiles: ${faces.map(({ label, picture }) => `${label} ${picture ? "shown" : "not shown"}`).join("; ")}`);
  } finally {
    await recording?.stop();
    await call.close();
    lab.set(both({}));
  }
}
