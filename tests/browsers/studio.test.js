/** Somebody makes a broadcast and sends it from the browser's studio; others watch it in two kinds of browser. */
import assert from "node:assert/strict";
import { faults, FINGER_PX, lost, MOUSE_PX, paleOverVideo, smallTargets } from "./support/checks.js";
import { scene, serverOfThisFile } from "./support/meet.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile();
/** As a phone tells of itself. */
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** By the buttons of the pages; gives the address to watch at. */
async function toStudio(person, title) {
  await person.go(`${here.server.origin}/broadcasts`);
  await person.press("New broadcast");
  await person.write("Title", title);
  await person.press("Create and open the studio");
  await person.sees("Ready");
  await eventually(async () => assert.equal((await pictureOf(person))?.code, person.code, `${person.name} sees the preview`));
  const { pathname } = new URL(person.page.url());
  return `${here.server.origin}${pathname.replace("/studio/", "/w/")}`;
}

async function format(person, name) {
  await person.page.getByRole("button", { name: /Video format/u }).click();
  await person.page.getByRole("option", { name }).click();
}

const pictureOf = (person) =>
  person.page.evaluate(() => {
    const video = document.querySelector("video");
    return video && window.symposiaTest.read(video);
  });

/** The picture of `maker`, which moves, and a sound that is none of silence's. */
async function watches(viewer, maker) {
  const first = await eventually(async () => {
    const picture = await pictureOf(viewer);
    assert.equal(picture?.code, maker.code, `${viewer.name} sees what ${maker.name} sends: ${await viewer.flows()}`);
    return picture;
  }, 30_000);
  await eventually(async () => assert.notEqual((await pictureOf(viewer))?.count, first.count, `the picture of ${viewer.name} moves`));
  await eventually(async () => {
    const energy = await viewer.page.evaluate(async () => {
      let sum = 0;
      for (const connection of window.symposiaTest.connections) {
        for (const report of (await connection.getStats()).values()) if (report.type === "inbound-rtp" && report.kind === "audio") sum += report.totalAudioEnergy ?? 0;
      }
      return sum;
    });
    assert.ok(energy > 0, `${viewer.name} hears ${maker.name}`);
  }, 30_000);
}

// acceptance: L1
scene("a studio sends what Chromium and Firefox see and hear, and goes on after the server was restarted", { timeout: 150_000 }, async (cast) => {
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.firefox("Cai", 3)]);
  const address = await toStudio(ana, "Tea at five");
  // This machine's Firefox has no H.264 for WebRTC.
  await format(ana, "VP8");
  await ana.press("Go live");
  await ana.sees(/Live for/u);
  await Promise.all([bo.go(address), cai.go(address)]);
  await Promise.all([watches(bo, ana), watches(cai, ana)]);
  assert.match(await bo.text(), /Tea at five/u);
  await ana.sees("2 viewers");
  await ana.sees(/kb\/s|Mb\/s/u);

  // Everything that both sides held is gone, as after a power cut: the studio sends again by itself, and viewers see it.
  await here.server.kill();
  await here.server.run();
  await ana.sees(/Reconnected 1 time/u, 60_000);
  await ana.sees(/Live for/u, 60_000);
  await watches(bo, ana);

  await ana.press("End");
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "End" }).click();
  await ana.sees("You were live for");
  const secrets = await ana.page.evaluate(() => [location.href, document.body.innerHTML, ...Object.keys(localStorage).map((key) => localStorage.getItem(key))].join(" "));
  const key = await ana.page.evaluate(() => JSON.parse(sessionStorage.getItem(Object.keys(sessionStorage).find((name) => name.startsWith("symposia.stream-key.")))).key);
  assert.ok(key.length > 20 && !secrets.includes(key), "the stream key stands in no address, on no page and outlives no tab");
  assert.ok(!here.server.log.includes(key), "the stream key stands in no log");
  assert.deepEqual(here.server.panics(), []);
});

// acceptance: M9
scene("the studio is for everybody: keyboard, phone, Chinese, screen readers", { timeout: 120_000 }, async (cast) => {
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2, { ...PHONE, locale: "zh-CN" })]);
  const found = [];
  const look = async (person, where, least) => {
    found.push(...(await faults(person, where)), ...(await smallTargets(person, where, least)), ...(await lost(person, where)));
  };

  // With keys alone: from the start page to a running broadcast and its end.
  await ana.go(`${here.server.origin}/`);
  await toFocus(ana, "Broadcast to many");
  await ana.page.keyboard.press("Enter");
  await ana.sees("Everyone with the link watches");
  await look(ana, "broadcasts", MOUSE_PX);
  await toFocus(ana, "New broadcast");
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("dialog").waitFor();
  await look(ana, "new broadcast", MOUSE_PX);
  await ana.page.keyboard.type("By keys alone");
  await ana.page.keyboard.press("Enter");
  await ana.sees("Ready");
  await eventually(async () => assert.equal((await pictureOf(ana))?.code, ana.code));
  await look(ana, "studio", MOUSE_PX);
  await ana.page.keyboard.press("m");
  await ana.button("Unmute microphone").waitFor();
  await ana.page.keyboard.press("m");
  await ana.button("Mute microphone").waitFor();
  await toFocus(ana, "Go live");
  await ana.page.keyboard.press("Enter");
  await ana.sees(/Live for/u);
  await ana.sees(/kb\/s|Mb\/s/u);
  await look(ana, "studio, live", MOUSE_PX);
  await toFocus(ana, "End");
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("alertdialog").waitFor();
  await ana.page.keyboard.press("Tab");
  await ana.page.keyboard.press("Enter");
  await ana.sees("You were live for");

  await bo.go(`${here.server.origin}/broadcasts`);
  await bo.press("新建直播");
  await bo.page.getByRole("dialog").waitFor();
  await look(bo, "new broadcast, phone", FINGER_PX);
  await bo.press("创建并打开直播间");
  await bo.sees("准备就绪");
  await eventually(async () => assert.equal((await pictureOf(bo))?.code, bo.code));
  await look(bo, "studio, phone", FINGER_PX);
  await bo.press("开始直播");
  await bo.sees("已直播");
  await look(bo, "studio, phone, live", FINGER_PX);
  const address = bo.page.url().replace("/studio/", "/w/");
  const cai = await cast.chromium("Cai", 3, PHONE);
  for (const [viewer, where, least] of [[ana, "watch", MOUSE_PX], [cai, "watch, phone", FINGER_PX]]) {
    await viewer.go(address);
    await viewer.button("Pause").waitFor();
    await eventually(async () => assert.equal((await pictureOf(viewer))?.code, bo.code), 30_000);
    await look(viewer, where, least);
  }
  await ana.page.keyboard.press("?");
  await ana.page.getByRole("dialog").waitFor();
  await look(ana, "watch, keys", MOUSE_PX);
  found.push(...(await paleOverVideo(bo, "studio, phone, live")));
  assert.deepEqual(found, []);
});

scene("who has no key, or a wrong one, is told so, and so is the second who sends", { timeout: 90_000 }, async (cast) => {
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  const broadcast = await here.server.rest("POST", "/broadcasts", { title: "One at a time" });
  const studio = `${here.server.origin}/studio/${broadcast.id}`;
  const give = async (person, key) => {
    await person.go(studio);
    await person.sees("This tab does not have the stream key");
    await person.write("Stream key", key);
    await person.press("Continue");
    await person.sees("Ready");
    await person.press("Go live");
  };
  await give(bo, "no such key");
  await bo.sees("That stream key is not right.");
  await give(ana, broadcast.stream_key);
  await ana.sees(/Live for/u);
  await give(bo, broadcast.stream_key);
  await bo.sees("Somebody else is sending to this broadcast already.");
  await bo.go(`${here.server.origin}/studio/none`);
  await bo.sees("This broadcast cannot be opened");
});

/** With the Tab key, as far as to what has this name. */
async function toFocus(person, name) {
  for (let presses = 0; presses < 60; presses += 1) {
    await person.page.keyboard.press("Tab");
    const at = await person.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.innerText?.trim());
    if (at === name) return;
  }
  assert.fail(`no way by the keyboard to ${name}`);
}
