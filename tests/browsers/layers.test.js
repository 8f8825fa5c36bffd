/** A tile becomes small and large again: the picture follows it, whichever way its sender has layers. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, serverOfThisFile } from "./support/meet.js";
import { freeCores } from "./support/moments.js";
import { eventually, sleep } from "./support/people.js";

const here = serverOfThisFile();
const HEIGHT = 540;
const SMALL = { width: 320, height: 260 };
const LARGE = { width: 1280, height: 900 };

/** Runs in the publisher's page before its own scripts: a camera of 960×540, sent with these encodings. */
function installCamera({ encodings, codec }) {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const before = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await before(wanted);
    if (!wanted.video) return stream;
    const canvas = Object.assign(document.createElement("canvas"), { width: 960, height: 540 });
    const paint = canvas.getContext("2d", { alpha: false });
    let frame = 0;
    setInterval(() => {
      frame += 1;
      paint.fillStyle = `hsl(${(frame * 3) % 360} 60% 50%)`;
      paint.fillRect(0, 0, 960, 540);
      paint.fillStyle = "white";
      paint.fillRect((frame * 12) % 960, 135, 120, 270);
      // SVC must be worth its bits: of a link that carries little a browser never learns that it takes the highest layer.
      for (let block = 0; encodings.length === 1 && block < 40; block += 1) {
        paint.fillStyle = `hsl(${Math.random() * 360} 70% 50%)`;
        paint.fillRect(Math.random() * 900, Math.random() * 500, 24, 24);
      }
    }, 1000 / 20);
    return new MediaStream([...stream.getAudioTracks(), ...canvas.captureStream(20).getVideoTracks()]);
  };
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function addTransceiver(kind, init) {
    const camera = kind === "video" && init?.sendEncodings?.length === 3;
    if (!camera) return add.call(this, kind, init);
    const transceiver = add.call(this, kind, { ...init, sendEncodings: encodings });
    const codecs = RTCRtpSender.getCapabilities("video").codecs;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
    return transceiver;
  };
}

/** Runs in the viewer's page: when frames of the large picture are presented. */
function watchFrames() {
  const found = (window.presented = { times: [], sizes: [] });
  const follow = (video) => {
    const next = (now) => {
      found.times.push(now);
      found.sizes.push(video.videoHeight);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  };
  const tile = [...document.querySelectorAll('[role="group"]')].find((one) => (one.getAttribute("aria-label") ?? "").startsWith("Ana"));
  follow(tile.querySelector("video"));
}

/** What came of Ana's picture. */
const came = (viewer) =>
  viewer.page.evaluate(async () => {
    for (const connection of window.symposiaTest.connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp" || report.kind !== "video" || !report.framesDecoded) continue;
        const codec = (await connection.getStats()).get(report.codecId)?.mimeType;
        const { frameHeight, framesDecoded, framesPerSecond, packetsLost, nackCount, pliCount, keyFramesDecoded, freezeCount } = report;
        return { codec, frameHeight, framesDecoded, framesPerSecond, packetsLost, nackCount, pliCount, keyFramesDecoded, freezeCount };
      }
    }
    return null;
  });

const tileHeight = (viewer) =>
  viewer.page.evaluate(() => {
    const tile = [...document.querySelectorAll('[role="group"]')].find((one) => (one.getAttribute("aria-label") ?? "").startsWith("Ana"));
    return tile?.querySelector("video")?.clientHeight ?? 0;
  });

/** What Ana sends, for the report of a failure. */
const sends = (publisher) =>
  publisher.page.evaluate(async () => {
    const found = [];
    for (const connection of window.symposiaTest.connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "outbound-rtp" || report.kind !== "video" || !report.framesSent) continue;
        const { rid, active, frameHeight, framesSent, framesPerSecond, targetBitrate, qualityLimitationReason } = report;
        found.push({ rid, active, frameHeight, framesSent, framesPerSecond, targetBitrate, qualityLimitationReason });
      }
    }
    return found;
  });

/** Encoders cut odd lines off, or add one. */
const near = (height, expected) => Math.abs((height ?? 0) - expected) <= 2;

/** Until the tile of a new size has its picture, from when that is sent at all: an encoder without a core sends less. */
async function resized(viewer, publisher, size, expected) {
  await viewer.page.setViewportSize(size);
  let from = Date.now();
  let before = [];
  const shown = await eventually(async () => {
    const sent = await sends(publisher);
    const moves = ({ rid, frameHeight, framesSent }) => frameHeight >= expected - 2 && before.some((one) => one.rid === rid && framesSent > one.framesSent);
    if (!sent.some(moves)) from = Date.now();
    before = sent;
    const now = await came(viewer);
    assert.ok(near(now?.frameHeight, expected), `${JSON.stringify(now)} in a tile of ${await tileHeight(viewer)}; ${JSON.stringify(sent)}`);
    return now;
  }, 25_000);
  return { took: Date.now() - from, ...shown };
}

/** Little enough that the browser's estimate has room for all at once, also on a busy machine. */
const SIMULCAST = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 60_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 120_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 400_000 },
];
const SVC = (scalabilityMode) => [{ scalabilityMode, maxBitrate: 900_000 }];

for (const { name, codec, encodings = SIMULCAST } of [
  { name: "VP8 simulcast", codec: "VP8" },
  { name: "H.264 simulcast", codec: "H264" },
  { name: "VP9 L3T3_KEY", codec: "VP9", encodings: SVC("L3T3_KEY") },
  { name: "AV1 L3T3_KEY", codec: "AV1", encodings: SVC("L3T3_KEY") },
]) {
  // acceptance: M7
  scene(`${name}: the layer follows the tile`, { timeout: 150_000 }, async (cast) => {
    const meeting = await here.server.meeting();
    const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2, { viewport: LARGE })]);
    await ana.before(installCamera, { encodings, codec });
    await enterAsHost(ana, meeting);
    await knock(bo, meeting.join_url);
    await ana.press("Admit Bo");
    await inside(bo);
    await eventually(async () => assert.ok(near((await came(bo))?.frameHeight, HEIGHT), JSON.stringify([await came(bo), await sends(ana)])), 40_000);
    assert.equal((await came(bo)).codec, `video/${codec}`);
    await bo.page.evaluate(watchFrames);
    await sleep(1_000);
    const before = await came(bo);
    const free = freeCores();
    const steps = [];
    for (const [size, height] of [[SMALL, HEIGHT / 4], [LARGE, HEIGHT], [SMALL, HEIGHT / 4], [LARGE, HEIGHT]]) {
      steps.push(await resized(bo, ana, size, height));
      await sleep(1_500);
    }
    const after = await came(bo);
    const { times } = await bo.page.evaluate(() => window.presented);
    const pauses = times.slice(1).map((time, place) => time - times[place]);
    // Without a free core encoder and decoder stand still for longer than that.
    const slower = free() ? 1 : 5;
    for (const { took } of steps) assert.ok(took <= 2_000 * slower, `the layer followed after ${took} ms`);
    assert.ok(Math.max(...pauses) <= 500 * slower, `a picture stood for ${Math.max(...pauses)} ms`);
    // A browser that got no core for a while has lost what its socket could not hold.
    const holes = [after.packetsLost - before.packetsLost, after.nackCount - before.nackCount];
    if (slower === 1) assert.deepEqual(holes, [0, 0], "numbers are continuous");
    assert.deepEqual(here.server.panics(), []);
  });
}

/** Firefox takes no dependency descriptor: what it gets of a stream with layers must be whole without one. */
for (const { name, codec, encodings } of [
  { name: "VP8 simulcast", codec: "VP8", encodings: SIMULCAST },
  { name: "VP9 L3T3_KEY", codec: "VP9", encodings: SVC("L3T3_KEY") },
]) {
  // acceptance: M7
  scene(`${name}: Firefox shows it, too`, { timeout: 150_000 }, async (cast) => {
    const meeting = await here.server.meeting({ waiting_room: false });
    const [ana, fay] = await Promise.all([cast.chromium("Ana", 1), cast.firefox("Fay", 2)]);
    await ana.before(installCamera, { encodings, codec });
    await enterAsHost(ana, meeting);
    await knock(fay, meeting.join_url);
    await inside(fay);
    const first = await eventually(async () => {
      const now = await came(fay);
      assert.ok(now?.framesDecoded > 10, JSON.stringify([now, await sends(ana)]));
      return now;
    }, 40_000);
    assert.equal(first.codec, `video/${codec}`);
    // A moment later, when its layers have been chosen, pictures go on.
    await eventually(async () => {
      const now = await came(fay);
      assert.ok(now.framesDecoded > first.framesDecoded + 60, JSON.stringify([first, now, await sends(ana)]));
    }, 30_000);
    assert.deepEqual(here.server.panics(), []);
  });
}
