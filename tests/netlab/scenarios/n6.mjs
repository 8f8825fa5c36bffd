// acceptance: N6
// A network without UDP, where only the port of HTTPS is open: media comes and goes by TCP on that port.

import { Call, eventually, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";
import { encoded, height, longestGap, received, record, timeLine } from "../lib/measure.mjs";

const DELAY = { delay_ms: 20 };
const TOP = { width: 1280, height: 720, fps: 15 };
const JOIN_MS = 4_000;

export const title = "UDP blocked, only the HTTPS port open";

/** `within`: of the join; `least`: share of the frames that must arrive. */
export async function run(lab, { rows, seconds = 20, say, browsers = ["chromium", "firefox"], within = JOIN_MS, least = 0.9 }) {
  for (const browser of browsers) {
    const firefox = browser === "firefox";
    const call = await Call.open(lab);
    let recording;
    try {
      lab.set({ ...both(DELAY), udp: false });
      const ana = await call.person("Ana", 1, { camera: TOP });
      await call.enter(ana);
      const ben = await call.person("Ben", 2, { behind: true, firefox, camera: TOP });
      await sleep(1_500);
      await call.enter(ben);
      const took = await ben.page.evaluate(async () => {
        const first = await Promise.race([window.netlab.firstFrame(), new Promise((done) => setTimeout(() => done(null), 30_000))]);
        return first === null ? null : first - window.netlab.clicked;
      });
      rows.push({ what: `${browser}: from the click to the first picture`, value: took === null ? "none" : `${(took / 1000).toFixed(1)} s`, bound: `≤ ${within / 1000} s`, ok: took !== null && took <= within });
      await call.sees(ben, [ana]);
      await call.sees(ana, [ben]);
      // Its statistics are some moments behind.
      const pair = await eventually(async () => {
        const found = await ben.page.evaluate(selectedPair);
        if (found === "none") throw new Error(found);
        return found;
      }, 10_000).catch((error) => error.message);
      rows.push({ what: `${browser}: the way of media`, value: pair, bound: "tcp to the port of HTTPS", ok: pair === `tcp ${new URL(call.origin).port}` });
      recording = record(lab, { [ana.name]: ana, [ben.name]: ben });
      const { samples } = recording;
      const lines = (name) => height(samples.at(-1)?.pages[name]);
      const top = await eventually(() => {
        // What Ben's browser sends depends on its own estimate, so that both ways are looked at.
        if (lines("Ben") < TOP.height || (!firefox && lines("Ana") < TOP.height)) throw new Error(`${lines("Ben")} and ${lines("Ana")} lines`);
        return true;
      }, 30_000).catch((error) => error.message);
      rows.push({ what: `${browser}: a picture of ${TOP.height} lines`, value: top === true ? "yes" : top, bound: "yes", ok: top === true });
      const from = Date.now();
      await sleep(seconds * 1000);
      const to = Date.now();
      await recording.stop();
      for (const [viewer, shower] of [[ben, ana], [ana, ben]]) {
        const found = received(samples, viewer.name, from, to);
        const made = encoded(samples, shower.name, from, to);
        const share = made > 0 ? found.arrived / made : 0;
        const gap = await longestGap(viewer, from, to).catch(() => NaN);
        const way = viewer === ben ? "down" : "up";
        say(`${browser}, ${way}: ${found.arrived} of ${made} frames (${found.frames} decoded) in ${found.seconds.toFixed(0)} s, ${Math.round(found.bits / 1000)} kbit/s, ${found.freezes} freezes, longest gap ${Math.round(gap)} ms, concealed ${(found.concealment * 100).toFixed(1)} %`);
        rows.push({ what: `${browser}: frames that arrive, ${way}`, value: `${(share * 100).toFixed(0)} %`, bound: `≥ ${least * 100} %`, ok: share >= least });
      }
      say(`\n${timeLine(samples, "Ben", samples[0].time, 2)}\n`);
    } finally {
      await recording?.stop();
      await call.close();
      lab.set({ ...both({}), udp: true });
    }
  }
}

/** Protocol and port of the way that media takes. Runs in the page. */
async function selectedPair() {
  const pc = window.symposiaTest.connections.filter((one) => one.connectionState === "connected").at(-1);
  const reports = pc ? [...(await pc.getStats()).values()] : [];
  const pair = reports.find((one) => one.type === "candidate-pair" && one.state === "succeeded" && one.nominated && one.bytesSent > 0);
  const remote = reports.find((one) => one.id === pair?.remoteCandidateId);
  return remote ? `${remote.protocol} ${remote.port}` : "none";
}
