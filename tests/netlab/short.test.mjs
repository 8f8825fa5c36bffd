// The short form of the network lab, for `make test`: what must hold at any speed of this machine. The figures of the
// acceptance table are `make netlab`'s.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Call, eventually, sleep } from "./lib/call.mjs";
import { both, hindrance, Lab } from "./lib/lab.mjs";
import { height, received, record } from "./lib/measure.mjs";
import { run as loss } from "./scenarios/n1.mjs";
import { run as blocked } from "./scenarios/n6.mjs";
import { run as handshakes } from "./scenarios/n7.mjs";

const why = hindrance();
const skip = why ? `skipped: ${why}` : false;
const quiet = () => {};
let lab;
before(async () => {
  if (!skip) lab = await Lab.start({ seed: 1 });
});
after(async () => {
  await lab?.stop();
});

// acceptance: N1
test("a tenth of all packets lost each way: nearly all pictures arrive", { skip, timeout: 120_000 }, async () => {
  const rows = [];
  // In 12 s one change of layer or a busy processor are more than the twentieth that a long run may miss.
  await loss(lab, { rows, seconds: 12, levels: [10], say: quiet, least: 0.8 });
  assert.deepEqual(rows.filter(({ ok }) => !ok), []);
  assert.equal(rows.length, 2);
});

// acceptance: N2
test("a thin downlink brings a smaller picture, and the sound stays", { skip, timeout: 120_000 }, async () => {
  const call = await Call.open(lab);
  let recording;
  try {
    lab.set(both({ delay_ms: 20 }));
    const ana = await call.person("Ana", 1, { camera: { width: 1280, height: 720, fps: 15 } });
    await call.enter(ana);
    const ben = await call.person("Ben", 2, { behind: true, camera: { width: 320, height: 180, fps: 10 } });
    await call.enter(ben);
    await call.sees(ben, [ana]);
    recording = record(lab, { Ben: ben });
    const until = (wanted) => eventually(() => assert.ok(wanted(height(recording.samples.at(-1)?.pages.Ben))), 30_000);
    await until((lines) => lines >= 360);
    lab.set({ down: { delay_ms: 20, rate: 300_000, queue: 40_000 }, up: { delay_ms: 20 } });
    await until((lines) => lines < 360);
    const from = Date.now();
    await sleep(5_000);
    const found = received(recording.samples, "Ben", from, Date.now());
    assert.ok(found.concealment < 0.5, `${found.concealment} of the sound was made up`);
    await call.sees(ben, [ana]);
  } finally {
    await recording?.stop();
    await call.close();
    lab.set(both({}));
  }
});

// acceptance: N6
test("without UDP people meet through the port of HTTPS", { skip, timeout: 120_000 }, async () => {
  const rows = [];
  await blocked(lab, { rows, seconds: 2, say: quiet, browsers: ["chromium"], within: 20_000 });
  // How large and how smooth pictures are depends on what else the machine does: `make netlab` judges that.
  const [join, way, ...smooth] = rows;
  assert.ok(join.ok && way.ok, JSON.stringify(rows));
  assert.equal(smooth.length, 3);
});

// acceptance: N7
test("a handshake whose every flight is lost once ends well", { skip, timeout: 60_000 }, async () => {
  const rows = [];
  const flights = [["down", "client-hello"], ["up", "server-hello"], ["down", "certificate"], ["up", "finished"]];
  const cases = [{ what: "every flight", rules: flights.map(([way, flight]) => ({ way, flight, fate: "drop" })) }];
  await handshakes(lab, { rows, say: quiet, cases, within: 20_000 });
  assert.deepEqual(rows.filter(({ ok }) => !ok), []);
  assert.equal(rows.length, 1);
});
