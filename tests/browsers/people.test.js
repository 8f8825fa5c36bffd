/** People with accounts: invited, signed in, given roles and new passwords, shut out; by those who do it and those it is done to. */
import assert from "node:assert/strict";
import { faults, FINGER_PX, lost, MOUSE_PX, smallTargets } from "./support/checks.js";
import { inside, scene, serverOfThisFile } from "./support/meet.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile({ args: [] });
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const PASSWORD = "correct horse battery";

/** By the link that the server printed; or signed in, where that was done before. */
async function asAdministrator(person) {
  const printed = /\/setup#\S+/u.exec(here.server.log)?.[0];
  await person.go(here.server.origin + (asAdministrator.done ? "/sign-in" : printed));
  await person.write("User name", "Ada");
  await person.write("Password", PASSWORD);
  if (!asAdministrator.done) await person.write("Repeat password", PASSWORD);
  await person.press(asAdministrator.done ? "Sign in" : "Create administrator");
  await person.button("Ada").waitFor();
  asAdministrator.done = true;
}

/** Another page of the server that the person is at: cookies hold for `localhost` or for `127.0.0.1`. */
function onTo(person, path) {
  return person.go(new URL(path, person.page.url()).href);
}

async function invited(ada, name, role) {
  await ada.press("Invite somebody");
  await ada.write("Name (optional)", name);
  const dialog = ada.page.getByRole("dialog");
  if (role !== "Host") {
    await dialog.getByRole("button", { name: /Role/u }).click();
    await ada.page.getByRole("option", { name: role }).click();
  }
  await dialog.getByRole("button", { name: "Make link" }).click();
  const link = await ada.page.getByLabel("Link", { exact: true }).inputValue();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  return link;
}

async function accept(person, link, submit = "Create account", password = PASSWORD) {
  await person.go(link);
  await person.write("Password", password);
  await person.write("Repeat password", password);
  await person.press(submit);
  await person.button(person.name).waitFor();
}

scene("people are invited, start meetings by their role, get new passwords, and are shut out", { timeout: 120_000 }, async (cast) => {
  const [ada, mia] = await Promise.all([cast.chromium("Ada", 1), cast.chromium("Mia", 2)]);
  await asAdministrator(ada);
  await ada.choose("Ada", "People");
  await ada.sees("Administrator");
  const link = await invited(ada, "Mia", "Host");
  assert.match(link, /\/invitation#.{20,}$/u);
  await ada.sees("Link works until");

  // A network that fails once costs nobody an invitation, whether one tries again or opens the page anew.
  let broken = 2;
  await mia.page.route("**/api/v1/invitations/open", (route) => (broken-- > 0 ? route.abort() : route.continue()));
  await mia.go(link);
  await mia.sees("The invitation cannot be opened right now");
  await mia.page.reload();
  await mia.sees("The invitation cannot be opened right now");
  await mia.press("Try again");
  await mia.page.getByLabel("User name").waitFor();
  assert.equal(await mia.page.getByLabel("User name").inputValue(), "Mia");
  await eventually(async () => assert.equal(await mia.page.evaluate(() => location.hash), "", "the secret is taken from the address"));
  await mia.write("Password", "short");
  await mia.write("Repeat password", "short");
  await mia.press("Create account");
  await mia.sees("at least 10 characters");
  await mia.write("Password", PASSWORD);
  await mia.write("Repeat password", PASSWORD);
  await mia.press("Create account");
  await mia.button("Mia").waitFor();
  await mia.press("Start a meeting");
  await mia.write("Your name", "Mia");
  await mia.press("Start as host");
  await inside(mia);
  const meeting = new URL(mia.page.url()).pathname;

  // The link does no more; the account is in the list.
  const eve = await cast.chromium("Eve", 3);
  await eve.go(link);
  await eve.sees("This link does not work");
  await eve.close();
  await ada.page.reload();
  await ada.sees("Last used");

  // A new password ends what the old one opened.
  await ada.choose("Options for Mia", "Link to a new password");
  await ada.page.getByRole("alertdialog").getByRole("button", { name: "Link to a new password" }).click();
  const reset = await ada.page.getByLabel("Link", { exact: true }).inputValue();
  await ada.page.keyboard.press("Escape");
  const elsewhere = await cast.chromium("Mia", 4);
  await accept(elsewhere, reset, "Save and sign in", "another long password");
  await onTo(mia, "/");
  await mia.button("Sign in").waitFor();
  // In the new browser she is host of her own meeting without its link.
  await onTo(elsewhere, meeting);
  await elsewhere.write("Your name", "Mia");
  await elsewhere.press("Start as host");
  await inside(elsewhere);

  await ada.page.getByRole("button", { name: /Role of Mia/u }).click();
  await ada.page.getByRole("option", { name: "Member" }).click();
  await eventually(async () => assert.match(await ada.page.getByRole("button", { name: /Role of Mia/u }).innerText(), /Member/u));
  await onTo(elsewhere, "/");
  await elsewhere.press("Start a meeting");
  await elsewhere.sees("With this account you take part in meetings.");

  await ada.choose("Options for Mia", "Shut out");
  await ada.page.getByRole("alertdialog").getByRole("button", { name: "Shut out" }).click();
  await ada.sees("Shut out");
  await onTo(elsewhere, "/account");
  await elsewhere.sees("Sign in to see your account.");

  // She cannot take the last administrator away, herself.
  await ada.page.getByRole("button", { name: /Role of Ada/u }).click();
  await ada.page.getByRole("option", { name: "Host" }).click();
  await ada.sees("make another person administrator first");
  await ada.choose("Options for Mia", "Delete");
  await ada.page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await ada.seesNot("Mia");
  assert.deepEqual(here.server.panics(), []);
});

scene("one sees where one is signed in, signs out there, and changes the password, by keyboard", { timeout: 90_000 }, async (cast) => {
  const ada = await cast.chromium("Ada", 1);
  await asAdministrator(ada);
  await ada.go(`${here.server.origin}/account`);
  await ada.sees("This browser");
  const places = ada.page.getByRole("list", { name: "Where you are signed in" }).getByRole("listitem");
  const before = await places.count();
  const other = await cast.chromium("Ada", 2);
  await asAdministrator(other);
  await ada.page.reload();
  await eventually(async () => assert.equal(await places.count(), before + 1));
  await ada.page.getByRole("button", { name: /^Sign out Chrome/u }).first().press("Enter");
  await eventually(async () => assert.equal(await places.count(), before));

  await ada.page.getByLabel("Present password").focus();
  await ada.page.keyboard.type("not the present one");
  await ada.page.keyboard.press("Tab");
  await ada.page.keyboard.type("another long password");
  await ada.page.keyboard.press("Enter");
  await ada.sees("The present password is not right.");
  await ada.write("Present password", PASSWORD);
  await ada.page.keyboard.press("Enter");
  await ada.sees("The password is changed.");
  await ada.write("Present password", "another long password");
  await ada.write("New password", PASSWORD);
  await ada.page.keyboard.press("Enter");
  await eventually(async () => assert.equal(await ada.page.getByLabel("New password").inputValue(), ""));
  await ada.sees("The password is changed.");
});

for (const [language, device, options] of [
  ["en", "desktop", {}],
  ["zh-CN", "phone", { ...PHONE, locale: "zh-CN" }],
  ["en", "narrow", { ...PHONE, viewport: { width: 320, height: 640 } }],
]) {
  // acceptance: M9
  scene(`the pages of accounts are for everybody: ${language}, ${device}`, { timeout: 90_000 }, async (cast) => {
    const [ada, mia] = await Promise.all([cast.chromium("Ada", 1), cast.chromium("Mia", 2, options)]);
    await asAdministrator(ada);
    await ada.go(`${here.server.origin}/people`);
    const link = await invited(ada, `Mia ${device}`, "Administrator");
    const found = [];
    const look = async (where) =>
      found.push(...(await faults(mia, where)), ...(await smallTargets(mia, where, device === "desktop" ? MOUSE_PX : FINGER_PX)), ...(await lost(mia, where)));
    await mia.go(link);
    const [password, repeated] = [mia.page.locator("input[name=password]"), mia.page.locator("input[name=repeat]")];
    await password.fill(PASSWORD);
    await look("invitation");
    await repeated.fill(PASSWORD);
    await mia.page.locator("button[type=submit]").click();
    await mia.page.getByRole("button", { name: `Mia ${device}` }).waitFor();
    await look("home");
    await invited(ada, "Somebody with a rather long name of the sort that does not fit", "Member");
    await onTo(mia, "/people");
    await mia.page.getByRole("article").first().waitFor();
    await look("people");
    await onTo(mia, "/account");
    await mia.page.getByRole("article").first().waitFor();
    await look("account");
    assert.deepEqual(found, []);
  });
}
