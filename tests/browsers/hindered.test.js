/** Browsers as people have them: no permission given, no sound before a click. And people who write scripts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { enterAsHost, inside, knock, scene, serverOfThisFile } from "./support/meet.js";
import { eventually, launchChromium } from "./support/people.js";

const here = serverOfThisFile();

/** Runs in a page before its scripts: tells by itself when something is shown. */
function tellWhenShown(text) {
  const timer = setInterval(() => {
    if (!document.body?.innerText.includes(text)) return;
    clearInterval(timer);
    console.info(`shown: ${text}`);
  }, 100);
}

/** Comes although the browser gives neither camera nor microphone, comes back without a click, and hears after one. */
async function copes(person, ana) {
  const meeting = await here.server.meeting({ waiting_room: false });
  await enterAsHost(ana, meeting);
  await knock(person, meeting.join_url);
  await inside(person);
  await eventually(async () => assert.equal((await person.tile("Ana"))?.picture?.code, 1));
  // Nothing smooths ICE either: the page's own addresses are hidden behind made-up names, and it works all the same.
  const candidates = await person.page.evaluate(() => window.symposiaTest.connections.flatMap(({ localDescription }) => localDescription?.sdp.match(/^a=candidate:.*$/gmu) ?? []));
  assert.ok(candidates.length > 0 && candidates.every((line) => line.includes(".local ")), `${person.name} offers ${candidates}`);
  // Back without anybody's click, as after the crash of a browser. Whatever a test runs in a page counts as a
  // click there, so the page is not touched until it says what it shows.
  const held = "The browser holds back the sound.";
  const address = await person.page.evaluate(() => location.href);
  await person.go("about:blank");
  await person.before(tellWhenShown, held);
  const said = [];
  person.page.on("console", (line) => said.push(line.text()));
  await person.go(address);
  await eventually(() => assert.ok(said.includes(`shown: ${held}`), `${person.name} reads that sound is held back`));
  await person.press("Click to hear");
  await person.seesNot(held);
  await eventually(async () => {
    const heard = await person.pitches();
    assert.ok(heard.some((pitch) => Math.abs(pitch - ana.pitch) < 20), `${person.name} hears ${heard}`);
  });
}

// acceptance: M10
scene("Chromium without a permission says how to give it, and without a click how to hear", { timeout: 90_000 }, async (cast) => {
  const ana = await cast.chromium("Ana", 1);
  const browser = await launchChromium({ smooth: false });
  cast.closers.unshift(() => browser.close());
  const bo = await cast.seat(browser, "Bo", 2, { devices: false });
  await bo.page.context().grantPermissions([]);
  await bo.go(here.server.origin + "/number/123456789");
  await bo.sees("The browser may not use your camera.");
  await bo.sees("Click the icon to the left of the address");
  await copes(bo, ana);
});

// acceptance: M10
scene("Firefox without a permission says how to give it, and without a click how to hear", { timeout: 90_000 }, async (cast) => {
  const ana = await cast.chromium("Ana", 1);
  const bo = await cast.firefox("Bo", 2, {
    devices: false,
    smooth: false,
    prefs: { "permissions.default.camera": 2, "permissions.default.microphone": 2 },
  });
  await bo.go(here.server.origin + "/number/123456789");
  await bo.sees("The browser may not use your camera.");
  await bo.sees("Click the crossed-out camera or microphone");
  await copes(bo, ana);
});

const SCRIPT = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

// acceptance: SEC12
scene("names, titles and messages with scripts are text and nothing else", async (cast) => {
  const meeting = await here.server.meeting({ title: `Tea ${SCRIPT}` });
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium(SCRIPT.slice(0, 64), 2)]);
  for (const person of [ana, bo]) {
    await person.page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => window.violations.push(`${violatedDirective} ${blockedURI}`));
    });
  }
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await ana.sees("<img src=x onerror=");
  await ana.press(/^People/u);
  await ana.press(/^Admit /u);
  await inside(bo);
  await bo.press("Chat");
  await bo.page.getByRole("textbox", { name: "Message" }).fill(`${SCRIPT} javascript:window.ran=1`);
  await bo.press("Send");
  await ana.press(/^Chat/u);
  for (const person of [ana, bo]) {
    await person.sees("<script>window.ran=1</script>");
    assert.equal(await person.page.evaluate(() => window.ran), undefined);
    assert.deepEqual(await person.page.evaluate(() => window.violations), []);
  }
  await ana.choose("More", "Moderation log");
  await ana.sees("admitted <img");
  assert.equal(await ana.page.evaluate(() => window.ran), undefined);
});

// acceptance: SEC12
test("no page allows a script or a style that is written into it", async () => {
  for (const address of ["/", "/m/abc", "/number/123456789", "/w/abc", "/sign-in", "/setup", "/nothing", "/api/v1/nothing"]) {
    const answer = await fetch(here.server.origin + address, { headers: { accept: "text/html" } });
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self';/u, address);
    assert.doesNotMatch(policy, /unsafe/u, address);
  }
});
