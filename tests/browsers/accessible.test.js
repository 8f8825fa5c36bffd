/** Every page for everybody: checked by axe, walked by keyboard, on a phone, in both languages. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { admit, enterAsHost, inside, knock, scene, serverOfThisFile, waits } from "./support/meet.js";
import { eventually } from "./support/people.js";
import { words } from "./support/words.js";

const here = serverOfThisFile();
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** What axe finds serious or critical on a page as it stands. */
async function faults(person, where) {
  // Colours on their way from one to the other are nobody's contrast.
  await person.page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => (animation.effect?.getTiming().iterations === Infinity ? null : animation.finished))));
  await person.page.evaluate(AXE);
  // react-aria's announcer points for seven seconds at a button that may be gone.
  const found = await person.page.evaluate(() => window.axe.run({ exclude: ["[data-live-announcer]"] }, { resultTypes: ["violations"] }));
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? node.html}`).join(" | ")}`);
}

function wide(person) {
  return person.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Opens every page and panel that there is, and calls `look` at each. */
async function tour(ana, bo, t, look) {
  const { origin } = here.server;
  const meeting = await here.server.meeting({ title: "Tea at five" });
  const broadcast = await here.server.rest("POST", "/broadcasts", {});
  const shows = async (address, text) => {
    await ana.go(address);
    await ana.sees(text);
    await look(ana, address.replace(origin, ""));
  };
  await shows(`${origin}/`, t("home.start"));
  await shows(`${origin}/setup#token=none`, t("account.setupTitle"));
  await shows(`${origin}/sign-in`, t("account.signInTitle"));
  await shows(broadcast.watch_url, t("watch.waiting"));
  await shows(`${origin}/nowhere`, t("notFound.title"));

  const enter = async (person, address, verb) => {
    await person.go(address);
    await person.write(t("prejoin.name"), person.name);
    await look(person, `door, ${verb}`);
    await person.press(t(`prejoin.${verb}`));
  };
  await enter(ana, meeting.host_url, "startHost");
  await inside(ana);
  await enter(bo, meeting.join_url, "join");
  await bo.sees(t("waiting.title"));
  await look(bo, "waiting room");
  await look(ana, "meeting with somebody who knocks");

  const panels = [
    ["p", t("people.inMeeting")],
    ["c", t("chat.title")],
  ];
  for (const [key, text] of panels) {
    await ana.page.keyboard.press(key);
    await ana.sees(text);
    await look(ana, `panel ${key}`);
  }
  for (const [item, text] of [
    [t("meeting.invite"), t("share.number")],
    [t("policy.title"), t("policy.allowed")],
    [t("meeting.log"), t("log.title")],
    [t("meeting.settings"), t("settings.devices")],
    [t("meeting.shortcuts"), t("shortcuts.intro")],
  ]) {
    // What a wide screen has room for is not in the menu.
    if (await ana.button(item).isVisible()) await ana.press(item);
    else await ana.choose(t("meeting.more"), item);
    await ana.sees(text);
    await look(ana, item);
    await ana.page.keyboard.press("Escape");
    await ana.page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await ana.press(t("people.admitName").replace("{{name}}", bo.name));
  await inside(bo);
  await look(ana, "meeting of two");
  await look(bo, "meeting of two, as a guest");
  await ana.press(t("meeting.leave"));
  await look(ana, "leave");
  await ana.press(t("leave.end"));
  await ana.sees(t("out.ended.title"));
  await look(ana, "ended");
}

for (const [language, device, options] of [
  ["en", "desktop", {}],
  ["zh-CN", "desktop", { locale: "zh-CN" }],
  ["en", "phone", PHONE],
  ["zh-CN", "phone", { ...PHONE, locale: "zh-CN" }],
]) {
  // acceptance: M9
  scene(`axe finds nothing serious on any page: ${language}, ${device}`, { timeout: 120_000 }, async (cast) => {
    const [ana, bo] = await Promise.all([cast.chromium("Ana", 1, options), cast.chromium("Bo", 2, options)]);
    const found = [];
    await tour(ana, bo, words(language), async (person, where) => {
      found.push(...(await faults(person, where)));
      assert.equal(await person.page.evaluate(() => document.documentElement.lang), language, where);
    });
    assert.deepEqual(found, []);
  });
}

// acceptance: M9
scene("no page scrolls sideways at 320 pixels", { timeout: 120_000 }, async (cast) => {
  const narrow = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1, narrow), cast.chromium("Bo", 2, narrow)]);
  await tour(ana, bo, words("en"), async (person, where) => assert.equal(await wide(person), 0, `${where} is wider than the screen`));
});

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
