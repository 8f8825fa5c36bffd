// Browsers publish by WHIP with nothing but RTCPeerConnection; Chromium and Firefox watch by WHEP.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { barePage, bareSite, chromium, firefox, received } from "./lib/browsers.mjs";
import { api, call, eventually, startServer } from "./lib/server.mjs";

let server, site, chrome, fox;
before(async () => {
  [server, site, chrome, fox] = await Promise.all([startServer(), bareSite(), chromium(), firefox()]);
});
after(async () => {
  await Promise.all([chrome?.close(), fox?.close()]);
  site?.stop();
  await server?.stop();
});

const made = () => api(server, "POST", "/api/v1/broadcasts", {});

async function publishing(browser, options) {
  const broadcast = await made();
  const page = await barePage(browser, site);
  const to = { url: broadcast.whip_url, key: broadcast.stream_key, ...options };
  const answer = await page.evaluate((options) => window.publish(options), to);
  assert.equal(answer.status, 201, answer.text);
  return { broadcast, page, answer };
}

async function watching(browser, broadcast) {
  const page = await barePage(browser, site);
  const answer = await page.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  assert.equal(answer.status, 201, answer.text);
  return { page, answer };
}

/** `height` where it must be that one: Chromium sends fewer lines at first, more as its estimate grows. */
function plays(page, { pitch, height = null }) {
  return eventually(`a picture of ${height ?? "some"} lines and a tone of ${pitch} Hz`, async () => {
    const now = await received(page);
    // Firefox without a sound card tells how loud, not how high.
    const heard = now.energy > 0 && (now.pitch === null || Math.abs(now.pitch - pitch) < 15);
    return now.frames >= 5 && now.moved && heard && (height === null || now.height === height) && now;
  }, 30_000);
}

for (const { name, options, height, codec, viewers } of [
  { name: "VP8", options: { codec: "VP8", pitch: 700 }, codec: "video/VP8", viewers: ["chromium", "firefox"] },
  // Its lowest encoding is the first to come, and a viewer ends up with the highest. Of a smaller picture Chromium sends two encodings at most.
  { name: "VP8 simulcast", options: { codec: "VP8", simulcast: true, pitch: 900, width: 960, height: 540 }, height: 540, codec: "video/VP8", viewers: ["chromium", "firefox"] },
  // Firefox decodes H.264 only with a plugin that it fetches by itself where it may.
  { name: "H.264", options: { codec: "H264", pitch: 800 }, codec: "video/H264", viewers: ["chromium"] },
]) {
  // acceptance: L1
  test(`Chromium publishes ${name}; ${viewers.join(" and ")} watch`, async () => {
    const { broadcast, page, answer } = await publishing(chrome, options);
    if (options.simulcast) assert.match(answer.text, /a=simulcast:recv q;h;f/);
    const pages = [];
    for (const viewer of viewers) {
      const { page: watched } = await watching(viewer === "firefox" ? fox : chrome, broadcast);
      pages.push(watched);
      const seen = await plays(watched, { pitch: options.pitch, height });
      assert.ok(seen.codecs.includes(codec), `${viewer}: ${seen.codecs}`);
      assert.ok(viewer === "firefox" || seen.pitch, `${viewer} tells the pitch`);
    }
    if (options.simulcast) {
      await eventually("all three encodings are sent", async () => {
        const sent = await page.evaluate(() => window.sent());
        return sent.length === 3 && sent.every(({ frames }) => frames > 0);
      }, 30_000);
    }
    await Promise.all([page, ...pages].map((one) => one.close()));
  });
}

// acceptance: L1
test("Firefox publishes; Chromium watches", async () => {
  // Without a sound card Firefox' AudioContext stands still; its fake microphone does not.
  const { broadcast, page } = await publishing(fox, { codec: "VP8", microphone: true });
  const { page: watched } = await watching(chrome, broadcast);
  await eventually("picture and sound", async () => {
    const now = await received(watched);
    return now.frames >= 5 && now.moved && now.energy > 0 && now.pitch > 0;
  }, 30_000);
  await Promise.all([page.close(), watched.close()]);
});

test("the watch page shows silent pictures where sound needs a click, and sounds after it", async () => {
  const { broadcast, page } = await publishing(chrome, { codec: "VP8", pitch: 700 });
  const strict = await firefox({ autoplay: false });
  try {
    const viewer = await strict.newPage();
    await viewer.goto(broadcast.watch_url);
    // Whatever is evaluated in a page counts as a click there: not before the page has tried to play.
    await eventually("the page watches", async () => (await api(server, "GET", `/api/v1/broadcasts/${broadcast.id}`)).viewers === 1, 30_000);
    await new Promise((done) => setTimeout(done, 4_000));
    const state = () =>
      viewer.evaluate(() => {
        const { muted, paused, videoWidth } = document.querySelector("video") ?? {};
        const hear = [...document.querySelectorAll("button")].some((button) => button.textContent.trim() === "Click to hear");
        return { muted, paused, videoWidth, hear };
      });
    const silent = await eventually("silent pictures and the button", async () => {
      const now = await state();
      return now.hear && now.videoWidth > 0 && now;
    }, 40_000);
    assert.deepEqual([silent.muted, silent.paused], [true, false]);
    await viewer.locator("::-p-aria([name='Click to hear'][role='button'])").click();
    await eventually("sound", async () => {
      const now = await state();
      return !now.muted && !now.paused && !now.hear;
    });
  } finally {
    await strict.close();
    await page.close();
  }
});

test("a viewer that cannot decode what is published is told so", async () => {
  const { broadcast, page } = await publishing(chrome, { codec: "H264" });
  const viewer = await barePage(fox, site);
  const answer = await viewer.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  assert.equal(answer.status, 422, answer.text);
  assert.equal(JSON.parse(answer.text).code, "no-common-codec");
  await Promise.all([page.close(), viewer.close()]);
});

const addresses = Object.values(networkInterfaces()).flat().filter(({ internal }) => !internal);
/** Not one of a single link, which needs its zone to be reached. */
const sixth = addresses.find(({ family, address }) => family === "IPv6" && !address.startsWith("fe80"))?.address;

test("media goes by IPv6, in Chromium and Firefox", { skip: sixth ? false : "this machine has no IPv6 address" }, async () => {
  const other = await startServer({ settings: `[media]\nadvertise = ["${sixth}"]\n` });
  try {
    const broadcast = await api(other, "POST", "/api/v1/broadcasts", {});
    const page = await barePage(chrome, site);
    const published = await page.evaluate((to) => window.publish(to), { url: broadcast.whip_url, key: broadcast.stream_key, codec: "VP8", pitch: 700 });
    assert.equal(published.status, 201, published.text);
    assert.match(published.text, new RegExp(`a=candidate:\\S+ 1 udp \\d+ ${sixth} `, "u"));
    const viewers = await Promise.all([chrome, fox].map(async (browser) => (await watching(browser, broadcast)).page));
    for (const viewer of viewers) await plays(viewer, { pitch: 700 });
    assert.equal(await page.evaluate(() => window.peerAddress("publisher")), sixth);
    for (const viewer of viewers) assert.equal(await viewer.evaluate(() => window.peerAddress("viewer")), sixth);
    await Promise.all([page, ...viewers].map((one) => one.close()));
  } finally {
    await other.stop();
  }
});

test("a server with addresses of both kinds offers both", { skip: sixth ? false : "this machine has no IPv6 address" }, async () => {
  const { page, answer } = await publishing(chrome, { codec: "VP8" });
  const offered = [...answer.text.matchAll(/a=candidate:\S+ 1 udp \d+ (\S+) /gu)].map(([, address]) => address);
  for (const family of ["IPv4", "IPv6"]) {
    const ours = addresses.filter((one) => one.family === family).map(({ address }) => address);
    assert.ok(offered.some((address) => ours.includes(address)), `${family}: ${offered}`);
  }
  await page.close();
});

// acceptance: N5
test("ICE restarts by PATCH: Chromium's that publishes, Chromium's and Firefox's that watch, and all goes on", async () => {
  const { broadcast, page, answer } = await publishing(chrome, { codec: "VP8", pitch: 700 });
  const viewers = await Promise.all([watching(chrome, broadcast), watching(fox, broadcast)]);
  for (const viewer of viewers) await plays(viewer.page, { pitch: 700 });
  const restart = async (of, which, url, key) => {
    const resource = new URL(of.answer.location, url).href;
    const done = await of.page.evaluate((options) => window.restart(options), { which, resource, key });
    assert.equal(done.status, 200);
    assert.ok(done.etag && done.etag !== of.answer.headers.etag, "the ICE session has another name");
    // Firefox does not say by which username fragment it goes.
    if (done.before !== null) assert.deepEqual([done.now, done.before === done.wanted], [done.wanted, false], "it goes by the new credentials");
  };
  await restart({ page, answer }, "publisher", broadcast.whip_url, broadcast.stream_key);
  for (const viewer of viewers) await restart(viewer, "viewer", broadcast.whep_url, null);
  for (const viewer of viewers) await plays(viewer.page, { pitch: 700 });
  const state = await api(server, "GET", `/api/v1/broadcasts/${broadcast.id}`);
  assert.deepEqual([state.live, state.viewers], [true, 2], "nobody is a new one");
  await Promise.all([page, ...viewers.map((viewer) => viewer.page)].map((one) => one.close()));
});

test("a page of another site reads what it needs of the answer, and ends by DELETE", async () => {
  const { broadcast, page, answer } = await publishing(chrome, { codec: "VP8" });
  assert.ok(answer.headers.location && answer.headers.etag, JSON.stringify(answer.headers));
  const resource = new URL(answer.location, broadcast.whip_url).href;
  const status = await page.evaluate(
    async ({ resource, key }) =>
      (await fetch(resource, { method: "DELETE", headers: { Authorization: `Bearer ${key}` } })).status,
    { resource, key: broadcast.stream_key },
  );
  assert.equal(status, 200);
  assert.equal((await api(server, "GET", `/api/v1/broadcasts/${broadcast.id}`)).live, false);
  const again = await call(resource, { method: "DELETE", headers: { authorization: `Bearer ${broadcast.stream_key}` } });
  assert.equal(again.status, 404);
  await page.close();
});

test("a viewer that leaves by DELETE gets nothing more, the others go on", async () => {
  const { broadcast, page } = await publishing(chrome, { codec: "VP8", pitch: 700 });
  const [one, other] = [await watching(chrome, broadcast), await watching(chrome, broadcast)];
  await Promise.all([one, other].map(({ page }) => plays(page, { pitch: 700 })));
  const viewers = async () => (await api(server, "GET", `/api/v1/broadcasts/${broadcast.id}`)).viewers;
  assert.equal(await viewers(), 2);
  assert.equal((await call(new URL(one.answer.location, server.url), { method: "DELETE" })).status, 200);
  assert.equal(await viewers(), 1);
  // What was in the socket and the jitter buffer may still come.
  await eventually("nothing more comes", async () => (await received(one.page, 500)).packets === 0, 3_000);
  await plays(other.page, { pitch: 700 });
  await Promise.all([page, one.page, other.page].map((each) => each.close()));
});

test("a broadcast that is deleted ends for its viewers at once, and they are told", async () => {
  const { broadcast, page } = await publishing(chrome, { codec: "VP8", pitch: 700 });
  const watched = [(await watching(chrome, broadcast)).page, (await watching(fox, broadcast)).page];
  await Promise.all(watched.map((one) => plays(one, { pitch: 700 })));
  await api(server, "DELETE", `/api/v1/broadcasts/${broadcast.id}`);
  for (const one of watched) {
    await eventually("the transport is closed", () => one.evaluate(() => window.viewer.getReceivers()[0].transport.state === "closed"), 2_000);
  }
  const late = await barePage(chrome, site);
  const answer = await late.evaluate((to) => window.watch(to), { url: broadcast.whep_url });
  assert.equal(answer.status, 404, answer.text);
  await Promise.all([page, late, ...watched].map((one) => one.close()));
});

test("a publisher whose page is gone is followed by another, and viewers see that one", async () => {
  const { broadcast, page } = await publishing(chrome, { codec: "VP8", pitch: 700 });
  const { page: watched } = await watching(chrome, broadcast);
  await plays(watched, { pitch: 700 });
  await page.close();
  const next = await barePage(chrome, site);
  const to = { url: broadcast.whip_url, key: broadcast.stream_key, codec: "VP8", pitch: 1200 };
  await eventually("the next publisher is taken", async () => {
    const answer = await next.evaluate((options) => window.publish(options), to);
    return answer.status === 201;
  }, 40_000);
  await plays(watched, { pitch: 1200 });
  await Promise.all([next.close(), watched.close()]);
});
