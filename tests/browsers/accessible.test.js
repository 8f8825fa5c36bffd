/** Every page for everybody: checked by axe, walked by keyboard, on a phone, in both languages. */
import assert from "node:assert/strict";
import { faults, FINGER_PX, lost, MOUSE_PX, paleOverVideo, smallTargets, textSize, unframed } from "./support/checks.js";
import { admit, enterAsHost, inside, knock, scene, serverOfThisFile, waits } from "./support/meet.js";
import { eventually } from "./support/people.js";
import { tour } from "./support/tour.js";
import { words } from "./support/words.js";

const here = serverOfThisFile();
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

for (const [language, device, options] of [
  ["en", "desktop", {}],
  ["zh-CN", "desktop", { locale: "zh-CN" }],
  ["en", "phone", PHONE],
  ["zh-CN", "phone", { ...PHONE, locale: "zh-CN" }],
]) {
  // acceptance: M9
  scene(`axe finds nothing serious and targets are large enough on any page: ${language}, ${device}`, { timeout: 120_000 }, async (cast) => {
    const [ana, bo] = await Promise.all([cast.chromium("Ana", 1, options), cast.chromium("Bo", 2, options)]);
    const found = [];
    await tour(here.server, ana, bo, words(language), async (person, where) => {
      found.push(...(await faults(person, where)), ...(await smallTargets(person, where, device === "phone" ? FINGER_PX : MOUSE_PX)));
      found.push(...(await paleOverVideo(person, where)));
      assert.equal(await person.page.evaluate(() => document.documentElement.lang), language, where);
    });
    assert.deepEqual(found, []);
  });
}

for (const [what, options, text] of [
  ["at 320 pixels", { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }, 16],
  ["with text at 200 %", { viewport: { width: 1280, height: 800 } }, 32],
]) {
  // acceptance: M9
  scene(`nothing is lost and no page scrolls sideways ${what}`, { timeout: 120_000 }, async (cast) => {
    const [ana, bo] = await Promise.all([cast.chromium("Ana", 1, options), cast.chromium("Bo", 2, options)]);
    await Promise.all([ana, bo].map((person) => textSize(person, text)));
    const found = [];
    await tour(here.server, ana, bo, words("en"), async (person, where) => {
      assert.equal(await person.page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize)), text);
      found.push(...(await lost(person, where)));
    });
    assert.deepEqual(found, []);
  });
}

/** The focused element's name, and whether one sees that it has the focus. */
function focused(person) {
  return person.page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { name: "", seen: true };
    const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText ?? "";
    let seen = false;
    for (let node = element, depth = 0; node && depth < 3; node = node.parentElement, depth += 1) {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
      seen ||= (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
    }
    const box = element.getBoundingClientRect();
    return { name: name.trim(), seen, onScreen: box.bottom > 0 && box.top < innerHeight, html: element.outerHTML.slice(0, 200) };
  });
}

/** Presses a key until something has the focus; each stop on the way must show it. */
async function walkTo(person, name, key = "Tab") {
  const passed = [];
  for (let step = 0; step < 40; step += 1) {
    const now = await focused(person);
    if (now.name === name || (name instanceof RegExp && name.test(now.name))) return;
    await person.page.keyboard.press(key);
    const next = await focused(person);
    passed.push(next.name);
    assert.ok(next.seen && next.onScreen !== false, `one does not see that this has the focus: ${next.html}`);
  }
  assert.fail(`${key} does not lead to ${name}, but to ${passed}`);
}

// acceptance: M9
scene("with the keyboard alone one starts, mutes, opens each panel and leaves, and the focus comes back", { timeout: 90_000 }, async (cast) => {
  const ana = await cast.chromium("Ana", 1);
  const { keyboard } = ana.page;
  await ana.go(here.server.origin);
  await ana.button("Start a meeting").waitFor();
  await walkTo(ana, "Start a meeting");
  await keyboard.press("Enter");
  await ana.sees("Ready to start?");
  await walkTo(ana, "Your name");
  await keyboard.type("Ana");
  await walkTo(ana, "Start as host");
  await keyboard.press("Enter");
  await inside(ana);

  await walkTo(ana, "Mute");
  await keyboard.press("Enter");
  await ana.button("Unmute").waitFor();
  await eventually(async () => assert.equal((await focused(ana)).name, "Unmute", "the focus stays on the button"));
  await keyboard.press("Enter");
  await ana.button("Mute").waitFor();

  for (const [name, heading] of [
    [/^People/u, "In the meeting"],
    [/^Chat/u, "No messages yet"],
    ["Invite", "Meeting number"],
  ]) {
    await walkTo(ana, name, "ArrowRight");
    await keyboard.press("Enter");
    await ana.sees(heading);
    const within = await ana.page.evaluate(() => document.activeElement?.closest("aside") !== null);
    assert.ok(within, `the focus is in the panel of ${name}`);
    await keyboard.press("Escape");
    await ana.seesNot(heading);
    const back = await focused(ana);
    assert.match(back.name, new RegExp(name), `the focus is back after the panel: ${back.html}`);
  }

  await walkTo(ana, "Leave", "ArrowRight");
  await keyboard.press("Enter");
  await ana.sees("Leave or end the meeting?");
  await keyboard.press("Escape");
  await ana.page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await focused(ana)).name, "Leave", "the focus is back after the dialog");
  await keyboard.press("Enter");
  await ana.sees("Leave or end the meeting?");
  await walkTo(ana, "Leave");
  await keyboard.press("Enter");
  await ana.sees("You left the meeting");
});

// acceptance: M9
scene("the focus is back where it was after each dialog, also after one that a menu opened", { timeout: 90_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await ana.press(/^People/u);
  const { keyboard } = ana.page;
  for (const [opener, item, role] of [
    ["Options for Bo", "Rename", "dialog"],
    ["Options for Bo", "Remove", "alertdialog"],
    ["Mute all", null, "alertdialog"],
    ["Rules", null, "dialog"],
    // These take the place of the panel.
    ["More", "Settings", "dialog"],
    ["More", "Moderation log", "dialog"],
    ["Leave", null, "dialog"],
  ]) {
    const button = ana.page.locator("aside, [role=toolbar]").getByRole("button", { name: opener, exact: true });
    await button.focus();
    await keyboard.press("Enter");
    if (item) await ana.page.getByRole("menuitem", { name: item, exact: true }).press("Enter");
    // The menu that opened it is a dialog too, and may be on its way out still.
    const dialog = ana.page.locator(`[role=${role}]:not([data-trigger="MenuTrigger"])`);
    await dialog.waitFor();
    await eventually(async () => assert.ok(await dialog.evaluate((element) => element.contains(document.activeElement)), `the focus is in the dialog of ${item ?? opener}`));
    await keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await eventually(async () => assert.equal((await focused(ana)).name, opener, `the focus is back after ${item ?? opener}`));
    assert.ok((await focused(ana)).seen, `one sees it on ${opener}`);
  }
});

/** Runs in a page before its scripts: writes down what moves. */
function watchMotion() {
  window.moved = new Set();
  setInterval(() => {
    for (const animation of document.getAnimations()) {
      if (animation.effect.getComputedTiming().duration > 10) window.moved.add(animation.animationName ?? animation.transitionProperty);
    }
  }, 25);
}

// acceptance: M9
scene("nothing moves for who wants less motion, and everything is there in forced colours", { timeout: 90_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, bo, cai] = await Promise.all([
    cast.chromium("Ana", 1),
    cast.chromium("Bo", 2, { reducedMotion: "reduce" }),
    cast.chromium("Cai", 3, { forcedColors: "active" }),
  ]);
  await Promise.all([ana, bo].map((person) => person.page.addInitScript(watchMotion)));
  await enterAsHost(ana, meeting);
  await Promise.all([bo, cai].map((guest) => knock(guest, meeting.join_url)));
  await Promise.all([inside(bo), inside(cai)]);
  for (const person of [ana, bo, cai]) {
    await person.press("Raise hand");
    await person.press(/^People/u);
    await person.sees("Raised hands");
  }
  const found = [...(await faults(cai, "meeting in forced colours")), ...(await unframed(cai, "meeting in forced colours"))];
  // Who speaks is seen by more than a colour that is not there.
  await eventually(async () => {
    const rings = await cai.page.evaluate(() =>
      [...document.querySelectorAll("[role=group][data-speaking]")].map((tile) => getComputedStyle(tile.lastElementChild).borderTopWidth),
    );
    assert.ok(rings.length > 0 && rings.every((width) => parseFloat(width) >= 3), `rings of those who speak: ${rings}`);
  });
  for (const person of [ana, bo, cai]) await person.choose("More", "Settings");
  await cai.sees("Single-key shortcuts");
  found.push(...(await faults(cai, "settings in forced colours")), ...(await unframed(cai, "settings in forced colours")));
  assert.deepEqual(found, []);
  const moved = (person) => person.page.evaluate(() => [...window.moved]);
  assert.notDeepEqual(await moved(ana), [], "there is motion for those who do not mind");
  assert.deepEqual(await moved(bo), []);
});

/** Runs in a page: sends its camera and microphone to a broadcast. */
async function publish({ path, key }) {
  const peer = new RTCPeerConnection();
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  await peer.setLocalDescription();
  if (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => (peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve()));
  }
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/sdp", authorization: `Bearer ${key}` },
    body: peer.localDescription.sdp,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}

// acceptance: M9
scene("the watch page is for everybody while it plays, too", { timeout: 90_000 }, async (cast) => {
  const broadcast = await here.server.rest("POST", "/broadcasts", {});
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3, { ...PHONE, locale: "zh-CN" })]);
  await ana.go(`${here.server.origin}/`);
  await ana.page.evaluate(publish, { path: new URL(broadcast.whip_url).pathname, key: broadcast.stream_key });
  const found = [];
  for (const [viewer, least] of [[bo, MOUSE_PX], [cai, FINGER_PX]]) {
    await viewer.go(here.server.origin + new URL(broadcast.watch_url).pathname);
    await eventually(async () => {
      const shown = await viewer.page.evaluate(() => window.symposiaTest.read(document.querySelector("video")));
      assert.equal(shown?.code, ana.code, `${viewer.name} sees what is sent`);
    });
    const where = `watch page, ${viewer.name}`;
    found.push(...(await faults(viewer, where)), ...(await smallTargets(viewer, where, least)));
    found.push(...(await paleOverVideo(viewer, where)), ...(await lost(viewer, where)));
  }
  assert.deepEqual(found, []);
});

/** Runs in a page before its scripts: writes down what screen readers are told. */
function listen() {
  window.told = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest?.("[aria-live], [role=alert], [role=status]");
      if (region?.textContent) window.told.push(region.textContent);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

// acceptance: M9
scene("screen readers are told of a knock, a hand, a message and a mute", async (cast) => {
  const meeting = await here.server.meeting();
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  await Promise.all([ana, bo].map((person) => person.page.addInitScript(listen)));
  const told = (person, text) =>
    eventually(async () => {
      const all = await person.page.evaluate(() => window.told);
      assert.ok(all.some((said) => said.includes(text)), `${person.name} was told ${[...new Set(all)].join(" / ")}`);
    }, 5_000);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await waits(bo);
  await told(ana, "Bo would like to come in.");
  await admit(ana, bo);
  await bo.press("Raise hand");
  await told(ana, "Bo raised a hand.");
  await bo.press("Chat");
  await bo.page.getByRole("textbox", { name: "Message" }).fill("Good evening");
  await bo.press("Send");
  await told(ana, "Good evening");
  await eventually(async () => assert.match((await ana.tile("Bo"))?.label ?? "", /^Bo, hand raised/u));
  await ana.press(/^People/u);
  await ana.choose("Options for Bo", "Mute");
  await told(bo, "Ana muted you.");
});
