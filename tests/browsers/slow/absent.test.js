/** Networks that are gone for long: the seat is kept with all that belongs to it. Waits much and does little meanwhile. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, seesEachOther, serverOfThisFile } from "../support/meet.js";
import { freeCores } from "../support/moments.js";
import { eventually, sleep } from "../support/people.js";

const here = serverOfThisFile();
/** Media is back so soon after the network is (acceptance M8)… */
const BACK_MS = 2_000;
/** …and on a machine without a free core it has this long. */
const BACK_BUSY_MS = 15_000;

async function network(person) {
  const session = await person.page.context().newCDPSession(person.page);
  await session.send("Network.enable");
  // Requests, the packets of media, and the socket that is open.
  const set = (gone) =>
    session.send("Network.emulateNetworkConditions", { offline: gone, latency: 0, downloadThroughput: -1, uploadThroughput: -1, packetLoss: gone ? 100 : 0 });
  return {
    lose: async () => {
      await set(true);
      await person.page.evaluate(() => window.symposiaTest.cut());
    },
    restore: () => set(false),
  };
}

/** A new picture of one on the page of another. */
async function moves(viewer, shown, before, within) {
  await eventually(async () => {
    const { picture } = (await viewer.tile(shown.name)) ?? {};
    assert.equal(picture?.code, shown.code, `${viewer.name} sees ${shown.name}`);
    assert.notEqual(picture.count, before, `the picture of ${shown.name} moves on the page of ${viewer.name}`);
  }, within);
}

// acceptance: M8
scene("after 25 and after 84 seconds without a network, seat, role, mutes and hand are as they were", { timeout: 170_000 }, async (cast, t) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3)]);
  await enterAsHost(ana, meeting);
  await Promise.all([bo, cai].map((guest) => knock(guest, meeting.join_url)));
  await Promise.all([inside(bo), inside(cai)]);
  await seesEachOther([ana, bo, cai]);
  await ana.press(/^People/u);
  await ana.choose("Options for Bo", "Make co-host");
  await ana.choose("Options for Bo", "Mute");
  await ana.choose("Options for Cai", "Mute");
  await cai.press("Raise hand");
  await bo.press("Raise hand");
  const kept = [
    [bo, /^Bo( \(you\))?, Co-host, muted, hand raised/u],
    [cai, /^Cai( \(you\))?, muted, hand raised/u],
  ];
  const queue = () => ana.page.getByRole("button", { name: /^Lower the hand of/u }).evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label")));
  const inOrder = ["Lower the hand of Cai", "Lower the hand of Bo"];
  const asTheyWere = async (person, pattern) => {
    for (const viewer of [ana, person]) {
      await eventually(async () => {
        const label = (await viewer.tile(person.name))?.label ?? "";
        assert.match(label, pattern);
        assert.doesNotMatch(label, /connection lost/u);
      });
    }
    assert.deepEqual(await queue(), inOrder);
    assert.equal((await ana.tiles()).filter(({ label }) => label.startsWith(person.name)).length, 1, "it is the same seat");
  };
  for (const [person, pattern] of kept) await asTheyWere(person, pattern);

  const absent = async (person, pattern, seconds) => {
    const net = await network(person);
    await net.lose();
    await person.sees("The connection is gone.");
    await eventually(async () => assert.match((await ana.tile(person.name)).label, /connection lost/u));
    const cores = freeCores();
    await sleep(seconds * 1_000);
    const counts = [(await ana.tile(person.name))?.picture?.count, (await person.tile("Ana"))?.picture?.count];
    const since = Date.now();
    await net.restore();
    await Promise.all([moves(ana, person, counts[0], BACK_BUSY_MS), moves(person, ana, counts[1], BACK_BUSY_MS)]);
    const took = Date.now() - since;
    const busy = !cores();
    t.diagnostic(`${seconds} s: pictures both ways ${took} ms after the network${busy ? " (no core free)" : ""}`);
    assert.ok(took <= (busy ? BACK_BUSY_MS : BACK_MS), `${took} ms after the network`);
    await person.seesNot("The connection is gone.");
    await asTheyWere(person, pattern);
  };
  const [first, second] = kept;
  await Promise.all([absent(...first, 25), absent(...second, 84)]);
  for (const [person, pattern] of kept) await asTheyWere(person, pattern);
  assert.deepEqual(here.server.panics(), []);
});
