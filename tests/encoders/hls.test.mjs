// What comes by WHIP is watched by LL-HLS: in Chromium with hls.js, on a page of another site, and by ffmpeg.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "./lib/browsers.mjs";
import { push } from "./lib/ffmpeg.mjs";
import { api, eventually, startServer } from "./lib/server.mjs";

const PITCH = 1000;
const script = readFileSync(join(import.meta.dirname, "lib", "hls-page.js"), "utf8");
const library = readFileSync(createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js"), "utf8");

let server, browser, site, broadcast, pushing;
before(async () => {
  [server, browser] = await Promise.all([startServer(), chromium()]);
  site = createServer((request, response) => {
    const [type, text] = {
      "/hls.js": ["text/javascript", library],
      "/page.js": ["text/javascript", script],
    }[request.url] ?? ["text/html", `<!doctype html><video playsinline></video><script src="hls.js"></script><script src="page.js"></script>`];
    response.setHeader("content-type", type);
    response.end(text);
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  broadcast = await api(server, "POST", "/api/v1/broadcasts", { title: "HLS" });
  pushing = push({ url: broadcast.whip_url, key: broadcast.stream_key, pitch: PITCH, seconds: 120 });
});
after(async () => {
  await pushing?.stop();
  site?.close();
  await browser?.close();
  await server?.stop();
});

const text = async (url) => {
  const response = await fetch(url);
  return response.ok ? await response.text() : "";
};

// acceptance: L1
// acceptance: L2
test("hls.js in Chromium sees and hears what ffmpeg pushes, three seconds late at most", async () => {
  await eventually("a playlist", async () => (await text(broadcast.hls_url)).includes("video.m3u8"), 20_000);
  const page = await browser.newPage();
  await page.goto(`http://localhost:${site.address().port}/`);
  await page.evaluate((url) => window.watch(url), broadcast.hls_url);
  let now;
  const plays = eventually("picture, sound and little delay", async () => {
    now = await page.evaluate(() => window.measure());
    return now.frames > 50 && Math.abs(now.pitch - PITCH) < 30 && now.played > 3 && now.delay < 3 && now;
  }, 40_000);
  const seen = await plays.catch((error) => assert.fail(`${error.message}: ${JSON.stringify(now)}`));
  assert.deepEqual([seen.width, seen.height, seen.fatal], [640, 360, []], JSON.stringify(seen));
  assert.ok(seen.lowLatency && seen.delay > 0.3, JSON.stringify(seen));
  console.log(`  ${seen.delay.toFixed(2)} s late, ${seen.stalls} stalls`);
  await page.close();
});

// acceptance: L1
test("ffmpeg plays it as plain HLS", async () => {
  await eventually("a playlist", async () => (await text(broadcast.hls_url)).includes("audio.m3u8"), 20_000);
  const flags = ["-hide_banner", "-t", "5", "-i", broadcast.hls_url, "-map", "0:v", "-map", "0:a", "-af", "volumedetect"];
  const said = await new Promise((done, failed) => {
    const options = { timeout: 60_000, maxBuffer: 1 << 24 };
    execFile("ffmpeg", [...flags, "-f", "null", "-"], options, (error, _, stderr) => (error ? failed(error) : done(stderr)));
  });
  const frames = Number(said.match(/frame=\s*(\d+)(?![\s\S]*frame=)/)?.[1]);
  const volume = Number(said.match(/mean_volume: (-?[\d.]+) dB/)?.[1]);
  assert.ok(frames > 100 && volume > -30, said);
  assert.match(said, /h264.*640x360/);
  assert.match(said, /Audio: opus.*48000 Hz/);
});
