// ffmpeg of two generations pushes by RTMP, enhanced RTMP too: what the server makes of it, and whom it refuses.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { pushRtmp } from "./lib/rtmp.mjs";
import { api, eventually, startServer } from "./lib/server.mjs";

let server;
before(async () => {
  server = await startServer({ settings: '[ingest]\nrtmp = "0"\n' });
});
after(() => server?.stop());

const make = () => api(server, "POST", "/api/v1/broadcasts", { title: "RTMP" });
const publisher = async ({ id }) => (await api(server, "GET", `/api/v1/broadcasts/${id}`)).publisher;

/** A push, and what is told of it once `wanted` is. */
async function pushed(options, wanted = (told) => told.video && told.audio) {
  const broadcast = await make();
  const pushing = pushRtmp({ url: broadcast.rtmp_url, ...options });
  let told;
  await eventually(`the push is as wanted\n${pushing.log}`, async () => {
    told = await publisher(broadcast);
    if (pushing.child.exitCode !== null) throw new Error(`ffmpeg ended: ${pushing.log}`);
    return told && wanted(told);
  }, 20_000);
  return { broadcast, pushing, told };
}

const codes = (told) => told.troubles.map((trouble) => trouble.code);

// acceptance: L1
test("ffmpeg publishes H.264 and AAC without any trouble", async () => {
  const steady = (told) => told.video?.key_frame_interval_ms && told.video.frames_per_second > 20 && told.audio;
  const { broadcast, pushing, told } = await pushed({ coding: ["h264", "aac"] }, steady);
  assert.deepEqual([told.protocol, told.video.codec, told.video.width, told.video.height], ["rtmp", "h264", 320, 180]);
  assert.deepEqual([told.audio.codec, told.audio.rate, told.audio.channels], ["aac", 44100, 1]);
  assert.match(told.encoder, /^Lavf/);
  assert.deepEqual(codes(told).filter((code) => code !== "clock-drift"), [], "a machine with others on it may fall behind");
  assert.equal(told.video.key_frame_interval_ms, 1000);
  assert.equal((await pushing.stop()).signal, null);
  await eventually("nobody publishes", async () => !(await publisher(broadcast)));
});

/** What ffmpeg decodes of a live stream by HLS: pictures, and seconds of sound. */
function decoded(url) {
  const flags = ["-hide_banner", "-loglevel", "error", "-nostdin", "-i", url, "-t", "4", "-progress", "pipe:1"];
  const outputs = ["-map", "0:v", "-f", "null", "-", "-map", "0:a", "-t", "4", "-f", "null", "-"];
  return new Promise((done) => {
    execFile("ffmpeg", [...flags, ...outputs], { timeout: 60_000 }, (error, stdout, stderr) => {
      const last = (name) => Number(stdout.match(new RegExp(`.*${name}=\\s*(\\d+)`, "s"))?.[1] ?? 0);
      done({ failed: error !== null, pictures: last("frame"), seconds: last("out_time_us") / 1e6, stderr });
    });
  });
}

// acceptance: L1
test("what is pushed is decoded from LL-HLS, with B-frames and with HEVC, AV1 and Opus, too", async () => {
  for (const [coding, enhanced] of [[["h264", "aac"], false], [["bFrames", "aac"], false], [["hevc", "aac"], true], [["av1", "opus"], true]]) {
    const { broadcast, pushing } = await pushed({ coding, enhanced });
    let seen;
    await eventually(`four seconds of ${coding}`, async () => {
      seen = await decoded(broadcast.hls_url);
      return !seen.failed && seen.pictures >= 75 && seen.seconds >= 3.5;
    }, 60_000).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(seen)}`));
    assert.equal(seen.stderr.trim(), "", "nothing to complain of");
    await pushing.stop();
  }
});

// acceptance: L4
test("B-frames and rare key frames are told", async () => {
  const both = (told) => ["b-frames", "key-frame-interval"].every((code) => codes(told).includes(code));
  const { pushing } = await pushed({ coding: ["bFrames", "aac"] }, both);
  await pushing.stop();
});

// acceptance: L1, L4
test("enhanced RTMP brings HEVC, AV1 and VP9, and Opus", async () => {
  for (const [picture, sound] of [["hevc", "aac"], ["av1", "opus"], ["vp9", "opus"]]) {
    const { pushing, told } = await pushed({ coding: [picture, sound], enhanced: true });
    assert.deepEqual([told.video.codec, told.audio.codec], [picture, sound]);
    if (picture !== "vp9") assert.deepEqual([told.video.width, told.video.height], [320, 180]);
    await pushing.stop();
  }
});

test("a codec that is not taken, and no sound at all, are told", async () => {
  const mp3 = (told) => told.troubles.some((trouble) => trouble.code === "unsupported-codec" && trouble.name === "MP3");
  const first = await pushed({ coding: ["h264", "mp3"] }, mp3);
  assert.equal(codes(first.told).includes("no-audio"), false);
  await first.pushing.stop();
  const second = await pushed({ coding: ["h264", "silent"] }, (told) => codes(told).includes("no-audio"));
  await second.pushing.stop();
});

// acceptance: L4
test("a wrong key and a second encoder are told why, and the first goes on", async () => {
  const { broadcast, pushing } = await pushed({ coding: ["h264", "aac"] });
  const url = new URL(broadcast.rtmp_url.replace("rtmp:", "http:"));
  const stranger = pushRtmp({ url: `rtmp://${url.host}/live/${"0".repeat(32)}`, coding: ["h264", "aac"] });
  assert.notEqual((await stranger.ended).code, 0);
  assert.match(stranger.log, /The stream key is wrong/);
  const second = pushRtmp({ url: broadcast.rtmp_url, coding: ["h264", "aac"] });
  assert.notEqual((await second.ended).code, 0);
  assert.match(second.log, /Somebody else is publishing/);
  assert.equal(pushing.child.exitCode, null);
  assert.ok((await publisher(broadcast)).video);

  await api(server, "DELETE", `/api/v1/broadcasts/${broadcast.id}`);
  await Promise.race([pushing.ended, new Promise((_, late) => setTimeout(late, 10_000, new Error("it goes on")).unref())]);
  assert.equal(server.log.join("\n").includes(broadcast.stream_key), false, "no key in the log");
});

// acceptance: L3
test("an encoder that stood still for ten seconds is replaced by one with its key", async () => {
  const { broadcast, pushing } = await pushed({ coding: ["h264", "aac"] });
  // As a network that is gone: nothing comes, and nobody says so.
  pushing.child.kill("SIGSTOP");
  await new Promise((done) => setTimeout(done, 10_000));
  const second = pushRtmp({ url: broadcast.rtmp_url, coding: ["h264", "aac"], pitch: 500 });
  const since = (await publisher(broadcast))?.since ?? 0;
  await eventually("the second one publishes", async () => ((await publisher(broadcast))?.since ?? 0) > since || second.child.exitCode !== null);
  assert.equal(second.child.exitCode, null, second.log);
  pushing.child.kill("SIGCONT");
  await pushing.stop("SIGKILL");
  await eventually("pictures come of it", async () => (await publisher(broadcast))?.video);
  await second.stop();
});
