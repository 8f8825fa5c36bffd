/**
 * People at browsers: one page each, in Chromium or Firefox, with a camera and a microphone that say whose
 * they are. What they do, they do as a person does: by the names of buttons and fields.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium as playwright } from "playwright-core";
import puppeteer from "puppeteer-core";
import { installMoments } from "./moments.js";
import { installDevices, installReaders, PITCHES, writeCamera, writeMicrophone } from "./signals.js";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
/** Two cores draw and code everybody's pictures: what a person waits for a second may take ten. */
export const PATIENCE_MS = 15_000;

/**
 * Chromium. `smooth: false` leaves out the flags that answer questions in the person's place. `shares` is the title of
 * the tab that a person picks who shares: its own picture and sound, in place of the fake ones of devices.
 */
export function launchChromium({ camera, microphone, args = [], smooth = true, shares, program = CHROMIUM } = {}) {
  const fake = shares === undefined;
  return playwright.launch({
    executablePath: program,
    headless: true,
    // A tab that is muted is captured without its sound.
    ...(fake ? {} : { ignoreDefaultArgs: ["--mute-audio"] }),
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(fake ? ["--use-fake-device-for-media-stream"] : [`--auto-select-tab-capture-source-by-title=${shares}`]),
      // The answer to all questions would pick a made-up screen.
      ...(smooth && fake ? ["--use-fake-ui-for-media-stream"] : []),
      ...(smooth ? ["--autoplay-policy=no-user-gesture-required"] : []),
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      ...(microphone ? [`--use-file-for-fake-audio-capture=${microphone}`] : []),
      ...args,
    ],
  });
}

/** Firefox ESR over WebDriver BiDi; its fake microphone plays `pitch`. */
export function launchFirefox({ pitch = 440, smooth = true, prefs = {}, program = FIREFOX, ...more } = {}) {
  return puppeteer.launch({
    ...more,
    browser: "firefox",
    executablePath: program,
    headless: true,
    protocol: "webDriverBiDi",
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.audio.fake_frequency": pitch,
      "media.gmp-manager.updateEnabled": false,
      ...(smooth
        ? { "media.navigator.permission.disabled": true, "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0 }
        : {}),
      ...prefs,
    },
  });
}

/** A person of either browser. `code` is 1 to 15. */
class Person {
  constructor(name, code, page, close) {
    Object.assign(this, { name, code, pitch: PITCHES[code - 1], page, close, errors: [] });
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  tiles() {
    return this.page.evaluate(() => window.symposiaTest.tiles());
  }

  pitches(milliseconds = 2_000) {
    return this.page.evaluate((time) => window.symposiaTest.pitches(time), milliseconds);
  }

  received() {
    return this.page.evaluate(() => window.symposiaTest.received());
  }

  flows() {
    return this.page.evaluate(() => window.symposiaTest.flows());
  }

  text() {
    return this.page.evaluate(() => document.body.innerText);
  }

  sees(text, within) {
    return eventually(async () => {
      const shown = await this.text();
      if (!(text instanceof RegExp ? text.test(shown) : shown.includes(text))) throw new Error(`${this.name} does not see ${text} in:\n${shown}`);
    }, within);
  }

  async seesNot(text, within) {
    await eventually(async () => {
      if ((await this.text()).includes(text)) throw new Error(`${this.name} still sees ${text}`);
    }, within);
  }

  /** The tile whose label begins with a name. */
  async tile(name) {
    return (await this.tiles()).find(({ label }) => label === name || label.startsWith(`${name},`) || label.startsWith(`${name} (`));
  }
}

class ChromiumPerson extends Person {
  /** Sends what no button of the page sends, over the page's own socket: the reply, or the refusal with its code. */
  command(command) {
    return this.page.evaluate((wanted) => window.symposiaTest.command(wanted), command);
  }

  button(name) {
    return this.page.getByRole("button", { name, ...(typeof name === "string" ? { exact: true } : {}) }).first();
  }

  press(name) {
    return this.button(name).click({ timeout: PATIENCE_MS });
  }

  /** Opens a menu and takes one of its items. */
  async choose(menu, item) {
    await this.press(menu);
    await this.page.getByRole("menuitem", { name: item, exact: true }).click({ timeout: PATIENCE_MS });
  }

  /** What a menu offers. */
  async items(menu) {
    await this.press(menu);
    await this.page.getByRole("menuitem").first().waitFor();
    const items = await this.page.getByRole("menuitem").allInnerTexts();
    await this.page.keyboard.press("Escape");
    await this.page.getByRole("menuitem").first().waitFor({ state: "detached" });
    return items.map((item) => item.trim());
  }

  write(label, text) {
    return this.page.getByLabel(label, { exact: true }).first().fill(text, { timeout: PATIENCE_MS });
  }

  go(address) {
    return this.page.goto(address, { waitUntil: "domcontentloaded" });
  }

  /** A script that runs in every page before its own. */
  before(script, argument) {
    return this.page.addInitScript(script, argument);
  }

  screenshot(file) {
    return this.page.screenshot({ path: file, timeout: 5_000 });
  }
}

class FirefoxPerson extends Person {
  /** Puppeteer's own search by accessible name finds nothing in Firefox after some navigations. */
  find(selector, name) {
    return eventually(async () => {
      const found = await this.page.evaluateHandle(
        (elements, wanted) =>
          [...document.querySelectorAll(elements)].find(
            (element) => (element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText).trim() === wanted && element.offsetParent,
          ) ?? null,
        selector,
        name,
      );
      const element = found.asElement();
      if (!element) throw new Error(`${this.name} finds no ${selector} named ${name}`);
      return element;
    });
  }

  async press(name) {
    await (await this.find("button", name)).click();
  }

  async write(label, text) {
    const field = await this.find("input, textarea", label);
    await field.click({ count: 3 });
    await field.type(text);
  }

  go(address) {
    return this.page.goto(address, { waitUntil: "domcontentloaded" });
  }

  before(script, argument) {
    return this.page.evaluateOnNewDocument(script, argument);
  }

  screenshot(file) {
    return this.page.screenshot({ path: file });
  }
}

/** Opens browsers and closes all of them at the end, whatever happened; keeps pictures of a failure. */
export class Cast {
  constructor() {
    this.people = [];
    this.closers = [];
    this.shared = null;
  }

  /** With the fake devices of Chromium itself, fed from files: a browser of its own. */
  async chromiumWithFiles(name, code, { args } = {}) {
    const folder = await mkdtemp(path.join(tmpdir(), "symposia-signals-"));
    this.closers.push(() => rm(folder, { recursive: true, force: true }));
    const camera = path.join(folder, "camera.y4m");
    const microphone = path.join(folder, "microphone.wav");
    await Promise.all([writeCamera(camera, code), writeMicrophone(microphone, PITCHES[code - 1])]);
    const browser = await launchChromium({ camera, microphone, args });
    this.closers.unshift(() => browser.close());
    return this.seat(browser, name, code, { devices: false });
  }

  /** In a context of its own in the one Chromium that a test shares, with devices made in the page. */
  async chromium(name, code, options = {}) {
    if (!this.shared) {
      this.shared = launchChromium();
      this.closers.unshift(async () => (await this.shared).close());
    }
    return this.seat(await this.shared, name, code, options);
  }

  /** In a given Chromium. `devices: false` keeps the browser's own camera and microphone. */
  async seat(browser, name, code, { devices = true, pitch = PITCHES[code - 1], ...options } = {}) {
    const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1100, height: 700 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(installReaders);
    await page.addInitScript(installMoments);
    if (devices) await page.addInitScript(installDevices, { code, pitch });
    return this.add(new ChromiumPerson(name, code, page, () => context.close()));
  }

  async firefox(name, code, { devices = true, ...options } = {}) {
    const browser = await launchFirefox({ pitch: PITCHES[code - 1], ...options });
    this.closers.unshift(() => browser.close());
    const page = await browser.newPage();
    await page.setViewport({ width: 1100, height: 700 });
    await page.evaluateOnNewDocument(installReaders);
    if (devices) await page.evaluateOnNewDocument(installDevices, { code, pitch: null });
    return this.addFirefox(name, code, page, () => browser.close());
  }

  /** At a page of a Firefox that somebody else started. */
  addFirefox(name, code, page, close) {
    return this.add(new FirefoxPerson(name, code, page, close));
  }

  add(person) {
    this.people.push(person);
    return person;
  }

  async pictures(test) {
    const folder = path.join(tmpdir(), "symposia-browsers-failed");
    const { mkdir, writeFile } = await import("node:fs/promises");
    await mkdir(folder, { recursive: true });
    for (const person of this.people) {
      const file = path.join(folder, `${test}-${person.name}`.replace(/[^\w-]+/gu, "_"));
      await person.screenshot(`${file}.png`).catch(() => {});
      const text = await person.text().catch(() => "");
      await writeFile(`${file}.txt`, `${text}\n\n${person.errors.join("\n")}\n`).catch(() => {});
    }
    return folder;
  }

  async close() {
    for (const close of this.closers) await close().catch(() => {});
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Tries until it does not throw; throws what it threw last. */
export async function eventually(attempt, within = PATIENCE_MS) {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(100);
  }
}
