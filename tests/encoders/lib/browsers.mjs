// Real Chromium and Firefox, and a bare page of another site in them that publishes by WHIP and watches by WHEP.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import puppeteer from "puppeteer-core";

/** Chromium with a fake camera and microphone. */
export function chromium({ args = [], autoplay = true, ...more } = {}) {
  return playwright.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      ...(autoplay ? ["--autoplay-policy=no-user-gesture-required"] : []),
      ...args,
    ],
    ...more,
  });
}

/** Firefox over WebDriver BiDi. */
export function firefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    protocol: "webDriverBiDi",
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      "media.gmp-manager.updateEnabled": false,
    },
  });
}

/** Serves the bare page from a port of its own: another site than the server under test. */
export async function bareSite() {
  const script = readFileSync(join(import.meta.dirname, "bare-page.js"), "utf8");
  const page = `<!doctype html><meta charset="utf-8"><title>bare</title><video autoplay playsinline></video><script>${script}</script>`;
  const site = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(page);
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  return { url: `http://localhost:${site.address().port}/`, stop: () => site.close() };
}

/** Opens the bare page. */
export async function barePage(browser, site) {
  const page = await browser.newPage();
  await page.goto(site.url);
  return page;
}

/** What a page has received, twice, a while apart: enough to see whether it plays. */
export async function received(page, apart = 1_000) {
  const before = await page.evaluate(() => window.measure());
  await new Promise((done) => setTimeout(done, apart));
  const after = await page.evaluate(() => window.measure());
  return {
    ...after,
    packets: after.packets - before.packets,
    frames: after.framesDecoded - before.framesDecoded,
    energy: after.audioEnergy - before.audioEnergy,
    moved: after.digest !== before.digest,
  };
}
