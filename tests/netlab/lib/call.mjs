// A meeting over the lab's link: a server here, people here, and people behind the link. Knows no scenario.

import { createServer } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cast, CHROMIUM, eventually, FIREFOX, launchChromium, launchFirefox, sleep } from "../../browsers/support/people.js";
import { installReaders, installDevices, PITCHES } from "../../browsers/support/signals.js";
import { call as request, startServer } from "../../encoders/lib/server.mjs";
import { installCamera, installCertificate, installGauges } from "./page.mjs";

const TOKEN = "0123456789abcdef0123456789abcdef";
/** A page, its scripts and a person's clicks over a bad link. */
const PATIENCE_MS = 60_000;

async function freePort() {
  const listener = createServer();
  await new Promise((done) => listener.listen(0, "0.0.0.0", done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  return port;
}

export class Call {
  static async open(lab) {
    const call = new Call();
    Object.assign(call, { lab, cast: new Cast(), server: null, browsers: {} });
    const port = await freePort();
    call.origin = `https://${lab.here}:${port}`;
    call.trace = join(lab.folder, `trace-${port}`);
    const settings = `public_url = "${call.origin}"\n[tls]\nself_signed = true\n[media]\nadvertise = ["${lab.here}"]\ntrace = "${call.trace}"\n`;
    call.started = Date.now();
    call.server = await startServer({ dev: false, listen: `0.0.0.0:${port}`, settings, env: { SYMPOSIA_API_TOKEN: TOKEN } });
    const made = await request(`${call.server.url}/api/v1/meetings`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ waiting_room: false }),
    });
    if (made.status >= 300) throw new Error(`no meeting: ${made.status} ${made.text}`);
    call.meeting = made.json();
    return call;
  }

  /** One Chromium on each side of the link, with as many people in it as come. */
  chromium(behind) {
    const side = behind ? "there" : "here";
    this.browsers[side] ??= launchChromium({ program: behind ? this.lab.run(CHROMIUM) : CHROMIUM, args: ["--ignore-certificate-errors"] }).then((browser) => {
      this.cast.closers.unshift(() => browser.close());
      return browser;
    });
    return this.browsers[side];
  }

  /**
   * Somebody at the door of the meeting, name filled in. `behind` the link or not; `camera`: `{width, height, fps}`;
   * `bits`: of an RSA certificate.
   */
  async person(name, code, { behind = false, firefox = false, camera = { width: 640, height: 360, fps: 15 }, bits = 0 } = {}) {
    const person = firefox ? await this.firefoxPerson(name, code, behind) : await this.cast.seat(await this.chromium(behind), name, code, { ignoreHTTPSErrors: true, pitch: PITCHES[(code - 1) % PITCHES.length] });
    if (!firefox) person.page.setDefaultTimeout(PATIENCE_MS);
    await person.before(installCamera, { code, ...camera });
    if (bits > 0) await person.before(installCertificate, { bits });
    await person.before(installGauges);
    person.link = code === 1 ? this.meeting.host_url : this.meeting.join_url;
    person.enters = code === 1 ? "Start as host" : "Join";
    await person.go(person.link);
    await person.write("Your name", name);
    return person;
  }

  async firefoxPerson(name, code, behind) {
    const debuggingPort = await freePort();
    if (behind) await this.lab.reach(debuggingPort);
    const browser = await launchFirefox({ pitch: PITCHES[(code - 1) % PITCHES.length], program: behind ? this.lab.run(FIREFOX) : FIREFOX, acceptInsecureCerts: true, debuggingPort });
    const page = await browser.newPage();
    await page.setViewport({ width: 1100, height: 700 });
    await page.evaluateOnNewDocument(installReaders);
    await page.evaluateOnNewDocument(installDevices, { code, pitch: null });
    this.cast.closers.unshift(() => browser.close());
    return this.cast.addFirefox(name, code, page, () => browser.close());
  }

  /** Clicks, and is in the meeting. */
  async enter(person) {
    await person.press(person.enters);
    await eventually(async () => {
      const there = await person.page.evaluate(() => document.querySelector('[role="toolbar"]') !== null);
      if (!there) throw new Error(`${person.name} is not in the meeting`);
    }, PATIENCE_MS);
  }

  /** Until `viewer` sees the codes of all these people. */
  async sees(viewer, people, within = PATIENCE_MS) {
    for (const shown of people) {
      await eventually(async () => {
        const tile = await viewer.tile(shown.name);
        if (tile?.picture?.code !== shown.code) throw new Error(`${viewer.name} does not see ${shown.name}: ${JSON.stringify(tile)}`);
      }, within);
    }
  }

  /** Ends all, and gives the estimates of the server's trace: `[{session, ms, bits}]`, from the server's start. */
  async close() {
    await this.cast.close();
    await this.server?.stop();
    let text = "";
    try {
      text = readFileSync(this.trace, "utf8");
    } catch {
      // Nobody sent anything.
    }
    return text.split("\n").flatMap((line) => {
      const [word, session, ns, bits] = line.split(",");
      return word === "feedback" ? [{ session, ms: Number(ns) / 1e6, bits: Number(bits) }] : [];
    });
  }
}

export { eventually, sleep };
