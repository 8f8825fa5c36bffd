/**
 * Lip sync of a recording over time (acceptance R3): two Chromium beep and flash by the machine's clock, the server records
 * them, and the files are decoded. MINUTES=10; KEEP=1 leaves the files. Fails where the bounds do not hold.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { EVERY_MS, installBeeps, measure } from "../browsers/support/beeps.js";
import { enterAsHost, inside, knock } from "../browsers/support/meet.js";
import { Cast, eventually, sleep } from "../browsers/support/people.js";
import { Server } from "../browsers/support/server.js";

/** R3: sound may be so much earlier and later than its picture, and both may go apart by so much in an hour (ms). */
const [EARLY, LATE, DRIFT] = [-45, 80, 40];
/** What two medians of so many moments cannot tell apart (ms): pictures come 33 ms apart, so each moment is as far off as that. */
const noise = (moments) => 50 / Math.sqrt(moments);

const minutes = Number(process.env.MINUTES || 10);
const server = await Server.start();
const cast = new Cast();
const folder = await mkdtemp(path.join(tmpdir(), "symposia-drift-"));
let failed = false;
try {
  const meeting = await server.meeting({ title: "Beeps", waiting_room: false });
  const [ana, bo] = await Promise.all(["Ana", "Bo"].map((name, index) => cast.chromium(name, index + 1, { devices: false })));
  for (const person of [ana, bo]) await person.before(installBeeps, { every: EVERY_MS });
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  // The connections and encoders find their pace.
  await sleep(10_000);
  const { id } = await server.rest("POST", `/meetings/${meeting.id}/recordings`, {});
  await sleep(minutes * 60_000);
  await server.rest("POST", `/recordings/${id}/stop`);
  const recording = await eventually(async () => {
    const shown = await server.rest("GET", `/recordings/${id}`);
    if (shown.state !== "finished") throw new Error(shown.state);
    return shown;
  });
  console.log(`${minutes} min, recorded ${(recording.duration_ms / 1000).toFixed(1)} s`);
  for (const name of ["Ana", "Bo"]) {
    const files = {};
    for (const track of recording.tracks.filter((one) => one.name === name)) {
      files[track.source] = path.join(folder, `${name}-${track.source}`);
      const answer = await fetch(server.origin + track.url, { headers: { authorization: "Bearer dev" } });
      await writeFile(files[track.source], Buffer.from(await answer.arrayBuffer()));
    }
    const found = await measure({ ...files, startedAt: recording.started_at });
    const { lip, drift, picture, sound } = found;
    const ms = (value) => `${value.toFixed(1)} ms`;
    console.log(`${name}: ${found.moments} moments; sound after picture: median ${ms(lip.median)}, 5 to 95 %: ${ms(lip.p5)} to ${ms(lip.p95)}`);
    for (const [what, one] of Object.entries({ "sound against picture": drift, "picture against the clock": picture, "sound against the clock": sound })) {
      const fits = Math.abs(one.ms) <= DRIFT * one.hours + noise(found.moments / 3);
      failed ||= !fits;
      console.log(`${name}: ${what} moved by ${ms(one.ms)} in ${(one.hours * 60).toFixed(1)} min${fits ? "" : ": TOO MUCH"}`);
    }
    const fits = found.moments > (minutes * 60_000) / EVERY_MS / 2 && lip.median >= EARLY && lip.median <= LATE;
    if (!fits) console.log(`${name}: OUT OF BOUNDS`);
    failed ||= !fits;
  }
} finally {
  await cast.close();
  await server.stop();
  if (process.env.KEEP) console.log(folder);
  else await rm(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
