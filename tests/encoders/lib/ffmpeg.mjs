// The ffmpeg that speaks WHIP. Debian's does not; the one that the Python package imageio-ffmpeg carries does.

import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const TOOLS = resolve(import.meta.dirname, "../../../target/encoders/venv");

/** The Python of the tests' own environment, which `scripts/test-encoders` makes. */
export const PYTHON = join(TOOLS, "bin/python3");

/** The program. */
export function ffmpegWithWhip() {
  if (process.env.FFMPEG_WHIP) return process.env.FFMPEG_WHIP;
  const lib = join(TOOLS, "lib");
  for (const python of existsSync(lib) ? readdirSync(lib) : []) {
    const folder = join(lib, python, "site-packages/imageio_ffmpeg/binaries");
    const name = existsSync(folder) && readdirSync(folder).find((file) => file.startsWith("ffmpeg-"));
    if (name) return join(folder, name);
  }
  throw new Error("no ffmpeg with a WHIP muxer: run scripts/test-encoders, which fetches one");
}

/**
 * Pushes a test picture and a tone, H.264 and Opus. `more`: further options of the WHIP muxer.
 * `ended` resolves with its exit status; `stop` ends it as Ctrl-C does, which sends DELETE.
 */
export function push({ url, key, pitch = 1000, seconds = 120, size = "640x360", more = [] }) {
  const flags = [
    ...["-hide_banner", "-loglevel", "info", "-nostdin", "-re"],
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`],
    ...["-f", "lavfi", "-i", `sine=frequency=${pitch}:sample_rate=48000`],
    ...["-t", String(seconds), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast"],
    ...["-tune", "zerolatency", "-b:v", "600k", "-g", "50", "-bf", "0", "-threads", "1"],
    ...["-c:a", "libopus", "-ar", "48000", "-ac", "2", "-b:a", "64k"],
    ...["-f", "whip", "-authorization", key, ...more, url],
  ];
  const child = spawn(ffmpegWithWhip(), flags, { stdio: ["ignore", "ignore", "pipe"] });
  const pushing = { child, log: "" };
  child.stderr.on("data", (text) => (pushing.log += text));
  pushing.ended = new Promise((done) => child.on("exit", (code, signal) => done({ code, signal })));
  pushing.stop = async (signal = "SIGINT") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const status = await pushing.ended;
    clearTimeout(late);
    return status;
  };
  return pushing;
}
