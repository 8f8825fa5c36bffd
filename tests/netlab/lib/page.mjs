// What runs in the pages of the lab before their own scripts: a camera whose picture is costly enough to need its
// layers, and what says how the other side's picture and sound arrive. Knows no meeting.

/**
 * A camera that shows a code and a count (as `browsers/support/signals.js` reads them) over moving noise: a picture
 * of plain cells would pass the thinnest link in full size. Runs in the page.
 */
export function installCamera({ code, width, height, fps }) {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const browsers = devices.getUserMedia.bind(devices);
  const NOISE = 256;
  const noise = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: NOISE, height: NOISE });
    const context = canvas.getContext("2d");
    const image = context.createImageData(NOISE, NOISE);
    let state = code * 7919 + 1;
    for (let at = 0; at < image.data.length; at += 4) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      image.data.fill((state >>> 16) & 255, at, at + 3);
      image.data[at + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const camera = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const speckles = noise();
    let count = 0;
    const paint = () => {
      const bits = (value) => [8, 4, 2, 1].map((bit) => (value & bit) !== 0);
      [true, false, true, false, ...bits(code), ...bits(Math.floor(count / 3) % 16)].forEach((white, index) => {
        context.fillStyle = white ? "#ebebeb" : "#101010";
        context.fillRect(((index % 4) * width) / 4, (Math.floor(index / 4) * height) / 3, width / 4 + 1, height / 3 + 1);
      });
      context.globalAlpha = 0.25;
      const [x, y] = [(count * 37) % NOISE, (count * 61) % NOISE];
      // A third of the picture moves, as people before a wall do.
      for (let left = 0; left < width; left += NOISE * 2) context.drawImage(speckles, left - x / 4, height / 2 - y / 4);
      context.globalAlpha = 1;
      count += 1;
    };
    paint();
    const timer = setInterval(paint, 1000 / fps);
    const [track] = canvas.captureStream(fps).getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };
  devices.getUserMedia = async ({ audio, video }) => {
    const sound = audio ? (await browsers({ audio })).getAudioTracks() : [];
    return new MediaStream([...sound, ...(video ? [camera()] : [])]);
  };
}

/** A certificate of another size for all peer connections of the page. Runs in the page. */
export function installCertificate({ bits }) {
  const made = RTCPeerConnection.generateCertificate({
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: bits,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  });
  let certificate;
  void made.then((one) => (certificate = one));
  const Plain = window.RTCPeerConnection;
  window.RTCPeerConnection = class RTCPeerConnection extends Plain {
    constructor(settings = {}) {
      super(certificate ? { ...settings, certificates: [certificate] } : settings);
      window.largeCertificate = certificate !== undefined;
    }
  };
  window.certificateMade = made.then(() => true);
}

/** Watches pictures and numbers. Runs in the page, after `installReaders`. */
export function installGauges() {
  const now = () => performance.timeOrigin + performance.now();
  /** Per name: when the last frame was shown, gaps of more than this, and frames shown. */
  const NOTED_MS = 200;
  const shown = new Map();
  const watched = new WeakSet();
  const remote = (video) => {
    const track = video.srcObject?.getVideoTracks()[0];
    return track && window.symposiaTest.connections.some((pc) => pc.getReceivers().some(({ track: other }) => other.id === track.id));
  };
  const nameOf = (video) => (video.closest('[role="group"]')?.getAttribute("aria-label") ?? "").split(",")[0];
  const BEAT_MS = 50;
  let beat = now();
  /** Times at which the page itself stood still: no frame could be shown, whatever the network did. */
  const stalls = [];
  setInterval(() => {
    const at = now();
    if (at - beat > BEAT_MS + 150) stalls.push([beat, at]);
    beat = at;
    for (const video of document.querySelectorAll("video")) {
      if (watched.has(video) || !remote(video)) continue;
      watched.add(video);
      const note = () => {
        const name = nameOf(video);
        const one = shown.get(name) ?? { last: null, frames: 0, gaps: [], first: now() };
        shown.set(name, one);
        const at = now();
        if (one.last !== null && at - one.last > NOTED_MS) one.gaps.push({ at: one.last, ms: at - one.last });
        one.last = at;
        one.frames += 1;
        if (video.isConnected) video.requestVideoFrameCallback(note);
        else watched.delete(video);
      };
      video.requestVideoFrameCallback(note);
    }
  }, BEAT_MS);

  const alive = () => window.symposiaTest.connections.filter((pc) => pc.connectionState !== "closed");
  const INBOUND = [
    "kind", "mid", "ssrc", "packetsReceived", "packetsLost", "bytesReceived", "nackCount", "pliCount", "framesReceived", "framesDecoded",
    "framesDropped", "keyFramesDecoded", "frameHeight", "freezeCount", "totalFreezesDuration", "retransmittedPacketsReceived",
    "concealedSamples", "silentConcealedSamples", "totalSamplesReceived", "jitterBufferDelay", "jitterBufferEmittedCount", "fecPacketsReceived",
  ];
  const OUTBOUND = ["kind", "rid", "framesEncoded", "framesSent", "frameHeight", "packetsSent", "bytesSent", "retransmittedPacketsSent", "nackCount", "pliCount", "active"];
  const pick = (report, names) => Object.fromEntries(names.flatMap((name) => (report[name] === undefined ? [] : [[name, report[name]]])));

  const sample = async () => {
    const found = { at: now(), inbound: [], outbound: [], roundTrip: null, states: window.symposiaTest.connections.map((pc) => pc.connectionState) };
    const pc = alive().at(-1);
    if (pc) {
      const reports = [...(await pc.getStats()).values()];
      for (const report of reports) {
        if (report.type === "inbound-rtp" && report.packetsReceived > 0) found.inbound.push(pick(report, INBOUND));
        if (report.type === "outbound-rtp" && report.packetsSent > 0) found.outbound.push(pick(report, OUTBOUND));
        if (report.type === "candidate-pair" && report.nominated) found.roundTrip = report.currentRoundTripTime ?? null;
      }
    }
    return found;
  };
  window.netlab = {
    sample,
    shown: () => [...shown].map(([name, { frames, gaps, last, first }]) => ({ name, frames, gaps, last, first })),
    stalls: () => stalls,
    /** When the first frame of somebody is shown, from now on also later. */
    firstFrame: () => new Promise((done) => {
      const look = setInterval(() => {
        const [one] = shown.values();
        if (!one) return;
        clearInterval(look);
        done(one.first);
      }, 10);
    }),
  };
  addEventListener("click", (event) => {
    if (/^(Join|Start)/.test(event.target.closest?.("button")?.textContent ?? "")) window.netlab.clicked ??= now();
  }, true);
}
