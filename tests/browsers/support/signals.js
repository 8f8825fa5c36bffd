/**
 * Pictures and sounds that say whose they are: a code and a counter painted in large blocks, and a pitch
 * that comes and goes. As files for Chromium's fake devices, as a page script for other browsers, and the
 * page script that reads them back from what a page shows and plays. Knows neither server nor meeting.
 */
import { writeFile } from "node:fs/promises";

const WIDTH = 320;
const HEIGHT = 180;
const FPS = 15;
/** The counter has four bits. */
const COUNTS = 16;
/** So many frames show the same count, so that a slow reader sees it change. */
const HELD = 3;
const COLUMNS = 4;
const ROWS = 3;
const RATE = 48_000;
/** Tones come and go as words do: a steady tone is taken for noise and filtered out. */
const TONE_S = 0.4;
const PAUSE_S = 0.2;

/** No pitch is near another's harmonics. */
export const PITCHES = [430, 690, 1070, 1610, 2290];

/** Black and white cells, row by row: a pattern to recognise the picture by, the code, the count. */
function cells(code, count) {
  const bits = (value) => [8, 4, 2, 1].map((bit) => (value & bit) !== 0);
  return [true, false, true, false, ...bits(code), ...bits(count)];
}

export async function writeCamera(file, code) {
  const frame = (count) => {
    const luma = Buffer.alloc(WIDTH * HEIGHT, 16);
    cells(code, count).forEach((white, index) => {
      if (!white) return;
      const left = ((index % COLUMNS) * WIDTH) / COLUMNS;
      const top = (Math.floor(index / COLUMNS) * HEIGHT) / ROWS;
      for (let y = top; y < top + HEIGHT / ROWS; y += 1) luma.fill(235, y * WIDTH + left, y * WIDTH + left + WIDTH / COLUMNS);
    });
    return Buffer.concat([Buffer.from("FRAME\n"), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
  };
  const frames = Array.from({ length: COUNTS }, (_, count) => Array(HELD).fill(frame(count))).flat();
  await writeFile(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420\n`), ...frames]));
}

export async function writeMicrophone(file, pitch) {
  const samples = Math.round((TONE_S + PAUSE_S) * RATE) * 4;
  const data = Buffer.alloc(samples * 2);
  for (let at = 0; at < samples; at += 1) {
    const phase = (at / RATE) % (TONE_S + PAUSE_S);
    // A ramp of 10 ms: a sudden start is a click, and a click is every pitch.
    const volume = Math.max(0, Math.min(1, phase / 0.01, (TONE_S - phase) / 0.01)) * 0.4;
    data.writeInt16LE(Math.round(Math.sin((2 * Math.PI * pitch * at) / RATE) * volume * 32_767), at * 2);
  }
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(data.length, 40);
  await writeFile(file, Buffer.concat([header, data]));
}

/**
 * Runs in a page before its own scripts: devices that paint and play as the files above do. `pitch: null`
 * keeps the browser's own microphone: Firefox makes no sound in a page without a sound card.
 */
export function installDevices({ code, pitch }) {
  const devices = navigator.mediaDevices;
  // A page such as about:blank has none.
  if (!devices) return;
  const browsers = devices.getUserMedia.bind(devices);
  const camera = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 180;
    const context = canvas.getContext("2d", { alpha: false });
    let count = 0;
    const paint = () => {
      const bits = (value) => [8, 4, 2, 1].map((bit) => (value & bit) !== 0);
      [true, false, true, false, ...bits(code), ...bits(Math.floor(count / 3) % 16)].forEach((white, index) => {
        context.fillStyle = white ? "#ebebeb" : "#101010";
        context.fillRect((index % 4) * 80, Math.floor(index / 4) * 60, 80, 60);
      });
      count += 1;
    };
    paint();
    const timer = setInterval(paint, 1000 / 15);
    const [track] = canvas.captureStream(15).getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };
  const microphone = () => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const output = context.createMediaStreamDestination();
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.frequency.value = pitch;
    volume.gain.value = 0;
    oscillator.connect(volume).connect(output);
    oscillator.start();
    let until = context.currentTime;
    const plan = () => {
      for (; until < context.currentTime + 2; until += 0.6) {
        volume.gain.setTargetAtTime(0.4, until, 0.003);
        volume.gain.setTargetAtTime(0, until + 0.4, 0.003);
      }
    };
    plan();
    const timer = setInterval(plan, 500);
    const [track] = output.stream.getAudioTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      void context.close();
      stop();
    };
    return track;
  };
  devices.getUserMedia = async ({ audio, video }) => {
    const sound = audio && pitch === null ? (await browsers({ audio })).getAudioTracks() : audio ? [microphone()] : [];
    return new MediaStream([...sound, ...(video ? [camera()] : [])]);
  };
}

/** Runs in a page before its own scripts: remembers what plays, and knows how to read pictures and sounds. */
export function installReaders() {
  const players = [];
  const connections = [];
  const PageAudio = window.Audio;
  window.Audio = function Audio(...source) {
    const player = new PageAudio(...source);
    players.push(player);
    return player;
  };
  const sockets = [];
  const PageWebSocket = window.WebSocket;
  window.WebSocket = class WebSocket extends PageWebSocket {
    constructor(...address) {
      super(...address);
      sockets.push(this);
    }
  };
  const noted = (PagePeerConnection) =>
    class RTCPeerConnection extends PagePeerConnection {
      constructor(...settings) {
        super(...settings);
        connections.push(this);
      }
    };
  window.RTCPeerConnection = noted(window.RTCPeerConnection);
  // The page makes some in frames, which look afresh at the machine's addresses.
  const { get: windowOf } = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentWindow");
  const seen = new WeakSet();
  Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", {
    configurable: true,
    get() {
      const inside = windowOf.call(this);
      if (inside && !seen.has(inside)) {
        seen.add(inside);
        inside.RTCPeerConnection = noted(inside.RTCPeerConnection);
      }
      return inside;
    },
  });

  /** The code and the count in a picture; null where there is no such picture. */
  const read = (video) => {
    if (video.readyState < 2 || video.videoWidth === 0) return null;
    const canvas = document.createElement("canvas");
    canvas.width = 64;
    canvas.height = 48;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0, 64, 48);
    const white = Array.from({ length: 12 }, (_, cell) => {
      const { data } = context.getImageData((cell % 4) * 16 + 5, Math.floor(cell / 4) * 16 + 5, 6, 6);
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += data[at];
      return sum / (data.length / 4);
    });
    if (white[0] - white[1] < 80 || white[2] - white[3] < 80) return null;
    const middle = (white[0] + white[1]) / 2;
    const value = (from) => [8, 4, 2, 1].reduce((sum, bit, index) => sum + (white[from + index] > middle ? bit : 0), 0);
    return { code: value(4), count: value(8) };
  };

  /** What each tile shows, by the label that screen readers hear. */
  const tiles = () =>
    [...document.querySelectorAll('[role="group"]')].flatMap((tile) => {
      const label = tile.getAttribute("aria-label") ?? "";
      const video = tile.querySelector("video");
      if (!tile.querySelector("video, [class*=placeholder]")) return [];
      return [{ label, picture: video ? read(video) : null, video: video !== null, height: video?.videoHeight ?? 0 }];
    });

  /** Pitches of a recording: those of its windows that stand out. */
  const pitchesOf = (samples, rate) => {
    const loudest = new Map();
    const length = Math.round(rate / 10);
    for (let start = 0; start + length <= samples.length; start += length) {
      const window = samples
        .slice(start, start + length)
        .map((sample, index) => sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / length)));
      for (let pitch = 200; pitch <= 3000; pitch += 10) {
        // Goertzel's algorithm: one bin of a Fourier transform.
        const factor = 2 * Math.cos((2 * Math.PI * pitch) / rate);
        let [one, two] = [0, 0];
        for (const sample of window) [one, two] = [sample + factor * one - two, one];
        const power = one * one + two * two - factor * one * two;
        loudest.set(pitch, Math.max(loudest.get(pitch) ?? 0, Math.sqrt(power) / length));
      }
    }
    const top = Math.max(...loudest.values());
    // -54 dB of full scale: what no voice is, but what codecs leave of silence.
    if (top < 0.002) return [];
    const near = (pitch) => [-30, -20, -10, 10, 20, 30].map((step) => loudest.get(pitch + step) ?? 0);
    return [...loudest].flatMap(([pitch, power]) => (power > top / 10 && power >= Math.max(...near(pitch)) ? [pitch] : []));
  };

  /** What plays, recorded and decoded: an AudioContext would need a sound card in Firefox. */
  const record = async (stream, milliseconds) => {
    const recorder = new MediaRecorder(stream);
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    const ended = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    recorder.stop();
    await ended;
    const bytes = await new Blob(pieces).arrayBuffer();
    // Nothing came in this slot yet.
    if (bytes.byteLength === 0) return new Float32Array();
    const decoded = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(bytes).catch(() => null);
    return decoded?.getChannelData(0) ?? new Float32Array();
  };

  /** The pitches of everything that plays, over a time that has several tones of everybody. */
  const pitches = async (milliseconds) => {
    const streams = players.filter((player) => !player.paused && player.srcObject?.getAudioTracks().length > 0).map((player) => player.srcObject);
    const recordings = await Promise.all(streams.map((stream) => record(stream, milliseconds)));
    return [...new Set(recordings.flatMap((samples) => pitchesOf(samples, 8000)))].sort((a, b) => a - b);
  };

  /** RTP that came in so far, over all connections of the page. */
  const received = async () => {
    const sum = { connections: connections.length, packets: 0, audio: 0, video: 0 };
    for (const connection of connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        sum.packets += report.packetsReceived ?? 0;
        sum[report.kind] += report.packetsReceived ?? 0;
      }
    }
    return sum;
  };

  /** What is captured, sent and received, for the report of a failure. */
  const flows = async () => {
    const told = ["kind", "mid", "rid", "frames", "framesEncoded", "packetsSent", "pliCount", "packetsReceived", "framesDecoded", "keyFramesDecoded"];
    const found = [];
    for (const connection of connections) {
      for (const report of (await connection.getStats()).values()) {
        if (!["media-source", "outbound-rtp", "inbound-rtp"].includes(report.type) || report.packetsReceived === 0) continue;
        found.push(`${report.type} ${told.flatMap((name) => (report[name] === undefined ? [] : [`${name}=${report[name]}`])).join(" ")}`);
      }
    }
    return found.join("; ");
  };

  /** Takes the network from under the page: its socket ends, its offline browser opens no other. */
  const cut = () => {
    for (const socket of sockets) socket.close();
  };

  /** Long messages come packed. */
  const textOf = async (data) =>
    typeof data === "string" ? data : new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();

  /** A command of which the page's own scripts know nothing, and its answer. */
  let foreign = 1_000_000;
  const command = (wanted) => {
    const socket = sockets.findLast(({ readyState }) => readyState === WebSocket.OPEN);
    const id = foreign++;
    return new Promise((resolve) => {
      socket.addEventListener("message", async function take({ data }) {
        const answer = JSON.parse(await textOf(data));
        if (answer.id !== id) return;
        socket.removeEventListener("message", take);
        resolve(answer);
      });
      socket.send(JSON.stringify({ type: "command", id, command: wanted }));
    });
  };

  window.symposiaTest = { command, flows, read, tiles, pitches, received, cut, players, connections };
}
