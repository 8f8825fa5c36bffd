// Runs in a bare page: WHIP and WHEP with nothing but the browser's own API. Loaded as text, so no imports.

const video = document.querySelector("video");

/** Posts an offer; the answer's headers that a page of another site can read come back. */
async function exchange(pc, url, headers) {
  await pc.setLocalDescription();
  await new Promise((done) => {
    if (pc.iceGatheringState === "complete") return done();
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
    setTimeout(done, 1_000);
  });
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", ...headers },
    body: pc.localDescription.sdp,
  });
  const text = await response.text();
  const readable = Object.fromEntries(response.headers);
  if (response.status === 201) await pc.setRemoteDescription({ type: "answer", sdp: text });
  return { status: response.status, headers: readable, text, location: response.headers.get("location") };
}

/** Cells of a painted code, of equal width in the upper third: a pattern to know the picture by, then eight bits. */
const PATTERN = [true, false, true, false];
const CELLS = PATTERN.length + 8;

/** What makes frames large: grey noise that jumps about; above it the number of the frame. */
function noisy(paint, width, height) {
  const noise = new OffscreenCanvas(width * 2, height * 2);
  const dots = noise.getContext("2d", { alpha: false });
  for (let y = 0; y < height * 2; y += 6) {
    for (let x = 0; x < width * 2; x += 6) {
      dots.fillStyle = `hsl(0 0% ${35 + Math.random() * 30}%)`;
      dots.fillRect(x, y, 6, 6);
    }
  }
  return (frame) => {
    paint.drawImage(noise, -Math.random() * width, -Math.random() * height);
    const bits = [...PATTERN, ...[128, 64, 32, 16, 8, 4, 2, 1].map((bit) => (frame & bit) !== 0)];
    bits.forEach((white, cell) => {
      paint.fillStyle = white ? "white" : "black";
      paint.fillRect((cell * width) / CELLS, 0, width / CELLS + 1, height / 3);
    });
  };
}

/** The number painted in a picture; null where the pattern is not there: the picture is broken. */
function readNumber(picture) {
  const { videoWidth: width, videoHeight: height } = picture;
  const canvas = new OffscreenCanvas(CELLS, 1);
  const paint = canvas.getContext("2d");
  // The middles of the cells.
  for (let cell = 0; cell < CELLS; cell += 1) {
    paint.drawImage(picture, ((cell + 0.4) * width) / CELLS, height / 8, (0.2 * width) / CELLS, height / 12, cell, 0, 1, 1);
  }
  const pixels = paint.getImageData(0, 0, CELLS, 1).data;
  const bits = Array.from({ length: CELLS }, (_, cell) => pixels[cell * 4 + 1] > 127);
  if (PATTERN.some((bit, cell) => bits[cell] !== bit)) return null;
  return bits.slice(PATTERN.length).reduce((number, bit) => number * 2 + (bit ? 1 : 0), 0);
}

/**
 * Looks at the picture for so long: how many different numbers it showed, and how often it was broken. While its size
 * changes a picture may be drawn by the old one: broken is what is so at a second look, within the same frame, too.
 */
window.readNumbers = async (milliseconds) => {
  const found = { numbers: 0, broken: 0 };
  let last = null;
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    let number = readNumber(video);
    if (number === null) {
      await new Promise((done) => setTimeout(done, 20));
      number = readNumber(video);
    }
    if (number === null) found.broken += 1;
    else if (number !== last) found.numbers += 1;
    last = number;
    await new Promise((done) => setTimeout(done, 40));
  }
  return found;
};

/** A picture that changes at 25 frames/s, and a tone. `noise`: of large frames with numbers in them, 15 a second. */
function source(width, height, pitch, noise) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const paint = canvas.getContext("2d", { alpha: false });
  let frame = 0;
  const paintNoise = noise ? noisy(paint, width, height) : null;
  const fps = noise ? 15 : 25;
  setInterval(() => {
    frame += 1;
    if (paintNoise) return paintNoise(frame);
    paint.fillStyle = `hsl(${(frame * 5) % 360} 80% 50%)`;
    paint.fillRect(0, 0, width, height);
    paint.fillStyle = "white";
    paint.fillRect((frame * 8) % width, height / 4, width / 8, height / 2);
  }, 1_000 / fps);
  const sound = new AudioContext();
  const tone = new OscillatorNode(sound, { frequency: pitch });
  const out = sound.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  return [canvas.captureStream(fps).getVideoTracks()[0], out.stream.getAudioTracks()[0]];
}

/** Publishes by WHIP. `codec`: "VP8", "H264", …; `simulcast`: three encodings; `mode`: their `scalabilityMode`; `microphone`: that, and no tone; `noise`: large frames. */
window.publish = async (options) => {
  const { url, key, codec, simulcast = false, mode = null, microphone = false, pitch = 700, width = 640, height = 360, noise = false } = options;
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  window.publisher = pc;
  const [picture, tone] = source(width, height, pitch, noise);
  const sound = microphone ? (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0] : tone;
  const layers = [
    // Little enough that the browser's estimate, which begins with 300 kbit/s, soon has room for all three.
    { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 60_000 },
    { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 120_000 },
    { rid: "f", maxBitrate: 500_000 },
  ];
  const encodings = simulcast ? layers : noise || mode ? [{ maxBitrate: noise ? 800_000 : 1_500_000 }] : [];
  if (mode) encodings.forEach((encoding) => (encoding.scalabilityMode = mode));
  const sending = { direction: "sendonly", ...(encodings.length > 0 ? { sendEncodings: encodings } : {}) };
  const transceiver = pc.addTransceiver(picture, sending);
  pc.addTransceiver(sound, { direction: "sendonly" });
  const all = RTCRtpSender.getCapabilities("video").codecs;
  const wanted = (one) => one.mimeType === `video/${codec}`;
  transceiver.setCodecPreferences([...all.filter(wanted), ...all.filter((one) => !wanted(one))]);
  return exchange(pc, url, { Authorization: `Bearer ${key}` });
};

/** What is sent, per encoding. */
window.sent = async () => {
  const found = [];
  (await window.publisher.getStats()).forEach((one) => {
    if (one.type !== "outbound-rtp" || one.kind !== "video") return;
    found.push({ rid: one.rid, frames: one.framesSent ?? 0, bytes: one.bytesSent, height: one.frameHeight });
  });
  return found;
};

/** Watches by WHEP. */
window.watch = async ({ url }) => {
  window.viewer?.close();
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  window.viewer = pc;
  const stream = new MediaStream();
  for (const kind of ["video", "audio"]) {
    stream.addTrack(pc.addTransceiver(kind, { direction: "recvonly" }).receiver.track);
  }
  const answer = await exchange(pc, url, {});
  if (answer.status === 201) {
    video.srcObject = stream;
    void video.play();
    listenTo(stream);
  }
  return answer;
};

function listenTo(stream) {
  const sound = new AudioContext();
  const analyser = new AnalyserNode(sound, { fftSize: 8192 });
  sound.createMediaStreamSource(stream).connect(analyser);
  window.listening = { sound, analyser };
}

/** The loudest pitch that is heard, in hertz; 0 in silence; null where the browser's sound graph stands still. */
function pitchHeard() {
  const { sound, analyser } = window.listening;
  if (sound.state !== "running") return null;
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const loudest = bins.reduce((best, level, at) => (level > bins[best] ? at : best), 0);
  return bins[loudest] > -70 ? Math.round((loudest * sound.sampleRate) / analyser.fftSize) : 0;
}

/** A number that changes when the picture does. */
function digest() {
  const canvas = new OffscreenCanvas(16, 9);
  const paint = canvas.getContext("2d");
  paint.drawImage(video, 0, 0, 16, 9);
  return paint.getImageData(0, 0, 16, 9).data.reduce((sum, byte) => (sum * 31 + byte) % 2147483647, 7);
}

/** What has been received so far. */
window.measure = async () => {
  const found = { packets: 0, framesDecoded: 0, audioEnergy: 0, width: video.videoWidth, height: video.videoHeight, codecs: [] };
  (await window.viewer.getStats()).forEach((one, _, all) => {
    if (one.type !== "inbound-rtp") return;
    const codec = all.get(one.codecId)?.mimeType;
    if (codec) found.codecs.push(codec);
    found.packets += one.packetsReceived ?? 0;
    if (one.kind === "video") found.framesDecoded = one.framesDecoded ?? 0;
    else found.audioEnergy = one.totalAudioEnergy ?? 0;
  });
  return { ...found, pitch: pitchHeard(), digest: digest(), state: window.viewer.connectionState };
};

/** What the decoder says of the picture so far. */
window.decoding = async () => {
  let found = null;
  (await window.viewer.getStats()).forEach((one, _, all) => {
    if (one.type !== "inbound-rtp" || one.kind !== "video") return;
    found = {
      codec: all.get(one.codecId)?.mimeType,
      packets: one.packetsReceived ?? 0,
      lost: one.packetsLost ?? 0,
      received: one.framesReceived ?? 0,
      decoded: one.framesDecoded ?? 0,
      dropped: one.framesDropped ?? 0,
      freezes: one.freezeCount ?? 0,
      keyFrames: one.keyFramesDecoded ?? 0,
      pictureLosses: one.pliCount ?? 0,
      height: one.frameHeight,
    };
  });
  return found;
};

/**
 * Restarts ICE by PATCH (RFC 9725 §4.3.3), of `publisher` or `viewer`: what the server answered, and by which of our
 * username fragments the connection runs before and after.
 */
window.restart = async ({ which, resource, key = null }) => {
  const pc = window[which];
  const way = async () => {
    const all = new Map();
    (await pc.getStats()).forEach((one) => all.set(one.id, one));
    const transport = [...all.values()].find(({ type }) => type === "transport");
    // Firefox has no report of the transport.
    const pair = all.get(transport?.selectedCandidatePairId) ?? [...all.values()].find(({ selected }) => selected);
    return all.get(pair?.localCandidateId)?.usernameFragment ?? null;
  };
  const line = (text, name) => text.split("\r\n").find((one) => one.startsWith(name));
  const before = { way: await way(), answer: pc.remoteDescription.sdp };
  await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
  const offered = pc.localDescription.sdp;
  const ufrag = line(offered, "a=ice-ufrag:");
  const response = await fetch(resource, {
    method: "PATCH",
    headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*", ...(key ? { Authorization: `Bearer ${key}` } : {}) },
    body: [ufrag, line(offered, "a=ice-pwd:"), "m=audio 9 RTP/AVP 0", line(offered, "a=mid:"), ""].join("\r\n"),
  });
  const fragment = await response.text();
  const [ours, password] = [line(fragment, "a=ice-ufrag:"), line(fragment, "a=ice-pwd:")];
  const answer = before.answer.replaceAll(/a=ice-ufrag:.*/gu, ours).replaceAll(/a=ice-pwd:.*/gu, password);
  await pc.setRemoteDescription({ type: "answer", sdp: answer });
  const wanted = ufrag.slice("a=ice-ufrag:".length);
  const patience = performance.now() + 5_000;
  let now = await way();
  while (now !== wanted && performance.now() < patience) {
    await new Promise((done) => setTimeout(done, 50));
    now = await way();
  }
  return { status: response.status, etag: response.headers.get("etag"), before: before.way, now, wanted };
};

/** The server's address that media of `publisher` or `viewer` goes to; null where there is none yet. */
window.peerAddress = async (which) => {
  const all = new Map();
  (await window[which].getStats()).forEach((one) => all.set(one.id, one));
  const transport = [...all.values()].find(({ type }) => type === "transport");
  const pair = all.get(transport?.selectedCandidatePairId) ?? [...all.values()].find(({ selected }) => selected);
  return all.get(pair?.remoteCandidateId)?.address ?? null;
};
