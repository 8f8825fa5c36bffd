// acceptance: N4
// A far and restless link: round trips of 20 to 500 ms, jitter of 100 ms, 5 % of packets late, 1 % double. People come
// in soon, and every picture is a whole one.

import { Call, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { longestGap, received, record, timeLine } from "../lib/measure.mjs";

const RESTLESS = { jitter_ms: 100, reorder: 0.05, reorder_ms: 30, duplicate: 0.01 };
const JOIN_MS = 3_000;

export const title = "round trip 20 → 500 ms, jitter 100 ms, reorder 5 %, duplicates 1 %";

export async function run(lab, { rows, seconds = 20, say, firefox = false, roundTrips = [20, 500] }) {
  const call = await Call.open(lab);
  let recording;
  try {
    lab.set(both({}));
    const ana = await call.person("Ana", 1);
    await call.enter(ana);
    let code = 2;
    for (const roundTrip of roundTrips) {
      lab.set(both({}));
      const ben = await call.person(`Ben${roundTrip}`, code, { behind: true, firefox, camera: { width: 320, height: 180, fps: 10 } });
      code += 1;
      // A person looks at his own picture first.
      await sleep(1_500);
      lab.set(both({ ...RESTLESS, delay_ms: roundTrip / 2 }));
      await sleep(200);
      await call.enter(ben);
      const took = await ben.page.evaluate(async () => (await window.netlab.firstFrame()) - window.netlab.clicked);
      rows.push({ what: `round trip ${roundTrip} ms and jitter: from the click to the first picture`, value: `${(took / 1000).toFixed(1)} s`, bound: "≤ 3 s", ok: took <= JOIN_MS });
      recording = record(lab, { [ana.name]: ana, [ben.name]: ben });
      await sleep(3_000);
      const from = Date.now();
      let [wrong, right] = [0, 0];
      while (Date.now() < from + seconds * 1000) {
        const tile = await ben.tile("Ana");
        // No code at all is a picture that is not there or not whole.
        if (tile?.picture?.code === ana.code) right += 1;
        else wrong += 1;
        await sleep(200);
      }
      const to = Date.now();
      await recording.stop();
      const found = received(recording.samples, ben.name, from, to);
      const gap = await longestGap(ben, from, to);
      rows.push({ what: `round trip ${roundTrip} ms: looks at the picture that found it broken`, value: `${wrong} of ${right + wrong}`, bound: "0", ok: wrong === 0 && right > 0 });
      say(timeLine(recording.samples, ben.name, recording.samples[0].time, 2));
      say(`\n${found.frames} frames in ${found.seconds.toFixed(0)} s, ${found.keyFrames} key frames, ${found.plis} PLI, ${found.nacks} NACK, ${found.freezes} freezes, longest gap ${Math.round(gap)} ms, concealed ${(found.concealment * 100).toFixed(1)} %\n`);
      lab.set(both({}));
      await ben.close();
    }
  } finally {
    await recording?.stop();
    await call.close();
    lab.set(both({}));
  }
}
