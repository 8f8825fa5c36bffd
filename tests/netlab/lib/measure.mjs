// From samples of pages and of the emulator to figures: what happened between two moments. Knows no browser.

/** Samples `people` (`{name: person}`) until stopped; each sample has the emulator's counters beside it. */
export function record(lab, people, every = 250) {
  const samples = [];
  let running = true;
  const done = (async () => {
    while (running) {
      const began = Date.now();
      const names = Object.keys(people);
      const pages = await Promise.all(names.map((name) => people[name].page.evaluate(() => window.netlab.sample()).catch(() => null)));
      samples.push({ time: began, link: lab.now, pages: Object.fromEntries(names.map((name, index) => [name, pages[index]])) });
      await new Promise((next) => setTimeout(next, Math.max(10, every - (Date.now() - began))));
    }
  })();
  return {
    samples,
    stop: () => {
      running = false;
      return done;
    },
  };
}

const sum = (page, kind, name) => (page?.inbound ?? []).filter((one) => one.kind === kind).reduce((all, one) => all + (one[name] ?? 0), 0);

/** The first and the last sample of a page within a time. */
function ends(samples, name, from, to) {
  const within = samples.filter(({ time, pages }) => time >= from && time <= to && pages[name]);
  return [within.at(0), within.at(-1)];
}

/** What a viewer received between two moments: numbers of the browser, all pictures and all sounds together. */
export function received(samples, name, from, to) {
  const [first, last] = ends(samples, name, from, to);
  if (!first || first === last) throw new Error(`no numbers of ${name}`);
  const grown = (kind, what) => sum(last.pages[name], kind, what) - sum(first.pages[name], kind, what);
  // A stream of which nothing came meanwhile conceals all the time: nobody speaks there.
  const before = new Map(first.pages[name].inbound.map((one) => [one.ssrc, one]));
  let [concealed, heard] = [0, 0];
  for (const one of last.pages[name].inbound) {
    const old = before.get(one.ssrc);
    if (one.kind !== "audio" || !old || one.packetsReceived - old.packetsReceived < 20) continue;
    const difference = (what) => (one[what] ?? 0) - (old[what] ?? 0);
    concealed += difference("concealedSamples") - difference("silentConcealedSamples");
    heard += difference("totalSamplesReceived");
  }
  return {
    seconds: (last.time - first.time) / 1000,
    frames: grown("video", "framesDecoded"),
    // Of those a browser that has too little of the processor decodes fewer.
    arrived: Math.max(grown("video", "framesReceived"), grown("video", "framesDecoded")),
    dropped: grown("video", "framesDropped"),
    keyFrames: grown("video", "keyFramesDecoded"),
    freezes: grown("video", "freezeCount"),
    frozen: grown("video", "totalFreezesDuration"),
    nacks: grown("video", "nackCount"),
    soundNacks: grown("audio", "nackCount"),
    plis: grown("video", "pliCount"),
    repaired: grown("video", "retransmittedPacketsReceived"),
    soundLost: grown("audio", "packetsLost"),
    concealment: heard > 0 ? concealed / heard : NaN,
    bits: ((grown("video", "bytesReceived") + grown("audio", "bytesReceived")) * 8 * 1000) / (last.time - first.time),
  };
}

/** Frames that a publisher's encoder made meanwhile, of the layer that made most. */
export function encoded(samples, name, from, to) {
  const [first, last] = ends(samples, name, from, to);
  const before = new Map((first?.pages[name].outbound ?? []).map((one) => [one.rid, one.framesEncoded]));
  const made = (last?.pages[name].outbound ?? []).filter(({ kind }) => kind === "video").map((one) => one.framesEncoded - (before.get(one.rid) ?? 0));
  return Math.max(0, ...made);
}

/** The largest picture in a sample. */
export const height = (page) => Math.max(0, ...(page?.inbound ?? []).filter(({ kind }) => kind === "video").map((one) => one.frameHeight ?? 0));

/** Moments at which the largest picture's height changed: `[{time, from, to}]`. */
export function layerChanges(samples, name) {
  const changes = [];
  let before = null;
  for (const { time, pages } of samples) {
    const now = height(pages[name]);
    if (now === 0) continue;
    if (before !== null && now !== before) changes.push({ time, from: before, to: now });
    before = now;
  }
  return changes;
}

/** The longest time without a new frame on the page, less what the page itself stood still, between two moments. */
export async function longestGap(person, from, to) {
  const { shown, stalls } = await person.page.evaluate(() => ({ shown: window.netlab.shown(), stalls: window.netlab.stalls() }));
  let longest = 0;
  for (const { gaps, last } of shown) {
    // What has not ended is as long as it is now.
    for (const { at, ms } of [...gaps, { at: last, ms: to - last }]) {
      const [begin, end] = [Math.max(at, from), Math.min(at + ms, to)];
      if (end <= begin) continue;
      const still = stalls.reduce((all, [a, b]) => all + Math.max(0, Math.min(b, end) - Math.max(a, begin)), 0);
      longest = Math.max(longest, end - begin - still);
    }
  }
  return longest;
}

/** The longest queue of one direction between two moments, in milliseconds. */
export function longestQueue(lab, way, from, to) {
  return Math.max(0, ...lab.samples.filter(({ time }) => time >= from && time <= to).map((sample) => sample[way].queue_ms));
}

/** A time line of one viewer, a row every `step` seconds: link, layer, frames, freezes, sound. */
export function timeLine(samples, name, start, step = 1) {
  const rows = ["    s | down kbit/s | queue ms | lost down | lines | frames/s | frozen ms | concealed | RTT ms"];
  let last = null;
  for (const sample of samples) {
    if (!sample.pages[name] || !sample.link) continue;
    if (last === null) {
      last = sample;
      continue;
    }
    const seconds = (sample.time - last.time) / 1000;
    if (seconds < step) continue;
    const [a, b] = [last.pages[name], sample.pages[name]];
    const grown = (kind, what) => sum(b, kind, what) - sum(a, kind, what);
    const samplesHeard = grown("audio", "totalSamplesReceived");
    const concealed = samplesHeard > 0 ? (grown("audio", "concealedSamples") - grown("audio", "silentConcealedSamples")) / samplesHeard : 0;
    const [from, to] = [last.link.down, sample.link.down];
    const lost = to.entered > from.entered ? (to.lost + to.overflowed - from.lost - from.overflowed) / (to.entered - from.entered) : 0;
    const columns = [
      ((sample.time - start) / 1000).toFixed(1).padStart(5),
      (((to.left_bytes - from.left_bytes) * 8) / seconds / 1000).toFixed(0).padStart(11),
      to.queue_ms.toFixed(0).padStart(8),
      `${(lost * 100).toFixed(1)} %`.padStart(9),
      String(height(b)).padStart(5),
      (grown("video", "framesDecoded") / seconds).toFixed(1).padStart(8),
      (grown("video", "totalFreezesDuration") * 1000).toFixed(0).padStart(9),
      `${(concealed * 100).toFixed(1)} %`.padStart(9),
      (b.roundTrip === null ? "" : (b.roundTrip * 1000).toFixed(0)).padStart(6),
    ];
    rows.push(columns.join(" | "));
    last = sample;
  }
  return rows.join("\n");
}
