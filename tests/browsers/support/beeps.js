/**
 * Beeps and flashes: a camera and a microphone that show and sound the same moments, and when a recording has them. Knows
 * no meeting.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
/** A beep and a flash at each full multiple of it, by the machine's clock. */
export const EVERY_MS = 2_000;

/** Runs in a page before its scripts. */
export function installBeeps({ every }) {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const LASTS_MS = 250;
  const wall = () => performance.timeOrigin + performance.now();
  const camera = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext("2d", { alpha: false });
    const paint = () => {
      context.fillStyle = wall() % every < LASTS_MS ? "#ffffff" : "#101010";
      context.fillRect(0, 0, canvas.width, canvas.height);
      // Something moves, so that pictures are sent also in the dark.
      context.fillStyle = "#404040";
      context.fillRect((wall() / 20) % 300, 150, 20, 20);
    };
    paint();
    setInterval(paint, 1000 / 30);
    return canvas.captureStream(30).getVideoTracks()[0];
  };
  const microphone = () => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const output = context.createMediaStreamDestination();
    const [oscillator, volume] = [context.createOscillator(), context.createGain()];
    oscillator.frequency.value = 1_000;
    volume.gain.value = 0;
    oscillator.connect(volume).connect(output);
    oscillator.start();
    let planned = 0;
    // How far the context's clock, which is another one, is behind. It is told in steps, and late where the machine is
    // busy: the least of two seconds is what it is.
    const behind = [];
    const plan = () => {
      behind.push(wall() - context.currentTime * 1000);
      if (behind.length > 100) behind.shift();
      const next = Math.ceil((wall() + 200) / every) * every;
      if (next <= planned) return;
      planned = next;
      const at = (next - Math.min(...behind)) / 1000;
      volume.gain.setValueAtTime(0.5, at);
      volume.gain.setValueAtTime(0, at + LASTS_MS / 1000);
    };
    setInterval(plan, 20);
    return output.stream.getAudioTracks()[0];
  };
  devices.getUserMedia = async ({ audio, video }) => new MediaStream([...(audio ? [microphone()] : []), ...(video ? [camera()] : [])]);
}

/** When pictures of a file become bright (seconds of the recording). */
export async function flashes(file) {
  const { stdout } = await run("ffmpeg", ["-v", "error", "-copyts", "-i", file, "-vf", "scale=32:18,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-fps_mode", "passthrough", "-f", "null", "-"], { maxBuffer: 1 << 28 });
  const found = [];
  let [at, bright] = [0, true];
  for (const line of stdout.split("\n")) {
    const time = /pts_time:([\d.]+)/u.exec(line)?.[1];
    if (time !== undefined) at = Number(time);
    const level = /YAVG=([\d.]+)/u.exec(line)?.[1];
    if (level === undefined) continue;
    if (Number(level) > 130 && !bright) found.push(at);
    bright = Number(level) > 130;
  }
  return found;
}

/** When a file becomes loud (seconds of the recording). */
export async function beeps(file) {
  const { stderr } = await run("ffmpeg", ["-hide_banner", "-nostats", "-copyts", "-i", file, "-af", "silencedetect=noise=-26dB:duration=0.3", "-f", "null", "-"], { maxBuffer: 1 << 28 });
  return [...stderr.matchAll(/silence_end: ([\d.]+)/gu)].map(([, time]) => Number(time));
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Each moment's number and how late the recording has it (ms): `startedAt` is its zero by the machine's clock. */
function lateness(times, startedAt) {
  return new Map(
    times.map((time) => {
      const at = startedAt + time * 1000;
      const number = Math.round(at / EVERY_MS);
      return [number, at - number * EVERY_MS];
    }),
  );
}

/** Of pairs [number of the moment, ms]: ms an hour, by the medians of the first and the last third: a hiccup moves neither. */
function drift(pairs) {
  const third = Math.floor(pairs.length / 3);
  const [first, last] = [pairs.slice(0, third), pairs.slice(-third)];
  const hours = ((median(last.map(([at]) => at)) - median(first.map(([at]) => at))) * EVERY_MS) / 3_600_000;
  return { ms: median(last.map(([, ms]) => ms)) - median(first.map(([, ms]) => ms)), hours };
}

/** How sound and picture of one person stand to each other (ms; positive: the sound is late), and both to the machine's clock. */
export async function measure({ camera, microphone, startedAt }) {
  const [seen, heard] = [lateness(await flashes(camera), startedAt), lateness(await beeps(microphone), startedAt)];
  const both = [...seen].filter(([number]) => heard.has(number)).sort(([a], [b]) => a - b);
  const apart = both.map(([number, ms]) => [number, heard.get(number) - ms]);
  const sorted = apart.map(([, ms]) => ms).sort((a, b) => a - b);
  const share = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  const of = (late) => drift([...late].sort(([a], [b]) => a - b));
  return {
    moments: both.length,
    lip: { median: share(0.5), p5: share(0.05), p95: share(0.95) },
    drift: drift(apart),
    picture: of(seen),
    sound: of(heard),
  };
}
