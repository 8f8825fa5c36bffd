// Off this machine: HTTPS, outside --dev, to a browser behind another network interface.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { chromium } from "./lib/browsers.mjs";
import { hindrance, otherMachine } from "./lib/netlab.mjs";
import { call, eventually, startServer } from "./lib/server.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const skip = hindrance() ?? false;
const TOKEN = "0123456789abcdef0123456789abcdef";
const SELF_SIGNED = "[tls]\nself_signed = true\n";

let machine, browser;
before(async () => {
  if (skip) return;
  machine = otherMachine();
  const args = ["--ignore-certificate-errors"];
  browser = await chromium({ executablePath: machine.run(CHROMIUM), args });
});
after(async () => {
  await browser?.close();
  machine?.stop();
});

async function freePort() {
  const listener = createServer();
  await new Promise((done) => listener.listen(0, "0.0.0.0", done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  return port;
}

/** A server on all interfaces, outside --dev. */
async function open(settings = () => "") {
  const port = await freePort();
  const text = settings(port) + SELF_SIGNED;
  return { port, server: await startServer({ dev: false, listen: `0.0.0.0:${port}`, settings: text, env: { SYMPOSIA_API_TOKEN: TOKEN } }) };
}

/** A page in the other machine's browser whose peer connections can be asked. */
async function person() {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-US" });
  await context.addInitScript(() => {
    window.peers = [];
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
      constructor(...settings) {
        super(...settings);
        window.peers.push(this);
      }
    };
  });
  return context.newPage();
}

async function received(page) {
  return page.evaluate(async () => {
    const found = { frames: 0, energy: 0, remote: [] };
    for (const peer of window.peers) {
      const stats = await peer.getStats();
      stats.forEach((one) => {
        if (one.type === "inbound-rtp" && one.kind === "video") found.frames += one.framesDecoded ?? 0;
        if (one.type === "inbound-rtp" && one.kind === "audio") found.energy += one.totalAudioEnergy ?? 0;
        if (one.type === "candidate-pair" && one.nominated) found.remote.push(stats.get(one.remoteCandidateId)?.address);
      });
    }
    return found;
  });
}

async function plays(page) {
  return eventually("pictures and sound arrive", async () => {
    const before = await received(page);
    await new Promise((done) => setTimeout(done, 500));
    const now = await received(page);
    // A pair that was just selected counts as nominated with its next check.
    return now.frames > before.frames && now.energy > before.energy && now.remote.length > 0 && now;
  }, 40_000);
}

/** Goes through the page before the meeting. */
async function enter(page, name, button) {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("toolbar").first().waitFor();
}

test("from the set-up link to a meeting in a browser of another machine", { skip, timeout: 180_000 }, async () => {
  const { server } = await open((port) => `public_url = "https://${machine.here}:${port}"\n`);
  try {
    const setup = await eventually("the set-up link", () => server.stdout.find((line) => line.includes("/setup#")));
    const link = setup.match(/https:\S+/)[0];
    assert.ok(link.startsWith(`https://${machine.here}:`), link);

    const host = await person();
    await host.goto(link);
    await host.getByLabel("User name").fill("admin");
    await host.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await host.getByLabel("Repeat password").fill("correct horse battery");
    await host.getByRole("button", { name: "Create administrator" }).click();
    await host.getByRole("button", { name: "Start a meeting" }).click();
    await enter(host, "Ana", "Start as host");

    const listed = await call(`${server.url}/api/v1/meetings`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const [meeting] = listed.json().meetings;
    assert.ok(meeting.join_url.startsWith(`https://${machine.here}:`), listed.text);
    const guest = await person();
    await guest.goto(meeting.join_url);
    await guest.getByLabel("Your name").fill("Ben");
    await guest.getByRole("button", { name: "Join" }).click();
    await host.getByRole("button", { name: "Admit Ben" }).first().click();
    await guest.getByRole("toolbar").first().waitFor();

    const before = machine.bytes();
    const seen = await Promise.all([plays(host), plays(guest)]);
    for (const { remote } of seen) assert.deepEqual([...new Set(remote)], [machine.here]);
    assert.ok(machine.bytes() - before > 50_000, "media crossed the pair");

    // The link works once.
    const again = await person();
    await again.goto(link);
    await again.getByLabel("User name").fill("eve");
    await again.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await again.getByLabel("Repeat password").fill("correct horse battery");
    await again.getByRole("button", { name: "Create administrator" }).click();
    await again.getByText("set-up link is used or wrong").waitFor();
    await Promise.all([host, guest, again].map((page) => page.context().close()));
  } finally {
    await server.stop();
  }
});

test("[media] advertise names the address that media goes to, and the certificate and names follow", { skip, timeout: 120_000 }, async () => {
  // As behind a NAT: an address that browsers reach and that is not that of the interface they came by.
  const outside = machine.here.replace(/\.1$/, ".77").replace("10.213", "10.214");
  machine.outside(outside);
  const { server, port } = await open(() => `[media]\nadvertise = ["${outside}"]\n`);
  try {
    const made = await call(`https://${machine.here}:${port}/api/v1/meetings`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ waiting_room: false }),
    });
    const base = `https://${outside}:${port}`;
    const here = (url) => base + new URL(url).pathname + new URL(url).hash;
    const { host_url, join_url } = made.json();
    const [host, guest] = [await person(), await person()];
    await host.goto(here(host_url));
    await enter(host, "Ana", "Start as host");
    await guest.goto(here(join_url));
    await enter(guest, "Ben", "Join");
    const seen = await plays(guest);
    assert.deepEqual([...new Set(seen.remote)], [outside]);
    await Promise.all([host, guest].map((page) => page.context().close()));
  } finally {
    await server.stop();
  }
});

test("X-Forwarded-For is believed from trusted proxies only", { timeout: 60_000 }, async () => {
  // Two guesses a minute and address: whose count goes up shows whom the server takes the caller for.
  const limits = "[limits]\nsign_ins_per_minute_per_address = 2\n";
  const signIn = (server, forwarded) =>
    call(`${server.url}/api/v1/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
      body: JSON.stringify({ name: "nobody", password: "wrong password" }),
    }).then(({ status }) => status);
  const statuses = async (settings) => {
    const server = await startServer({ dev: false, settings: settings + limits });
    try {
      const found = [];
      for (const address of ["198.51.100.1", "198.51.100.1", "198.51.100.1", "198.51.100.2"]) found.push(await signIn(server, address));
      return found;
    } finally {
      await server.stop();
    }
  };
  assert.deepEqual(await statuses('trusted_proxies = ["127.0.0.0/8"]\n'), [401, 401, 429, 401]);
  assert.deepEqual(await statuses(""), [401, 401, 429, 429]);
});
