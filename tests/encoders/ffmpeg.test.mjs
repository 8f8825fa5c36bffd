// ffmpeg pushes H.264 and Opus by WHIP; browsers watch it by WHEP, on the product's own page and on a bare one.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { barePage, bareSite, chromium, received } from "./lib/browsers.mjs";
import { push, PYTHON } from "./lib/ffmpeg.mjs";
import { api, call, eventually, startServer } from "./lib/server.mjs";

let server, site, browser;
before(async () => {
  [server, site, browser] = await Promise.all([startServer(), bareSite(), chromium()]);
});
after(async () => {
  await browser?.close();
  site?.stop();
  await server?.stop();
});

/** A broadcast that ffmpeg pushes to. */
async function pushed(options = {}) {
  const broadcast = await api(server, "POST", "/api/v1/broadcasts", { title: "ffmpeg" });
  const pushing = push({ url: broadcast.whip_url, key: broadcast.stream_key, ...options });
  await eventually(`ffmpeg publishes\n${pushing.log}`, () => isLive(broadcast));
  return { broadcast, pushing };
}

const isLive = async ({ id }) => (await api(server, "GET", `/api/v1/broadcasts/${id}`)).live;

/** Until picture and sound have come and go on coming. */
function plays(page, { pitch }) {
  return eventually(`picture and a tone of ${pitch} Hz`, async () => {
    const now = await received(page);
    const heard = now.energy > 0 && Math.abs(now.pitch - pitch) < 15;
    return now.frames >= 5 && now.moved && heard && now;
  }, 20_000);
}

// acceptance: L1
test("ffmpeg publishes and a bare page sees and hears it", async () => {
  const { broadcast, pushing } = await pushed({ pitch: 1000 });
  const page = await barePage(browser, site);
  const answer = await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  assert.equal(answer.status, 201);
  const seen = await plays(page, { pitch: 1000 });
  assert.deepEqual([seen.width, seen.height], [640, 360]);
  assert.deepEqual(seen.codecs.sort(), ["audio/opus", "video/H264"]);

  // Ctrl-C sends DELETE. ffmpeg 9.0.2 takes the answer's status line for a chunk's size and complains of any answer.
  assert.equal((await pushing.stop()).signal, null);
  await eventually("the broadcast is not live any more", async () => !(await isLive(broadcast)), 2_000);
  await page.close();
});

test("aiortc watches what ffmpeg publishes", async () => {
  const { broadcast, pushing } = await pushed();
  const script = join(import.meta.dirname, "watch.py");
  const text = await new Promise((done, failed) => {
    const told = (error, stdout, stderr) => (error ? failed(new Error(stderr)) : done(stdout));
    execFile(PYTHON, [script, broadcast.whep_url], { timeout: 60_000 }, told);
  });
  const seen = JSON.parse(text);
  assert.ok(seen.pictures > 10 && seen.sounds > 50 && seen.loudest > 1000, text);
  assert.deepEqual([seen.width, seen.height, seen.ended], [640, 360, 200]);
  await pushing.stop();
});

test("ffmpeg publishes also as the side that begins DTLS", async () => {
  const { broadcast, pushing } = await pushed({ pitch: 500, more: ["-whip_flags", "dtls_active"] });
  const page = await barePage(browser, site);
  await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  await plays(page, { pitch: 500 });
  await pushing.stop();
  await page.close();
});

// acceptance: L1
test("the watch page waits for the encoder, plays, and plays again when it comes back, without a reload", async () => {
  const broadcast = await api(server, "POST", "/api/v1/broadcasts", { title: "comes and goes" });
  const page = await browser.newPage();
  await page.goto(broadcast.watch_url);
  await page.evaluate(() => (window.sameDocument = true));
  await page.getByText("Nobody is sending yet").waitFor();

  const frames = () => page.evaluate(() => document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames);
  const running = async () => {
    const before = await frames();
    await new Promise((done) => setTimeout(done, 500));
    return (await frames()) > before;
  };
  const first = push({ url: broadcast.whip_url, key: broadcast.stream_key });
  await eventually("the page plays", running);
  await first.stop();
  await eventually("the picture stands", async () => !(await running()));

  const second = push({ url: broadcast.whip_url, key: broadcast.stream_key });
  await eventually("the page plays again", running);
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  await second.stop();
  await page.close();
});

test("an encoder that was killed is replaced by the next one", async () => {
  const { broadcast, pushing } = await pushed();
  const page = await barePage(browser, site);
  await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  await plays(page, { pitch: 1000 });
  await pushing.stop("SIGKILL");
  let second;
  await eventually("the next one is taken", async () => {
    second = push({ url: broadcast.whip_url, key: broadcast.stream_key, pitch: 600 });
    const ended = await Promise.race([second.ended, new Promise((done) => setTimeout(done, 3_000))]);
    return !ended;
  }, 40_000);
  await plays(page, { pitch: 600 });
  await second.stop();
  await page.close();
});

// acceptance: L4
test("a wrong stream key and a second encoder on one key are refused, the first goes on", async () => {
  const { broadcast, pushing } = await pushed();
  const stranger = push({ url: broadcast.whip_url, key: "0".repeat(32) });
  assert.notEqual((await stranger.ended).code, 0);
  assert.match(stranger.log, /401/);
  const second = push({ url: broadcast.whip_url, key: broadcast.stream_key });
  assert.notEqual((await second.ended).code, 0);
  assert.match(second.log, /409/);

  const page = await barePage(browser, site);
  await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  await plays(page, { pitch: 1000 });
  await pushing.stop();
  await page.close();
});

test("a deleted broadcast ends its encoder and its viewers", async () => {
  const { broadcast, pushing } = await pushed();
  const page = await barePage(browser, site);
  await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  await plays(page, { pitch: 1000 });
  await api(server, "DELETE", `/api/v1/broadcasts/${broadcast.id}`);
  assert.equal((await call(broadcast.whep_url, { method: "POST" })).status, 404);
  await eventually("no picture comes any more", async () => (await received(page, 500)).frames === 0);
  await pushing.stop("SIGKILL"); // it goes on sending to nobody
  await page.close();
});
