// acceptance: N7
// DTLS over a link that drops each flight of the handshake once or spoils it, and with large certificates: connected
// soon, or a clean failure after which the page tries again by itself.

import { Call, sleep } from "../lib/call.mjs";
import { both } from "../lib/lab.mjs";

const DELAY = { delay_ms: 10 };
const BOUND_MS = 5_000;
/** In meetings the server begins the handshake. */
const FLIGHTS = [["down", "client-hello"], ["up", "server-hello"], ["down", "certificate"], ["up", "finished"]];

export const title = "DTLS: each flight dropped once, spoilt once, large certificates";

export async function run(lab, { rows, say, firefox = false, cases = allCases(), within = BOUND_MS }) {
  const call = await Call.open(lab);
  try {
    lab.set(both(DELAY));
    const ana = await call.person("Ana", 1);
    await call.enter(ana);
    for (const { what, rules, bits = 0 } of cases) {
      const ben = await call.person("Ben", 2, { behind: true, firefox, bits, camera: { width: 320, height: 180, fps: 10 } });
      if (bits > 0) {
        // The page's first connection was made before the key was.
        await ben.page.evaluate(() => window.certificateMade);
      }
      await sleep(500);
      const met = lab.now.met;
      lab.set({ rules });
      await call.enter(ben);
      const took = await ben.page.evaluate(async () => {
        const first = await Promise.race([window.netlab.firstFrame(), new Promise((done) => setTimeout(() => done(null), 30_000))]);
        return first === null ? null : first - window.netlab.clicked;
      });
      const states = await ben.page.evaluate(() => window.symposiaTest.connections.map((pc) => pc.connectionState));
      await sleep(200);
      const used = rules.length === 0 || lab.now.met > met;
      const large = bits === 0 || (await ben.page.evaluate(() => window.largeCertificate));
      const failed = states.filter((state) => state === "failed" || state === "closed").length;
      say(`${what}: first picture after ${took === null ? "never" : `${Math.round(took)} ms`}, connections ${states.join(", ")}, datagrams met ${lab.now.met - met}`);
      const value = took === null ? "no picture" : `${(took / 1000).toFixed(1)} s${failed > 0 ? `, ${failed} given up before` : ""}`;
      rows.push({ what, value: used && large ? value : `${value}; the link met no such flight`, bound: `≤ ${within / 1000} s to the first picture`, ok: used && large && took !== null && took <= within });
      lab.set({ rules: [] });
      await ben.close();
      call.cast.people.splice(call.cast.people.indexOf(ben), 1);
    }
  } finally {
    await call.close();
    lab.set({ ...both({}), rules: [] });
  }
}

function allCases() {
  const each = (fate, words) => FLIGHTS.map(([way, flight]) => ({ what: `${flight} ${words}`, rules: [{ way, flight, fate }] }));
  return [
    { what: "nothing dropped", rules: [] },
    ...each("drop", "dropped"),
    { what: "every flight dropped once", rules: FLIGHTS.map(([way, flight]) => ({ way, flight, fate: "drop" })) },
    ...each("corrupt", "spoilt"),
    { what: "a certificate of RSA 4096", rules: [], bits: 4096 },
    { what: "the same, its flight dropped", rules: [{ way: "up", flight: "server-hello", fate: "drop" }], bits: 4096 },
  ];
}
