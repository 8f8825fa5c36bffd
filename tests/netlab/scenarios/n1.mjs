// acceptance: N1
// Random loss each way on one participant's link: pictures without long freezes, sound without holes.

import { Call, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { encoded, longestGap, received, record, timeLine } from "../lib/measure.mjs";

/** Until retransmission timers know the link. */
const SETTLE_MS = 4_000;
const DELAY = { delay_ms: 20 };

/** What each share of loss is judged by. */
const BOUNDS = {
  5: ({ gap }) => [["longest freeze", `${Math.round(gap)} ms`, "≤ 500 ms", gap <= 500]],
  10: ({ share, least }) => [["frames that arrive", percent(share), `≥ ${least * 100} %`, share >= least]],
  20: ({ concealment }) => [["concealed sound", percent(concealment), "≤ 5 %", concealment <= 0.05]],
  30: ({ stayed, heard }) => [
    ["the call stays", stayed ? "yes" : "no", "yes", stayed],
    ["the voice is recognised", heard ? "yes" : "no", "yes", heard],
  ],
};

const percent = (share) => `${(share * 100).toFixed(1)} %`;

export const title = "random loss each way on one participant's link";

/** `least`: the share of frames that must arrive at 10 %. */
export async function run(lab, { rows, seconds = 120, levels = [0, 5, 10, 20, 30], say, firefox = false, least = 0.95 }) {
  const details = [];
  const call = await Call.open(lab);
  let recording;
  try {
    lab.set(both(DELAY));
    const ana = await call.person("Ana", 1);
    await call.enter(ana);
    const ben = await call.person("Ben", 2, { behind: true, firefox });
    await call.enter(ben);
    await call.sees(ben, [ana]);
    await call.sees(ana, [ben]);
    const people = { [ana.name]: ana, [ben.name]: ben };
    recording = record(lab, people);
    for (const level of levels) {
      lab.set(both({ ...DELAY, loss: level / 100 }));
      await sleep(SETTLE_MS);
      const from = Date.now();
      await sleep(seconds * 1000);
      const to = Date.now();
      for (const [viewer, other] of [[ben, ana], [ana, ben]]) {
        const found = received(recording.samples, viewer.name, from, to);
        const gap = await longestGap(viewer, from, to);
        const made = encoded(recording.samples, other.name, from, to);
        const states = await viewer.page.evaluate(() => window.symposiaTest.connections.map((pc) => pc.connectionState));
        const stayed = states.filter((state) => state !== "closed").length === 1 && states.at(-1) === "connected";
        const pitches = level === 30 ? await viewer.pitches(3_000) : [];
        const heard = pitches.some((pitch) => Math.abs(pitch - other.pitch) <= 20);
        const way = viewer === ben ? "down" : "up";
        const share = found.frames / made;
        details.push({ level, way, gap, share, stayed, ...found });
        for (const [what, value, bound, ok] of BOUNDS[level]?.({ gap, share, least, stayed, heard, concealment: found.concealment }) ?? []) {
          rows.push({ what: `${level} % loss, ${way}link: ${what}`, value, bound, ok });
        }
      }
    }
    await recording.stop();
    say(timeLine(recording.samples, "Ben", recording.samples[0].time, Math.max(1, seconds / 12)));
    say(
      ["", "| loss | way | frames | longest gap | freezes | key frames | NACK / repaired | PLI | concealed | sound NACK | kbit/s |", "|---|---|---|---|---|---|---|---|---|---|---|"]
        .concat(
          details.map(
            (one) =>
              `| ${one.level} % | ${one.way} | ${percent(one.share)} | ${one.gap < 200 ? "< 200" : Math.round(one.gap)} ms | ${one.freezes} (${Math.round(one.frozen * 1000)} ms) | ${one.keyFrames} | ${one.nacks} / ${one.repaired} | ${one.plis} | ${percent(one.concealment)} | ${one.soundNacks} | ${Math.round(one.bits / 1000)} |`,
          ),
        )
        .join("\n"),
    );
  } finally {
    await recording?.stop();
    await call.close();
    lab.set(both({}));
  }
}
