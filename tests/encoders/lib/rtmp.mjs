// Encoders that push by RTMP: Debian's ffmpeg, and the newer one that speaks enhanced RTMP. Knows no tests.

import { spawn } from "node:child_process";
import { ffmpegWithWhip } from "./ffmpeg.mjs";

/** What a push is coded with, by name. */
export const CODINGS = {
  h264: ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25"],
  bFrames: ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-b_strategy", "0", "-g", "250", "-keyint_min", "250"],
  hevc: ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0", "-g", "25"],
  av1: ["-c:v", "libsvtav1", "-preset", "12", "-g", "25"],
  vp9: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "400k", "-g", "25"],
  aac: ["-c:a", "aac", "-b:a", "96k"],
  opus: ["-c:a", "libopus", "-ar", "48000"],
  mp3: ["-c:a", "libmp3lame"],
  silent: ["-an"],
};

/**
 * Pushes a test picture, or what `picture` describes to ffmpeg's lavfi, and a tone of 44,100 samples a second to `url`. `enhanced`: with the newer ffmpeg.
 * `ended` resolves with its exit status; `stop` ends it, as Ctrl-C does unless told otherwise.
 */
export function pushRtmp({ url, coding, enhanced = false, seconds = 120, size = "320x180", pitch = 1000, picture = `testsrc2=size=${size}:rate=25` }) {
  const flags = [
    ...["-hide_banner", "-loglevel", "warning", "-nostdin", "-re"],
    ...["-f", "lavfi", "-i", picture],
    ...["-f", "lavfi", "-i", `sine=frequency=${pitch}:sample_rate=44100`],
    ...["-t", String(seconds), "-pix_fmt", "yuv420p", ...coding.flatMap((name) => CODINGS[name])],
    ...["-threads", "1", "-f", "flv", url],
  ];
  const child = spawn(enhanced ? ffmpegWithWhip() : "ffmpeg", flags, { stdio: ["ignore", "ignore", "pipe"] });
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
