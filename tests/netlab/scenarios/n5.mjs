// acceptance: N5
// A NAT that forgets its mappings, and a machine whose address changes: media is back soon, on the same seat.

import { Call, eventually, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { longestGap, record, timeLine } from "../lib/measure.mjs";

const DELAY = { delay_ms: 10 };
/** The client's watchdog looks for regular traffic before it trusts it. */
const SETTLE_MS = 5_000;
const WATCH_MS = 12_000;
/** Bytes of the transport, which the watchdog counts, stop for both: it sees them. */
const BOUND_MS = { chromium: 2_000, firefox: 7_000 };

export const title = "NAT rebinding; address change with ICE restart";

export async function run(lab, { rows, say, browsers = ["chromium", "firefox"] }) {
  const events = {
    "NAT rebinding": () => lab.set({ rebind: true }),
    "address change": () => lab.address(lab.has.endsWith(".2") ? `${lab.subnet}.3` : `${lab.subnet}.2`),
  };
  for (const browser of browsers) {
    const call = await Call.open(lab);
    let recording;
    try {
      lab.set(both(DELAY));
      const ana = await call.person("Ana", 1);
      await call.enter(ana);
      const ben = await call.person("Ben", 2, { behind: true, firefox: browser === "firefox" });
      await call.enter(ben);
      await call.sees(ben, [ana]);
      await call.sees(ana, [ben]);
      recording = record(lab, { [ana.name]: ana, [ben.name]: ben });
      for (const [what, happen] of Object.entries(events)) {
        await sleep(SETTLE_MS);
        const before = await seats(ana);
        const at = Date.now();
        happen();
        await sleep(WATCH_MS);
        const to = Date.now();
        const [down, up] = [await longestGap(ben, at - 500, to), await longestGap(ana, at - 500, to)];
        await eventually(() => call.sees(ben, [ana], 1_000), 30_000).catch(() => {});
        const after = await seats(ana);
        const same = JSON.stringify(before) === JSON.stringify(after);
        const back = Math.max(down, up);
        const bound = BOUND_MS[browser];
        rows.push({ what: `${browser}, ${what}: media is back`, value: `${(down / 1000).toFixed(1)} s down, ${(up / 1000).toFixed(1)} s up`, bound: `≤ ${bound / 1000} s`, ok: back <= bound });
        rows.push({ what: `${browser}, ${what}: the same seat`, value: same ? "yes" : `${before.join()} became ${after.join()}`, bound: "yes", ok: same });
      }
      await recording.stop();
      say(`${browser}:\n${timeLine(recording.samples, "Ben", recording.samples[0].time, 1)}\n`);
    } finally {
      await recording?.stop();
      await call.close();
    }
  }
  lab.set(both({}));
}

/** Who sits where, as others see it. */
async function seats(person) {
  return (await person.tiles()).map(({ label }) => label.split(",")[0]).toSorted();
}
