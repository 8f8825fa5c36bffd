/** Those who watch a broadcast write and like, whoever manages it moderates: in two kinds of browser, on a phone, in Chinese. */
import assert from "node:assert/strict";
import { faults, FINGER_PX, lost, MOUSE_PX, smallTargets } from "./support/checks.js";
import { scene, serverOfThisFile } from "./support/meet.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile({ args: [] });
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const PASSWORD = "correct horse battery";
/** What would run if a page took what viewers type for anything but text. */
const SCRIPT = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`;

/** By the link that the server printed; gives the address of the studio of a broadcast that she made. */
async function asOwner(person, title) {
  await person.go(here.server.origin + (/\/setup#\S+/u.exec(here.server.log)?.[0] ?? "/setup"));
  await person.write("User name", "Ada");
  await person.write("Password", PASSWORD);
  await person.write("Repeat password", PASSWORD);
  await person.press("Create administrator");
  await person.button("Ada").waitFor();
  await person.go(`${here.server.origin}/broadcasts`);
  await person.press("New broadcast");
  await person.write("Title", title);
  await person.press("Create and open the studio");
  await person.sees("Comments");
  return person.page.url();
}

function mayPress(person, name) {
  const isFree = (wanted) => [...document.querySelectorAll("button")].some((button) => (button.ariaLabel ?? button.innerText).includes(wanted) && !button.disabled);
  return person.page.evaluate(isFree, name);
}

async function comments(person, words, name) {
  if (name !== undefined) await person.write(words.name, name);
  await person.write(words.comment, words.text);
  // While the connection is made anew nothing can be sent, and a click on such a button does nothing.
  await eventually(async () => assert.ok(await mayPress(person, words.send), `${person.name} cannot send`));
  await person.press(words.send);
}

const EN = { name: "Your name", comment: "Comment", send: "Send comment" };
const ZH = { name: "您的名字", comment: "写评论", send: "发送评论" };
const hacked = (person) => person.page.evaluate(() => window.hacked);

// acceptance: SEC12
scene("viewers write and like; the host holds, shows, deletes and mutes; a reload forgets nothing", { timeout: 150_000 }, async (cast) => {
  const [ada, bo, cai] = await Promise.all([cast.chromium("Ada", 1), cast.firefox("Bo", 2), cast.chromium("Cai", 3, { ...PHONE, locale: "zh-CN" })]);
  const address = (await asOwner(ada, "Tea at five")).replace("/studio/", "/w/");
  const found = [];
  const look = async (person, where, least) => {
    found.push(...(await faults(person, where)), ...(await smallTargets(person, where, least)), ...(await lost(person, where)));
  };

  await bo.go(address);
  await bo.sees("No comments yet");
  await cai.go(address);
  await cai.sees("还没有评论");
  await comments(bo, { ...EN, text: "Good morning from Lisbon" }, "Bo");
  await Promise.all([ada.sees("Good morning from Lisbon"), cai.sees("Good morning from Lisbon")]);
  await comments(cai, { ...ZH, text: `早上好 ${SCRIPT}` }, "<b>Cai</b>");
  for (const person of [ada, bo, cai]) {
    await person.sees(`早上好 ${SCRIPT}`);
    await person.sees("<b>Cai</b>");
    assert.equal(await hacked(person), undefined, `${person.name} sees text, and nothing runs`);
  }
  for (let click = 0; click < 3; click += 1) await cai.press("点赞");
  await Promise.all([ada.sees("3 likes"), bo.sees("3 likes"), cai.sees("3 个赞")]);
  await look(cai, "watching, phone", FINGER_PX);
  await look(ada, "studio with comments", MOUSE_PX);

  await ada.press("Moderation");
  await ada.page.getByRole("dialog").waitFor();
  await look(ada, "rules of comments", MOUSE_PX);
  await ada.write("Words to hold", "spam, 广告");
  await ada.page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await ada.page.getByRole("dialog").waitFor({ state: "detached" });
  await comments(bo, { ...EN, text: "Is this SPAM?" });
  await bo.sees("A moderator looks at your comment first.");
  await ada.sees("Is this SPAM?");
  await cai.seesNot("Is this SPAM?");
  await look(ada, "a comment that is held", MOUSE_PX);
  await ada.press("Show to everybody: what Bo wrote");
  await Promise.all([bo.sees("Is this SPAM?"), cai.sees("Is this SPAM?")]);

  // The newest of his, by keys alone.
  const more = ada.page.getByRole("button", { name: "More about what Bo wrote" }).last();
  await more.focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("menuitem", { name: "Delete, and mute Bo" }).focus();
  await ada.page.keyboard.press("Enter");
  await Promise.all([bo.seesNot("Is this SPAM?"), cai.seesNot("Is this SPAM?")]);
  await bo.sees("You cannot write in this broadcast.");
  await bo.go(address);
  await bo.sees("You cannot write in this broadcast.");
  await bo.sees("Good morning from Lisbon");
  await bo.sees("3 likes");
  assert.ok(!(await bo.text()).includes("Is this SPAM?"), "what was deleted does not come back");

  await ada.press("Moderation");
  await ada.page.getByRole("dialog").getByRole("button", { name: "Let write again: Bo" }).click();
  await ada.sees("Nobody is muted.");
  await ada.page.keyboard.press("Escape");
  await bo.seesNot("You cannot write in this broadcast.");
  await comments(bo, { ...EN, text: "Back again" });
  await cai.sees("Back again");

  await here.server.kill();
  await here.server.run();
  await eventually(async () => comments(cai, { ...ZH, text: "重启之后" }), 30_000);
  await Promise.all([ada.sees("重启之后", 30_000), bo.sees("重启之后", 30_000)]);
  assert.deepEqual(found, []);
});
