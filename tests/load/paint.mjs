// How old a picture is when it is shown: from painting it in one Chromium to seeing it in another, through the server
// and beside it straight from browser to browser, in the same run (acceptance P7).
//
//   node tests/load/paint.mjs [SECONDS]     after `make build` and `npm ci` in tests/encoders
//
// The camera is a canvas that shows the time of its painting as large black and white cells; the viewer reads it from
// each new frame. Both browsers read the clock of this machine, which they share with the server.

// acceptance: P7
import { loadavg } from "node:os";
import { bareSite, chromium } from "../encoders/lib/browsers.mjs";
import { api, program, startServer } from "../encoders/lib/server.mjs";

/** Each of the four measurements. */
const SECONDS = Number(process.argv[2] ?? 8);

/** Until an encoder has found its bit rate and a jitter buffer its length. */
const SETTLE_MS = 4_000;

/** Runs in a page before its own scripts: a camera that shows the time, and a reader of such pictures. */
function installClock({ camera }) {
  const [COLUMNS, ROWS, CELL] = [6, 4, 60];
  const time = () => performance.timeOrigin + performance.now();
  /** 16 bits of milliseconds between a pattern to know them by and their check sum. */
  const bits = (value) => {
    const check = ((value >> 12) ^ (value >> 8) ^ (value >> 4) ^ value) & 15;
    const of = (number, count) => Array.from({ length: count }, (_, bit) => (number >> (count - 1 - bit)) & 1);
    return [1, 0, 1, 0, ...of(value, 16), ...of(check, 4)];
  };
  const clockTrack = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: COLUMNS * CELL, height: ROWS * CELL });
    const context = canvas.getContext("2d", { alpha: false });
    const [track] = canvas.captureStream(0).getVideoTracks();
    setInterval(() => {
      const now = Math.round(time()) & 0xffff;
      bits(now).forEach((bit, cell) => {
        context.fillStyle = bit ? "#ebebeb" : "#101010";
        context.fillRect((cell % COLUMNS) * CELL, Math.floor(cell / COLUMNS) * CELL, CELL, CELL);
      });
      track.requestFrame();
    }, 1000 / 30);
    return track;
  };
  const small = Object.assign(document.createElement("canvas"), { width: COLUMNS * 8, height: ROWS * 8 });
  const reader = small.getContext("2d", { willReadFrequently: true });
  /** The time in a picture; null where there is none. */
  const read = (video) => {
    reader.drawImage(video, 0, 0, small.width, small.height);
    const { data } = reader.getImageData(0, 0, small.width, small.height);
    const cells = Array.from({ length: COLUMNS * ROWS }, (_, cell) => {
      const [x, y] = [(cell % COLUMNS) * 8 + 4, Math.floor(cell / COLUMNS) * 8 + 4];
      return data[(y * small.width + x) * 4] > 128 ? 1 : 0;
    });
    const value = cells.slice(4, 20).reduce((sum, bit) => sum * 2 + bit, 0);
    return bits(value).every((bit, cell) => bit === cells[cell]) ? value : null;
  };
  /** How old the frames of the picture with a clock in it are when they are shown, in milliseconds. */
  window.measureAges = async (milliseconds) => {
    const ages = [];
    const until = time() + milliseconds;
    const watched = new WeakSet();
    const watch = (video) => {
      const shown = () => {
        const now = time();
        const painted = read(video);
        if (painted !== null) ages.push(((now - painted) % 65536 + 65536) % 65536);
        if (now < until) video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    };
    while (time() < until) {
      for (const video of document.querySelectorAll("video")) {
        if (watched.has(video)) continue;
        watched.add(video);
        watch(video);
      }
      await new Promise((done) => setTimeout(done, 100));
    }
    return ages;
  };
  window.clockTrack = clockTrack;
  if (!camera || !navigator.mediaDevices) return;
  const browsers = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const sound = audio ? (await browsers({ audio })).getAudioTracks() : [];
    return new MediaStream([...sound, ...(video ? [clockTrack()] : [])]);
  };
}

/** From browser to browser, with nothing between. */
async function direct(senders, viewers, site) {
  const pages = await Promise.all([senders, viewers].map(async (browser) => {
    const page = await browser.newPage();
    await page.addInitScript(installClock, { camera: false });
    await page.goto(site.url);
    return page;
  }));
  const [sender, viewer] = pages;
  const gathered = `(pc) => new Promise((done) => {
    const ask = () => pc.iceGatheringState === "complete" && done(pc.localDescription.sdp);
    pc.addEventListener("icegatheringstatechange", ask);
    ask();
  })`;
  const offer = await sender.evaluate(async (gathered) => {
    const pc = (window.pc = new RTCPeerConnection());
    pc.addTransceiver(window.clockTrack(), { direction: "sendonly" });
    await pc.setLocalDescription();
    return window.eval(gathered)(pc);
  }, gathered);
  const answer = await viewer.evaluate(async ([gathered, sdp]) => {
    const pc = (window.pc = new RTCPeerConnection());
    pc.addEventListener("track", ({ track }) => {
      const video = document.querySelector("video");
      video.muted = true;
      video.srcObject = new MediaStream([track]);
      void video.play();
    });
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription();
    return window.eval(gathered)(pc);
  }, [gathered, offer]);
  await sender.evaluate((sdp) => window.pc.setRemoteDescription({ type: "answer", sdp }), answer);
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const ages = await viewer.evaluate((milliseconds) => window.measureAges(milliseconds), SECONDS * 1000);
  await Promise.all(pages.map((page) => page.close()));
  return ages;
}

/** Through the server: the web app on both sides. */
async function through(senders, viewers, server) {
  const meeting = await api(server, "POST", "/api/v1/meetings", { waiting_room: false });
  const contexts = await Promise.all([senders, viewers].map((browser) => browser.newContext({ locale: "en-US" })));
  const [host, guest] = await Promise.all(contexts.map((context) => context.newPage()));
  await host.addInitScript(installClock, { camera: true });
  await guest.addInitScript(installClock, { camera: false });
  await host.goto(meeting.host_url);
  await host.getByLabel("Your name").fill("Host");
  await host.getByRole("button", { name: "Start as host" }).click();
  await host.getByRole("toolbar").first().waitFor();
  await guest.goto(meeting.join_url);
  await guest.getByLabel("Your name").fill("Guest");
  await guest.getByRole("button", { name: "Join", exact: true }).click();
  await guest.getByRole("toolbar").first().waitFor();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const ages = await guest.evaluate((milliseconds) => window.measureAges(milliseconds), SECONDS * 1000);
  await Promise.all(contexts.map((context) => context.close()));
  return ages;
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

const server = await startServer();
const site = await bareSite();
let browsers = [];
try {
  browsers = await Promise.all([chromium(), chromium()]);
  const ways = { "browser to browser": [], "through the server": [] };
  // In turn, so that a change of the machine's mood hits both.
  for (let round = 0; round < 2; round += 1) {
    ways["browser to browser"].push(...(await direct(...browsers, site)));
    ways["through the server"].push(...(await through(...browsers, server)));
  }
  console.log(`${program()}, load average ${loadavg()[0].toFixed(1)}\n`);
  console.log("| P7 paint to paint, Chromium | p50 | p95 | p99 | frames |\n|---|---|---|---|---|");
  const middles = Object.entries(ways).map(([name, ages]) => {
    if (ages.length < 100) throw new Error(`${name}: only ${ages.length} frames could be read`);
    ages.sort((a, b) => a - b);
    const row = [0.5, 0.95, 0.99].map((share) => `${percentile(ages, share).toFixed(1)} ms`).join(" | ");
    console.log(`| ${name} | ${row} | ${ages.length} |`);
    return percentile(ages, 0.5);
  });
  console.log(`| **added by the server** (bound: +15 ms) | **${(middles[1] - middles[0]).toFixed(1)} ms** | | | |`);
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  site.stop();
  await server.stop();
}
