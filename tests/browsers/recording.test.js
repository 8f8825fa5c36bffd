/** A meeting of real browsers is recorded: what lies on the disk decodes, with everybody's picture and voice. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { enterAsHost, inside, knock, scene, seesEachOther, serverOfThisFile } from "./support/meet.js";
import { freeCores } from "./support/moments.js";
import { eventually, sleep } from "./support/people.js";

const here = serverOfThisFile();
const run = promisify(execFile);
/** How long both are recorded. */
const RECORDED_MS = 8_000;
/** R1, with what lies between a browser's camera and the server. */
const LOST_MS = 1_000 + 500;

async function get(track) {
  const file = path.join(here.server.folder, `${track.id}.${track.mime.endsWith("webm") ? "webm" : "mp4"}`);
  const answer = await fetch(here.server.origin + track.url, { headers: { authorization: "Bearer dev" } });
  assert.equal(answer.status, 200);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  assert.equal((await readFile(file)).length, track.bytes);
  return file;
}

/** Fails where ffmpeg has anything to say. */
async function ffmpeg(file, ...words) {
  const { stderr } = await run("ffmpeg", ["-hide_banner", "-nostats", "-xerror", "-i", file, ...words]);
  return stderr;
}

// acceptance: R5
scene("what two browsers send is recorded at its best, plays, and becomes one file", { timeout: 180_000 }, async (cast, t) => {
  const meeting = await here.server.meeting({ title: "Recorded", waiting_room: false });
  const [ana, bo] = await Promise.all([cast.chromiumWithFiles("Ana", 1), cast.chromiumWithFiles("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await seesEachOther([ana, bo]);
  const { id } = await here.server.rest("POST", `/meetings/${meeting.id}/recordings`, {});
  await sleep(RECORDED_MS);
  await here.server.rest("POST", `/recordings/${id}/stop`);
  const recording = await eventually(async () => {
    const shown = await here.server.rest("GET", `/recordings/${id}`);
    assert.equal(shown.state, "finished");
    return shown;
  });
  assert.deepEqual([...recording.participants].sort(), ["Ana", "Bo"]);
  for (const name of ["Ana", "Bo"]) {
    const of = (source) => recording.tracks.filter((track) => track.name === name && track.source === source);
    const [[camera], [microphone]] = [of("camera"), of("microphone")];
    assert.ok(camera && microphone, JSON.stringify(recording.tracks));
    const { stdout } = await run("ffprobe", [
      ...["-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames"],
      ...["-of", "csv=p=0", await get(camera)],
    ]);
    const frames = parseInt(stdout, 10);
    t.diagnostic(`${name}: ${frames} pictures of ${camera.width} × ${camera.height}, ${camera.duration_ms} ms`);
    // On a busy machine a browser codes few.
    assert.ok(frames > RECORDED_MS / 1_000 * 4, `${frames} pictures of ${name}`);
    assert.doesNotMatch(await ffmpeg(await get(camera), "-f", "null", "-"), /error|corrupt|invalid data/iu);
    const said = await ffmpeg(await get(microphone), "-af", "volumedetect", "-f", "null", "-");
    const loudness = Number(/mean_volume: (-?[\d.]+) dB/u.exec(said)?.[1]);
    assert.ok(loudness > -50, `${name} is heard: ${loudness} dB`);
    assert.ok(microphone.duration_ms > RECORDED_MS * 0.7, JSON.stringify(microphone));
  }
  // As one file, by the server's ffmpeg.
  await here.server.rest("POST", `/recordings/${id}/export`, { layout: "grid" });
  const progress = new Set();
  const made = await eventually(async () => {
    const { available, exports: [shown] } = await here.server.rest("GET", `/recordings/${id}/exports`);
    assert.ok(available);
    progress.add(shown.progress);
    assert.equal(shown.state, "finished", JSON.stringify(shown));
    return shown;
  }, 60_000);
  const file = await get({ id: "grid", mime: "video/mp4", url: made.url, bytes: made.bytes });
  const { stdout } = await run("ffprobe", [
    ...["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,width,height,nb_read_frames:format=duration"],
    ...["-of", "json", file],
  ]);
  const probed = JSON.parse(stdout);
  t.diagnostic(`${stdout.replaceAll(/\s+/gu, " ")}, progress ${[...progress].join(" ")}`);
  assert.deepEqual(probed.streams.map((stream) => stream.codec_name), ["h264", "aac"]);
  assert.ok(Math.abs(probed.format.duration * 1_000 - recording.duration_ms) <= 100, `${recording.duration_ms} ms long`);
  const loud = await ffmpeg(file, "-af", "volumedetect", "-f", "null", "-");
  assert.ok(Number(/mean_volume: (-?[\d.]+) dB/u.exec(loud)?.[1]) > -50, loud);
  assert.deepEqual(here.server.panics(), []);
});

// acceptance: R1
scene("what two browsers sent before the server was killed plays, but for the last second", { timeout: 120_000 }, async (cast, t) => {
  const meeting = await here.server.meeting({ title: "Killed", waiting_room: false });
  const [ana, bo] = await Promise.all([cast.chromiumWithFiles("Ana", 1), cast.chromiumWithFiles("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await here.server.rest("POST", `/meetings/${meeting.id}/recordings`, {});
  for (const round of [1, 2]) {
    await seesEachOther([ana, bo]);
    // After a restart a new one goes on by itself, as soon as somebody is back.
    const id = await eventually(async () => {
      const { recordings: [newest] } = await here.server.rest("GET", "/recordings?limit=1");
      assert.equal(newest.state, "recording");
      return newest.id;
    }, 20_000);
    await eventually(async () => assert.equal((await here.server.rest("GET", `/recordings/${id}`)).tracks.length, 4));
    const isFree = freeCores();
    await sleep(1_500 + Math.random() * 2_000);
    const most = LOST_MS * (isFree() ? 1 : 2);
    const killedAt = Date.now();
    await here.server.kill();
    await here.server.run();
    const recording = await eventually(async () => {
      const shown = await here.server.rest("GET", `/recordings/${id}`);
      assert.equal(shown.state, "finished");
      return shown;
    }, 10_000);
    assert.deepEqual([recording.ended, recording.tracks.length], ["recovered", 4], JSON.stringify(recording));
    const lost = recording.tracks.map((track) => killedAt - (recording.started_at + track.start_ms + track.duration_ms));
    t.diagnostic(`round ${round}: ${lost.join(", ")} ms of ${killedAt - recording.started_at} ms are missing`);
    for (const track of recording.tracks) {
      assert.doesNotMatch(await ffmpeg(await get(track), "-f", "null", "-"), /error|corrupt|invalid data/iu);
    }
    // A browser on a busy machine sends late, too.
    assert.ok(lost.every((ms) => ms <= most), `${lost.join(", ")} ms`);
  }
  assert.deepEqual(here.server.panics(), []);
});
