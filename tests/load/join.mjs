// How long a person waits: from the click on "Join" to the first picture of somebody else (acceptance P3), and what
// the server takes of memory with nobody there (P4).
//
//   node tests/load/join.mjs [JOINS]     after `make build` and `npm ci` in tests/encoders
//
// The server, the host's browser and the guest's share this machine; a busy one gives larger figures.

import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { chromium } from "../encoders/lib/browsers.mjs";
import { api, program, startServer } from "../encoders/lib/server.mjs";

const JOINS = Number(process.argv[2] ?? 20);

/** Resident memory of a process, in MB. */
function resident(pid) {
  const kilobytes = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1];
  return Number(kilobytes) / 1024;
}

/** Notes when "Join" is clicked and when the first frame of a received track is on the screen. */
function watchForPictures() {
  const received = new Set();
  const steps = {};
  window.firstPicture = new Promise((done) => {
    window.addEventListener("click", (event) => {
      if (event.target.closest?.("button")?.textContent.includes("Join")) steps.clicked = performance.now();
    }, true);
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
      constructor(...settings) {
        super(...settings);
        this.addEventListener("track", ({ track }) => track.kind === "video" && received.add(track.id));
        this.addEventListener("signalingstatechange", () => {
          steps[this.signalingState === "stable" ? "answered" : "offered"] ??= performance.now();
        });
        this.addEventListener("connectionstatechange", () => {
          if (this.connectionState === "connected") steps.connected ??= performance.now();
        });
      }
    };
    const watched = new WeakSet();
    setInterval(() => {
      for (const video of document.querySelectorAll("video")) {
        const [track] = video.srcObject?.getVideoTracks() ?? [];
        if (!track || !received.has(track.id) || watched.has(video)) continue;
        watched.add(video);
        video.requestVideoFrameCallback((shown) => done({ ...steps, shown }));
      }
    }, 5);
  });
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

const server = await startServer();
let browsers = [];
try {
  await new Promise((done) => setTimeout(done, 2_000));
  const idle = resident(server.child.pid);
  browsers = await Promise.all([chromium(), chromium()]);
  const [hosts, guests] = browsers;
  const meeting = await api(server, "POST", "/api/v1/meetings", { waiting_room: false });
  const host = await hosts.newPage();
  await host.goto(meeting.host_url);
  await host.getByLabel("Your name").fill("Host");
  await host.getByRole("button", { name: "Start as host" }).click();
  await host.getByRole("toolbar").first().waitFor();

  const took = [];
  for (let join = 0; join < JOINS; join += 1) {
    const context = await guests.newContext({ locale: "en-US" });
    await context.addInitScript(watchForPictures);
    const guest = await context.newPage();
    await guest.goto(meeting.join_url);
    await guest.getByLabel("Your name").fill(`Guest ${join}`);
    // A person looks at his own picture first; nothing of the page's start is in the figure.
    await new Promise((done) => setTimeout(done, 1_000));
    await guest.getByRole("button", { name: "Join", exact: true }).click();
    took.push(await guest.evaluate(() => window.firstPicture));
    await guest.getByRole("button", { name: /^Leave/ }).first().click().catch(() => {});
    await context.close();
  }
  const after = resident(server.child.pid);
  const step = (name) => took.map((steps) => steps[name] - steps.clicked).sort((a, b) => a - b);
  const row = (name) => [0.5, 0.95, 1].map((share) => `${Math.round(percentile(step(name), share))} ms`).join(" | ");
  console.log(`${program()}, load average ${loadavg()[0].toFixed(1)}\n`);
  console.log("| what | p50 | p95 | slowest | bound |\n|---|---|---|---|---|");
  console.log(`| P3 click to first remote picture, Chromium, n = ${took.length} | ${row("shown")} | 700 ms, 1500 ms |`);
  for (const name of ["offered", "answered", "connected"]) console.log(`| until ${name} | ${row(name)} | |`);
  console.log("");
  console.log("| what | MB | bound |\n|---|---|---|");
  console.log(`| P4 resident with nobody there | ${idle.toFixed(1)} | 40 |`);
  console.log(`| after ${took.length} joins | ${after.toFixed(1)} | |`);
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.stop();
}
