/** What people see of their network: the page that tests it, and the figures of a tile. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, seesEachOther, serverOfThisFile } from "./support/meet.js";
import { eventually, PATIENCE_MS } from "./support/people.js";

const here = serverOfThisFile();
/** A machine with several browsers takes its time, and the test itself takes twelve seconds. */
const TEST_WITHIN_MS = 90_000;
const VERDICTS = /Ready for meetings in 720p|Good enough for meetings with smaller pictures|Good enough for sound only/u;

/** The value beside a name in a list of figures. */
const figure = (person, name) =>
  person.page.evaluate((wanted) => {
    const term = [...document.querySelectorAll("dt")].find((element) => element.innerText.trim() === wanted);
    return term?.nextElementSibling?.innerText.trim() ?? null;
  }, name);

async function hasFigures(person, expected) {
  for (const [name, shape] of Object.entries(expected)) {
    await eventually(async () => {
      const value = await figure(person, name);
      assert.match(value ?? "", shape, `${name} on the page of ${person.name}`);
    });
  }
}

const RATE = /^[\d.,]+ (kbit|Mbit)\/s$/u;

async function tests(person) {
  await person.go(here.server.origin);
  await person.page.evaluate(() => [...document.querySelectorAll("a")].find((link) => link.innerText.trim() === "Test your network").click());
  await person.press("Start the test");
  await person.sees("Testing…");
  await eventually(async () => assert.match(await person.text(), VERDICTS, `${person.name}: ${await person.text()}`), TEST_WITHIN_MS);
  await hasFigures(person, { Upload: RATE, Download: RATE, "Round trip": /^[\d,]+ ms$/u, Transport: /^UDP$/u, "Loss, download": /^[\d.]+%$/u });
  assert.notEqual(await figure(person, "Upload"), "0 kbit/s");
  assert.notEqual(await figure(person, "Download"), "0 kbit/s");
}

async function live() {
  const said = await (await fetch(`${here.server.origin}/metrics`, { headers: { authorization: "Bearer dev" } })).text();
  return Number(/^symposia_sessions (\d+)$/mu.exec(said)?.[1] ?? Number.NaN);
}

scene("the network is tested from the start page, with words, figures and a report", { timeout: 240_000 }, async (cast) => {
  for (const person of [await cast.chromium("Ana", 1), await cast.firefox("Fay", 2)]) {
    await tests(person);
    // The other's second connection is gone, too.
    await eventually(async () => assert.equal(await live(), 0, "nothing of the test is left"));
  }
  const [ana] = cast.people;
  const [download] = await Promise.all([ana.page.waitForEvent("download"), ana.press("Download as JSON")]);
  const report = JSON.parse(await (await import("node:fs/promises")).readFile(await download.path(), "utf8"));
  assert.equal(report.kind, "symposia-network-test");
  assert.equal(report.transport, "udp");
  assert.ok(report.upKbps > 0 && report.downKbps > 0, JSON.stringify(report));
  assert.doesNotMatch(JSON.stringify({ ...report, browser: "" }), /\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f]*:/iu, "no address");
  await ana.press("Check camera and microphone");
  await ana.sees("The microphone works.");
  await ana.sees("The camera works.");
  assert.deepEqual(here.server.panics(), []);
});

scene("a tile tells its figures, by its menu and by a key", { timeout: 120_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, fay] = [await cast.chromium("Ana", 1), await cast.firefox("Fay", 2)];
  await enterAsHost(ana, meeting);
  await knock(fay, meeting.join_url);
  await inside(fay);
  await seesEachOther([ana, fay]);
  for (const person of [ana, fay]) {
    await person.page.keyboard.press("i");
    await person.sees("Your connection");
    await hasFigures(person, { Bitrate: RATE, Resolution: /^\d+ × \d+/u, Codec: /^VP8$/u, Transport: /^UDP$/u });
    await person.press("Close");
  }
  await ana.page.getByRole("group", { name: /^Fay/u }).hover();
  await ana.choose("Options for Fay", "Connection details");
  await ana.sees("Connection of Fay");
  await hasFigures(ana, { Bitrate: RATE, Resolution: /pictures\/s$/u, Codec: /^VP8$/u, Jitter: /^[\d,]+ ms$/u, "Round trip": /^[\d,]+ ms$/u });
  await ana.press("Close");
  await eventually(async () => assert.equal(await ana.page.getByRole("dialog").count(), 0), PATIENCE_MS);
  assert.deepEqual(here.server.panics(), []);
});
