/** Coming back to one's seat: after a reload, a lost network, and the death of the server. Long absences: slow/absent.test.js. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, seesEachOther, serverOfThisFile } from "./support/meet.js";
import { eventually, sleep } from "./support/people.js";

const here = serverOfThisFile();

async function two(cast) {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await seesEachOther([ana, bo]);
  return [ana, bo];
}

/** The pictures that come now are new ones. */
async function moving(viewer, shown) {
  const before = (await viewer.tile(shown.name))?.picture?.count;
  await eventually(async () => {
    const { picture } = (await viewer.tile(shown.name)) ?? {};
    assert.equal(picture?.code, shown.code, `${viewer.name} sees ${shown.name}`);
    assert.notEqual(picture.count, before, `the picture of ${shown.name} moves`);
  });
}

/** The id of a person's seat: a new seat would have a new one. */
function seatOf(person) {
  return person.page.evaluate(() => {
    const key = Object.keys(sessionStorage).find((name) => name.startsWith("symposia.seat."));
    return key ? JSON.parse(sessionStorage.getItem(key)).seat : null;
  });
}

// acceptance: M8
scene("a reload keeps the seat, the raised hand and the mute", { timeout: 90_000 }, async (cast) => {
  const [ana, bo] = await two(cast);
  const seat = await seatOf(bo);
  await bo.press("Raise hand");
  await bo.press("Mute");
  await eventually(async () => assert.match((await ana.tile("Bo")).label, /muted, hand raised/u));
  await bo.page.reload();
  await inside(bo);
  await seesEachOther([ana, bo]);
  assert.equal(await seatOf(bo), seat);
  assert.match((await ana.tile("Bo")).label, /muted, hand raised/u);
  assert.match((await bo.tile("Bo")).label, /muted, hand raised/u);
  assert.equal((await ana.tiles()).filter(({ label }) => label.startsWith("Bo")).length, 1);
});

// acceptance: M8
scene("after five seconds without a network everything comes back by itself", { timeout: 90_000 }, async (cast) => {
  const [ana, bo] = await two(cast);
  const seat = await seatOf(bo);
  const network = await bo.page.context().newCDPSession(bo.page);
  await network.send("Network.enable");
  // Requests, the packets of media, and the socket that is open.
  const conditions = (gone) => ({ offline: gone, latency: 0, downloadThroughput: -1, uploadThroughput: -1, packetLoss: gone ? 100 : 0 });
  await network.send("Network.emulateNetworkConditions", conditions(true));
  await bo.page.evaluate(() => window.symposiaTest.cut());
  await bo.sees("The connection is gone.");
  await eventually(async () => assert.match((await ana.tile("Bo")).label, /connection lost/u));
  await sleep(5_000);
  await network.send("Network.emulateNetworkConditions", conditions(false));
  await bo.seesNot("The connection is gone.");
  await Promise.all([moving(ana, bo), moving(bo, ana)]);
  assert.equal(await seatOf(bo), seat);
});

// acceptance: M8
scene("a server that was killed and started again gives the same seats back, with media", { timeout: 120_000 }, async (cast) => {
  const [ana, bo] = await two(cast);
  const seats = [await seatOf(ana), await seatOf(bo)];
  await bo.press("Raise hand");
  await eventually(async () => assert.match((await ana.tile("Bo")).label, /hand raised/u));
  // What happened is written within a second.
  await sleep(1_000);
  await here.server.kill();
  await Promise.all([ana.sees("The connection is gone."), bo.sees("The connection is gone.")]);
  await here.server.run();
  await Promise.all([ana.seesNot("The connection is gone.", 20_000), bo.seesNot("The connection is gone.", 20_000)]);
  await Promise.all([moving(ana, bo), moving(bo, ana)]);
  assert.deepEqual([await seatOf(ana), await seatOf(bo)], seats);
  assert.match((await ana.tile("Bo")).label, /hand raised/u);
  assert.ok(await ana.button(/^People/u).isVisible());
  assert.deepEqual(here.server.panics(), []);
});
