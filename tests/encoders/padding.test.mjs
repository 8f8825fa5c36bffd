// Packets of a frame are brought to one size by RTP padding, so that one send takes them: every codec's decoder in every
// browser must take no harm from it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { barePage, bareSite, chromium, firefox } from "./lib/browsers.mjs";
import { api, call, eventually, startServer } from "./lib/server.mjs";

/** How long is looked at, and how often until a machine that does other things as well lets a picture run through. */
const WINDOW_MS = 6_000;
const WINDOWS = 4;
/** Padded packets below which a window says nothing. */
const ENOUGH = 30;
const MAX_OVERHEAD = 0.03;

let server, site, chrome, fox, sender;
before(async () => {
  // Firefox draws what nobody looks at once a second: who publishes there has a browser alone.
  [server, site, chrome, fox, sender] = await Promise.all([startServer(), bareSite(), chromium(), firefox(), firefox()]);
});
after(async () => {
  await Promise.all([chrome?.close(), fox?.close(), sender?.close()]);
  site?.stop();
  await server?.stop();
});

/** What the server counted: packets sent and padded, bytes sent and those of padding. */
async function counted() {
  const { text } = await call(`${server.url}/metrics`);
  const of = (name) => Number(new RegExp(`^symposia_rtp_${name}_total (\\d+)$`, "mu").exec(text)?.[1] ?? NaN);
  return { sent: of("packets_sent"), bytes: of("bytes_sent"), padded: of("padded"), padding: of("padding_bytes") };
}

const difference = (now, then) => Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - then[name]]));

/** What a viewer's decoder did in a window, and what was seen of the numbers painted into the picture. */
async function watched(page) {
  const then = await page.evaluate(() => window.decoding());
  const seen = await page.evaluate((time) => window.readNumbers(time), WINDOW_MS);
  const { codec, height, ...now } = await page.evaluate(() => window.decoding());
  return { codec, height, ...difference(now, then), ...seen };
}

/** What would be harm; the empty list where there is none. */
function harm({ lost, received, decoded, dropped, freezes, pictureLosses, keyFrames, numbers, broken }) {
  const complaints = [];
  if (decoded < 30) complaints.push(`${decoded} frames decoded`);
  // One or two are on their way through the decoder when a window begins or ends.
  if (Math.abs(received - decoded) > 3) complaints.push(`${received} frames received, ${decoded} decoded`);
  if (dropped > 1) complaints.push(`${dropped} frames dropped`);
  if (lost > 0) complaints.push(`${lost} packets lost`);
  if (freezes > 0) complaints.push(`${freezes} freezes`);
  if (pictureLosses > 0) complaints.push(`${pictureLosses} key frames asked for`);
  if (keyFrames > 2) complaints.push(`${keyFrames} key frames`);
  if (numbers < 25 || broken > 0) complaints.push(`${numbers} numbers read, ${broken} pictures broken`);
  return complaints;
}

for (const { publisher, codec, viewers, equal = false } of [
  { publisher: "Chromium", codec: "VP8", viewers: ["Chromium", "Firefox"] },
  { publisher: "Chromium", codec: "VP9", viewers: ["Chromium", "Firefox"] },
  // Both browsers fill all packets of an AV1 frame but its last: they are equal, and there is nothing to pad. A frame goes
  // out in one send all the same.
  { publisher: "Chromium", codec: "AV1", viewers: ["Chromium", "Firefox"], equal: true },
  // Firefox decodes H.264 only with a plugin that it fetches by itself where it may.
  { publisher: "Chromium", codec: "H264", viewers: ["Chromium"] },
  { publisher: "Firefox", codec: "VP8", viewers: ["Chromium", "Firefox"] },
  { publisher: "Firefox", codec: "VP9", viewers: ["Chromium", "Firefox"] },
]) {
  test(`padding of ${codec} from ${publisher} does no harm in ${viewers.join(" and ")}`, async () => {
    const broadcast = await api(server, "POST", "/api/v1/broadcasts", {});
    const page = await barePage(publisher === "Firefox" ? sender : chrome, site);
    const to = { url: broadcast.whip_url, key: broadcast.stream_key, codec, noise: true, width: 480, height: 270 };
    const answer = await page.evaluate((options) => window.publish(options), to);
    assert.equal(answer.status, 201, answer.text);
    const pages = [];
    for (const viewer of viewers) {
      const one = await barePage(viewer === "Firefox" ? fox : chrome, site);
      const answer = await one.evaluate((url) => window.watch({ url }), broadcast.whep_url);
      assert.equal(answer.status, 201, answer.text);
      pages.push(one);
    }
    for (const one of pages) {
      const decodes = async () => {
        const now = await one.evaluate(() => window.decoding());
        return now?.decoded > 20 && now.codec === `video/${codec}`;
      };
      await eventually(`${codec} is decoded`, decodes, 30_000);
    }
    let said;
    for (let window = 0; window < WINDOWS; window += 1) {
      const before = await counted();
      const all = await Promise.all(pages.map((one) => watched(one)));
      const { sent, bytes, padded, padding } = difference(await counted(), before);
      said = JSON.stringify({ sent, bytes, padded, padding, all });
      // These hold at any speed.
      assert.ok(padding <= bytes * MAX_OVERHEAD, said);
      for (const { broken, lost } of all) assert.deepEqual([broken, lost], [0, 0], said);
      const complaints = all.flatMap((one, index) => harm(one).map((complaint) => `${viewers[index]}: ${complaint}`));
      if (!equal && padded < ENOUGH * pages.length) complaints.push(`only ${padded} packets padded`);
      if (complaints.length === 0) {
        console.log(`${codec} from ${publisher}: ${said}`);
        break;
      }
      assert.ok(window + 1 < WINDOWS, `${complaints.join("; ")}\n${said}`);
    }
    await Promise.all([page, ...pages].map((one) => one.close()));
  });
}
