/** The ways into a meeting, and what somebody reads who takes a wrong one. */
import assert from "node:assert/strict";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { admit, enterAsHost, knock, scene, serverOfThisFile, waits } from "./support/meet.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile();

/** Types a number on the start page, as somebody does who was told it. */
async function comeByNumber(person, number) {
  await person.go(here.server.origin);
  await person.write("Meeting number or link", number);
  await person.press("Join");
  await person.write("Your name", person.name);
  await person.press("Ask to join");
}

// acceptance: M2
scene("people join by link, by number with passcode, and by the QR code on the host's page", async (cast) => {
  const meeting = await here.server.meeting({ title: "Tea", passcode: "314159" });
  const [ana, bo, cai, dora] = await Promise.all([
    cast.chromium("Ana", 1),
    cast.chromium("Bo", 2),
    cast.chromium("Cai", 3),
    cast.chromium("Dora", 4, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }),
  ]);
  await enterAsHost(ana, meeting);

  await knock(bo, meeting.join_url);
  await waits(bo);
  await admit(ana, bo);

  const spoken = meeting.number.replace(/(\d{3})(\d{3})(\d{3})/u, "$1 $2 $3");
  await comeByNumber(cai, spoken);
  await cai.write("Passcode", "271828");
  await cai.press("Ask to join");
  await cai.sees("That meeting number or passcode is not right.");
  await cai.write("Passcode", "314159");
  await cai.press("Ask to join");
  await waits(cai);
  await admit(ana, cai);

  await ana.press("Invite");
  const picture = await ana.page.getByRole("img", { name: "QR code with the link to this meeting" }).screenshot();
  const { data, width, height } = PNG.sync.read(picture);
  const read = jsqr(new Uint8ClampedArray(data), width, height);
  assert.ok(read, "the picture holds a QR code");
  await knock(dora, read.data);
  await waits(dora);
  await admit(ana, dora);

  await ana.press(/^People/u);
  for (const person of [bo, cai, dora]) await ana.sees(person.name);
});

// acceptance: M2
scene("whoever takes a wrong way reads one clear sentence and can go on", async (cast) => {
  const meeting = await here.server.meeting({ passcode: "314159" });
  const bo = await cast.chromium("Bo", 2);

  await comeByNumber(bo, "000 000 001");
  await bo.sees("is not right, or the meeting has a passcode.");

  await comeByNumber(bo, meeting.number);
  await bo.write("Passcode", "000000");
  await bo.press("Ask to join");
  await bo.sees("That meeting number or passcode is not right.");

  await bo.go(here.server.origin);
  await bo.write("Meeting number or link", "the one from yesterday");
  await bo.press("Join");
  await bo.sees("That is neither a nine-digit meeting number nor a meeting link.");

  await bo.go(`${here.server.origin}/m/0000#t=garbage`);
  await bo.write("Your name", bo.name);
  await bo.press("Join");
  await bo.sees("This link is not valid");

  await bo.go(`${here.server.origin}/m/`);
  await bo.sees("There is nothing here");

  await here.server.rest("DELETE", `/meetings/${meeting.id}`);
  await knock(bo, meeting.join_url);
  await bo.sees("This meeting has ended");

  // Nothing of this stands in the way of the right one.
  const other = await here.server.meeting({ waiting_room: false });
  await knock(bo, other.join_url);
  await eventually(async () => assert.ok(await bo.tile("Bo")));
  assert.deepEqual(here.server.panics(), []);
});
