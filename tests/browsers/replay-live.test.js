/** A recording is watched while it is still made: it goes on as it grows, with who comes and what happens, and ends by itself. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, serverOfThisFile } from "./support/meet.js";
import { freeCores } from "./support/moments.js";
import { eventually, sleep } from "./support/people.js";

const here = serverOfThisFile();
/** How far who watches live may be behind what happens, and for how long the stand of things may have been told to a page. */
const BEHIND_S = 12;
/** The replay asks each 1.5 s: how it stands, what happened, and what is new in each of the files that plays. */
const ASKED_A_SECOND = (2 + 4 * 2) / 1.5;
/** How much more all may take where no core is free. */
const WITHOUT_CORE = 3;

/** Runs in a page before its scripts: counts what it asks for, and keeps the sounds, which are on no page. */
function watch() {
  const { fetch: ask, Audio: PageAudio } = window;
  window.asked = 0;
  window.fetch = (...words) => {
    window.asked += 1;
    return ask(...words);
  };
  const sounds = [];
  window.Audio = function Audio(...source) {
    const sound = new PageAudio(...source);
    sounds.push(sound);
    return sound;
  };
  window.media = () => [...sounds.filter(({ src }) => src), ...document.querySelectorAll("video")];
}

/** Runs in a page: where what plays is (seconds). */
const places = () => window.media().filter((one) => !one.paused && !one.seeking && one.readyState > 2).map(({ currentTime }) => currentTime);

async function sees(viewer, name, code) {
  await eventually(async () => {
    const tile = await viewer.tile(name);
    assert.equal(tile?.picture?.code, code, `${viewer.name} sees ${name}: ${JSON.stringify(await viewer.tiles())}`);
  });
}

async function goesOn(viewer, id) {
  const cores = freeCores();
  await viewer.page.evaluate(() => (window.asked = 0));
  const began = Date.now();
  const before = await eventually(async () => {
    const at = await viewer.page.evaluate(places);
    assert.ok(at.length >= 2, `a sound and a picture play: ${at}`);
    return Math.max(...at);
  });
  await sleep(8_000);
  const [shown, at, asked] = await Promise.all([here.server.rest("GET", `/recordings/${id}`), viewer.page.evaluate(places), viewer.page.evaluate(() => window.asked)]);
  const passed = (Date.now() - began) / 1000;
  const now = Math.max(...at);
  const report = `${viewer.name}: ${(now - before).toFixed(1)} s played in ${passed.toFixed(1)} s, ${(shown.duration_ms / 1000 - now).toFixed(1)} s behind, ${asked} requests`;
  console.log(`# ${report}`);
  const lenient = cores() ? 1 : WITHOUT_CORE;
  assert.ok(at.length >= 2, `${report}: ${at}`);
  assert.ok(now - before > 8 / 2 / lenient && now - before < passed + 2, report);
  assert.ok(shown.duration_ms / 1000 - now < BEHIND_S * lenient, report);
  assert.ok(asked / passed < ASKED_A_SECOND * 1.5, report);
}

for (const browser of ["chromium", "firefox"]) {
  // acceptance: R4
  scene(`what is being recorded is watched from the start, and live, in ${browser}`, { timeout: 240_000 }, async (cast) => {
    const meeting = await here.server.meeting({ title: "Tea at five", waiting_room: false });
    const [ana, bo, viewer] = [await cast.chromium("Ana", 1), await cast.chromium("Bo", 2), await cast[browser]("Cai", 3)];
    await enterAsHost(ana, meeting);
    const { id } = await here.server.rest("POST", `/meetings/${meeting.id}/recordings`, {});
    await sleep(16_000);
    // To the link that a host would send.
    const { url } = await here.server.rest("POST", `/recordings/${id}/link`, {});
    await viewer.before(watch);
    await viewer.go(url);
    await viewer.sees("Still recording");
    await viewer.sees("Go to live");
    await viewer.page.evaluate(() => (window.stayed = true));
    await viewer.press("Play");
    await sees(viewer, "Ana", 1);
    const from = await eventually(async () => {
      const at = await viewer.page.evaluate(places);
      assert.ok(at.length > 0, "something plays");
      return at[0];
    });
    assert.ok(from < 11, `it plays from the start: ${from}`);
    await viewer.press("Go to live");
    await viewer.sees(/^Live$/mu);
    await sees(viewer, "Ana", 1);
    await goesOn(viewer, id);

    // Who comes now, and what is written, comes.
    await knock(bo, meeting.join_url);
    await inside(bo);
    await bo.press("Got it");
    await bo.press("Chat");
    await bo.page.getByRole("textbox", { name: "Message" }).fill("Good evening");
    await bo.press("Send");
    await sees(viewer, "Bo", 2);
    await ana.page.keyboard.press("b");
    await ana.write("What is it about?", "Budget agreed");
    await ana.press("Save");
    await viewer.sees("Budget agreed");
    await goesOn(viewer, id);

    await here.server.rest("POST", `/recordings/${id}/pause`);
    await viewer.sees("The recording is paused. It goes on here by itself.");
    await here.server.rest("POST", `/recordings/${id}/resume`);
    await viewer.sees("Still recording");
    await viewer.seesNot("The recording was paused here.");
    await goesOn(viewer, id);

    await here.server.rest("POST", `/recordings/${id}/stop`);
    await viewer.seesNot("Still recording");
    await viewer.seesNot("Live");
    const { duration_ms: whole } = await eventually(async () => {
      const shown = await here.server.rest("GET", `/recordings/${id}`);
      assert.equal(shown.state, "finished");
      return shown;
    });
    // It plays to its end, and no request is made any more.
    const slider = () => viewer.page.evaluate(() => Number(document.querySelector("input[type=range]").value));
    await eventually(async () => assert.ok((await slider()) > whole / 1000 - 0.3, `${await slider()} of ${whole}`));
    const asked = await viewer.page.evaluate(() => window.asked);
    await sleep(6_000);
    assert.equal(await viewer.page.evaluate(() => window.asked), asked, "what is over is not asked about");
    assert.equal(await viewer.page.evaluate(() => window.stayed), true, "the page was not loaded anew");
    assert.deepEqual(here.server.panics(), []);
  });
}
