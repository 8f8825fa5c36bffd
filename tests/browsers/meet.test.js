/** Four people in two kinds of browser meet through the server, and see and hear each other. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, seesEachOther, serverOfThisFile, waits } from "./support/meet.js";
import { eventually } from "./support/people.js";
import { PITCHES } from "./support/signals.js";

const here = serverOfThisFile();

// acceptance: M1
scene("three Chromium and one Firefox see and hear each other, and nobody himself", { timeout: 120_000 }, async (cast) => {
  const { origin } = here.server;
  const [ana, bo, cai, dora] = await Promise.all([
    cast.chromiumWithFiles("Ana", 1),
    cast.chromiumWithFiles("Bo", 2),
    cast.chromiumWithFiles("Cai", 3),
    cast.firefox("Dora", 4),
  ]);
  await ana.go(origin);
  await ana.press("Start a meeting");
  await ana.write("Your name", ana.name);
  await ana.press("Start as host");
  await inside(ana);
  await ana.press("Invite");
  const link = await eventually(async () => {
    const found = /http:\/\/\S+\/m\/\S+#t=\S+/u.exec(await ana.text());
    assert.ok(found, "the link to share is on the page");
    return found[0];
  });

  const guests = [bo, cai, dora];
  await Promise.all(guests.map((guest) => knock(guest, link)));
  await Promise.all(guests.map((guest) => waits(guest)));
  await ana.press("Admit all");
  await Promise.all(guests.map((guest) => inside(guest)));

  const all = [ana, bo, cai, dora];
  await seesEachOther(all);
  await Promise.all(all.map((viewer) => picturesMove(viewer, all)));
  await Promise.all(all.map((listener) => hears(listener, all)));
  assert.deepEqual(here.server.panics(), []);
});

async function picturesMove(viewer, all) {
  for (const shown of all) {
    const before = (await viewer.tile(shown.name)).picture;
    await eventually(async () => {
      const { picture } = await viewer.tile(shown.name);
      assert.equal(picture?.code, shown.code, `${viewer.name} sees ${shown.name} in that tile`);
      assert.notEqual(picture.count, before?.count, `the picture of ${shown.name} moves on the page of ${viewer.name}`);
    });
  }
}

async function hears(listener, all) {
  await eventually(async () => {
    const heard = await listener.pitches(2_500);
    const near = (pitch) => heard.some((other) => Math.abs(other - pitch) < 20);
    const wanted = all.filter((person) => person !== listener).map((person) => person.pitch);
    assert.deepEqual(
      PITCHES.filter(near),
      PITCHES.filter((pitch) => wanted.includes(pitch)),
      `${listener.name} (${listener.pitch} Hz) hears ${heard.join(", ")} Hz`,
    );
  }, 20_000);
}
