// acceptance: P3
// How long a person waits: from the click on "Join" to the first picture of somebody else (P3), where that time
// goes, and what the server takes of memory with nobody there (P4).
//
//   node tests/load/join.mjs [JOINS]     after `make build` and `npm ci` in tests/encoders
//
// The server, the host's browser and the guest's share this machine; a busy one gives larger figures.

import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { chromium } from "../encoders/lib/browsers.mjs";
import { api, program, startServer } from "../encoders/lib/server.mjs";

const JOINS = Number(process.argv[2] ?? 20);

/** What happens between the click and the picture, in the order in which it usually does. */
const STEPS = {
  socketOpen: "the socket is open",
  welcome: "the server let us in",
  camera: "the camera is open",
  made: "the peer connection is made",
  offerMade: "the browser has made its offer",
  offered: "the offer is the local description",
  offerSent: "the offer is sent",
  answerCame: "the answer came",
  answered: "the answer is the remote description",
  ice: "ICE is connected",
  connected: "DTLS is connected",
  watched: "the page said what it shows",
  slotsCame: "the server said which slot carries it",
  firstPacket: "the first packet came",
  bound: "the page has an element for it",
  received: "the first frame is whole",
  painted: "the first frame is on the screen",
};

/** Resident memory of a process, in MB. */
function resident(pid) {
  const kilobytes = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1];
  return Number(kilobytes) / 1024;
}

/** Runs in the page before anything of it: notes when each step happens. */
function watchForPictures() {
  const steps = {};
  const note = (step, at = performance.now()) => (steps[step] ??= at);
  const received = new Set();
  // Long messages are packed, both ways.
  const textOf = async (data) =>
    typeof data === "string" ? data : new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
  window.blocked = [];
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.blocked.push({ start: task.startTime, took: task.duration });
  }).observe({ type: "longtask" });
  window.addEventListener("click", (event) => {
    if (event.target.closest?.("button")?.textContent.includes("Join")) note("clicked");
  }, true);
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await open(wish);
    if (wish.video) note("camera");
    return stream;
  };
  window.WebSocket = class extends window.WebSocket {
    constructor(...settings) {
      super(...settings);
      this.addEventListener("open", () => note("socketOpen"));
      this.addEventListener("message", async ({ data }) => {
        const at = performance.now();
        const message = JSON.parse(await textOf(data));
        if (message.event?.kind === "welcome") note("welcome", at);
        if (message.result?.kind === "answer") note("answerCame", at);
        if (message.media?.kind === "slots" && message.media.slots.some((slot) => slot.source === "camera")) note("slotsCame", at);
      });
    }
    send(data) {
      const at = performance.now();
      void textOf(data).then((text) => {
        if (text.includes('"offer"')) note("offerSent", at);
        if (text.includes('"watch"') && text.includes('"camera"')) note("watched", at);
      });
      super.send(data);
    }
  };
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      note("made");
      this.addEventListener("track", ({ track }) => {
        if (track.kind !== "video") return;
        received.add(track.id);
        track.addEventListener("unmute", () => note("firstPacket"));
      });
      this.addEventListener("signalingstatechange", () => note(this.signalingState === "stable" ? "answered" : "offered"));
      this.addEventListener("iceconnectionstatechange", () => this.iceConnectionState === "connected" && note("ice"));
      this.addEventListener("connectionstatechange", () => this.connectionState === "connected" && note("connected"));
    }
    async createOffer(...settings) {
      const offer = await super.createOffer(...settings);
      note("offerMade");
      return offer;
    }
  };
  window.firstPicture = new Promise((done) => {
    const watched = new WeakSet();
    setInterval(() => {
      for (const video of document.querySelectorAll("video")) {
        const [track] = video.srcObject?.getVideoTracks() ?? [];
        if (!track || !received.has(track.id) || watched.has(video)) continue;
        watched.add(video);
        note("bound");
        video.requestVideoFrameCallback((shown, { receiveTime }) => {
          done({ ...steps, received: receiveTime, painted: shown });
        });
      }
    }, 5);
  });
}

const percentile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
};

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

  const joins = [];
  for (let join = 0; join < JOINS; join += 1) {
    const context = await guests.newContext({ locale: "en-US" });
    await context.addInitScript(watchForPictures);
    const guest = await context.newPage();
    await guest.goto(meeting.join_url);
    await guest.getByLabel("Your name").fill(`Guest ${join}`);
    // A person looks at his own picture first; nothing of the page's start is in the figure.
    await new Promise((done) => setTimeout(done, 1_000));
    await guest.getByRole("button", { name: "Join", exact: true }).click();
    const steps = await guest.evaluate(() => window.firstPicture);
    joins.push(steps);
    if (process.env.DETAIL) {
      const blocked = await guest.evaluate(() => window.blocked);
      const rest = Object.entries(steps).map(([step, at]) => `${step} ${Math.round(at - steps.clicked)}`).join(", ");
      const long = blocked.filter(({ start }) => start > steps.clicked - 50).map(({ start, took }) => `${Math.round(start - steps.clicked)}+${Math.round(took)}`).join(" ");
      console.log(`${rest}; blocked ${long}; load ${loadavg()[0]}`);
    }
    await guest.getByRole("button", { name: /^Leave/ }).first().click().catch(() => {});
    await context.close();
  }
  const after = resident(server.child.pid);
  const row = (step) => {
    // A step that a browser did not tell of is left out; the picture itself must be there.
    const told = joins.filter((steps) => step === "painted" || Number.isFinite(steps[step]));
    const took = told.map((steps) => steps[step] - steps.clicked);
    return [0.5, 0.95, 1].map((share) => `${Math.round(percentile(took, share))} ms`).join(" | ");
  };
  console.log(`${program()}, load average ${loadavg()[0].toFixed(1)}\n`);
  console.log("| what | p50 | p95 | slowest | bound |\n|---|---|---|---|---|");
  console.log(`| P3 click to first remote picture, Chromium, n = ${joins.length} | ${row("painted")} | 700 ms, 1500 ms |`);
  for (const [step, words] of Object.entries(STEPS)) console.log(`| until ${words} | ${row(step)} | |`);
  console.log("");
  console.log("| what | MB | bound |\n|---|---|---|");
  console.log(`| P4 resident with nobody there | ${idle.toFixed(1)} | 40 |`);
  console.log(`| after ${joins.length} joins | ${after.toFixed(1)} | |`);
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.stop();
}
