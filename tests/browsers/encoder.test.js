/** Somebody sends to a broadcast with another program: its page says where to, what arrives, and what is wrong, in plain words. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { pushRtmp } from "../encoders/lib/rtmp.mjs";
import { faults, FINGER_PX, lost, MOUSE_PX, paleOverVideo, smallTargets } from "./support/checks.js";
import { scene, serverOfThisFile } from "./support/meet.js";
import { freeCores } from "./support/moments.js";
import { eventually } from "./support/people.js";

const folder = mkdtempSync(path.join(tmpdir(), "symposia-encoder-"));
const settings = path.join(folder, "s.toml");
// A port of its own: other tests' servers listen on the usual one.
writeFileSync(settings, '[ingest]\nrtmp = "0"\n');
after(() => rmSync(folder, { recursive: true, force: true }));
const here = serverOfThisFile({ args: ["--dev", "--config", settings] });
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** What is wrong is read so soon after it can be known (acceptance L4). */
const TOLD_WITHIN_MS = 3_000;

async function look(found, person, where, least) {
  found.push(...(await faults(person, where)), ...(await smallTargets(person, where, least)), ...(await lost(person, where)), ...(await paleOverVideo(person, where)));
}

/** The moment when a text first stood on the page, by the clock that the server has, too. */
function whenSeen(person, text) {
  return person.page.evaluate(
    (wanted) =>
      new Promise((done) => {
        const seen = () => document.body.innerText.includes(wanted) && done(Date.now());
        seen();
        new MutationObserver(seen).observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
    text,
  );
}

/** Pushes until `play` is done. */
async function pushing(options, play) {
  const push = pushRtmp(options);
  try {
    return await play(push);
  } finally {
    await push.stop();
  }
}

// acceptance: L4
scene("who sends with another program reads what is wrong, and what to do, and sees what viewers see", { timeout: 150_000 }, async (cast) => {
  const ana = await cast.chromium("Ana", 1);
  const found = [];
  await ana.go(`${here.server.origin}/broadcasts`);
  await ana.press("New broadcast");
  await ana.write("Title", "From OBS");
  await ana.press("Create and open the studio");
  await ana.sees("Ready");
  await ana.page.getByRole("link", { name: "Use OBS or another program" }).click();
  await ana.sees("Waiting for your program");
  await look(found, ana, "before anything arrives", MOUSE_PX);

  const server = await ana.page.getByLabel("Server", { exact: true }).inputValue();
  const field = ana.page.getByLabel("Stream key", { exact: true });
  assert.equal(await field.getAttribute("type"), "password", "nobody who shares this screen shows the key");
  const key = await field.inputValue();
  assert.match(server, /^rtmp:\/\/[^/]+\/live$/u);
  const url = `${server}/${key}`;
  const id = new URL(ana.page.url()).pathname.split("/")[2];

  const title = "Your program sends B-frames.";
  const isFree = freeCores();
  const seen = whenSeen(ana, title);
  await pushing({ url, coding: ["bFrames", "silent"] }, async () => {
    const at = await seen;
    const { publisher } = await here.server.rest("GET", `/broadcasts/${id}`);
    const took = at - publisher.since;
    if (isFree()) assert.ok(took <= TOLD_WITHIN_MS, `told ${took} ms after it began`);
    await ana.sees("set “Max B-frames” to 0");
    await ana.sees("No sound arrives.");
    await ana.sees(/A key frame comes only after \d+ seconds and more\./u, 30_000);
    await look(found, ana, "troubles", MOUSE_PX);
  });
  await ana.sees("Nothing arrives yet");
  await ana.seesNot(title);

  const bo = await cast.chromium("Bo", 2, { ...PHONE, locale: "zh-CN" });
  await bo.go(ana.page.url());
  await pushing({ url, coding: ["h264", "aac"] }, async () => {
    await ana.sees("All is well with what you send.", 30_000);
    await ana.sees("320 × 180");
    await ana.sees(/every 1 s/u);
    await ana.sees("AAC, 44.1 kHz");
    await eventually(async () => {
      const video = await ana.page.evaluate(() => {
        const { videoWidth, currentTime, muted, paused } = document.querySelector("video");
        return { videoWidth, moves: currentTime > 0.5, muted, paused };
      });
      assert.deepEqual(video, { videoWidth: 320, moves: true, muted: true, paused: false });
    }, 30_000);
    await look(found, ana, "all is well", MOUSE_PX);
    // Another browser has no key until it is given. (With --dev everybody manages, and sees, all broadcasts.)
    await bo.write("推流密钥", key);
    await bo.press("使用此密钥");
    await bo.page.getByLabel("不记名令牌", { exact: true }).waitFor();
    await bo.sees("推流一切正常");
    await bo.sees("320 × 180");
    await look(found, bo, "phone, all is well", FINGER_PX);
  });
  await pushing({ url, coding: ["h264", "mp3"] }, async () => {
    await bo.sees("不支持此音频格式：MP3。", 30_000);
    await look(found, bo, "phone, troubles", FINGER_PX);
    // Who opens the studio meanwhile is told that somebody sends, and what is wrong with it.
    await ana.go(`${here.server.origin}/studio/${id}`);
    await ana.sees("Somebody else is sending to this broadcast right now.");
    await ana.sees("The sound’s format is not taken: MP3.");
  });
  assert.deepEqual(found, []);
  assert.deepEqual(here.server.panics(), []);
  assert.ok(!here.server.log.includes(key), "the stream key stands in no log");
});
