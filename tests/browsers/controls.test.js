/** Every control of a host, pressed on a real page: what the others see of it, and who is refused. */
import assert from "node:assert/strict";
import { Client } from "./support/client.js";
import { admit, enterAsHost, inside, knock, promptly, scene, serverOfThisFile, waits } from "./support/meet.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile();

/** A host and two guests, all in. */
async function three(cast, wanted = { waiting_room: false }) {
  const meeting = await here.server.meeting(wanted);
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3)]);
  await enterAsHost(ana, meeting);
  await Promise.all([bo, cai].map((guest) => knock(guest, meeting.join_url)));
  await Promise.all([inside(bo), inside(cai)]);
  await Promise.all([bo, cai].map((guest) => labelled(ana, guest.name, /^(?!.*(muted|camera off))/u, 15_000)));
  await ana.press(/^People/u);
  return { meeting, ana, bo, cai };
}

/** What a viewer's tile of somebody says to a screen reader. */
function labelled(viewer, name, pattern, within) {
  const look = async () => assert.match((await viewer.tile(name))?.label ?? "", pattern, `the tile of ${name} on the page of ${viewer.name}`);
  return within ? eventually(look, within) : promptly(look);
}

/** The switch itself is under its words. */
function toggle(host, name) {
  return host.page.getByRole("switch", { name: new RegExp(`^${name}`, "u") }).locator("xpath=ancestor::label").click();
}

async function rule(host, name) {
  await host.press("Rules");
  await toggle(host, name);
  await host.press("Close");
}

// acceptance: M4
scene("a host mutes, asks, stops cameras, lowers hands, and all see it at once", { timeout: 120_000 }, async (cast) => {
  const { ana, bo, cai } = await three(cast);

  await ana.choose("Options for Bo", "Mute");
  await promptly(() => bo.sees("Ana muted you.", 0));
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /muted/u)));

  await ana.choose("Options for Bo", "Ask to unmute");
  await promptly(() => bo.sees("Ana asks you to unmute.", 0));
  await bo.button("Not now").locator("..").getByRole("button", { name: "Unmute" }).click();
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /^(?!.*muted)/u)));

  await ana.choose("Options for Bo", "Turn camera off");
  await promptly(() => bo.sees("Ana turned your camera off.", 0));
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /camera off/u)));
  await ana.choose("Options for Bo", "Ask to turn camera on");
  await promptly(() => bo.sees("Ana asks you to turn your camera on.", 0));
  await bo.press("Turn on");
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /^(?!.*camera off)/u)));

  await ana.press("Mute all");
  await toggle(ana, "People may unmute themselves");
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "Mute all" }).click();
  for (const guest of [bo, cai]) {
    await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, guest.name, /muted/u)));
    assert.ok(await guest.button("Unmute. The host does not allow that at the moment.").isVisible());
  }
  await labelled(bo, "Ana", /^(?!.*muted)/u);

  await bo.press("Raise hand");
  await Promise.all([ana, cai].map((viewer) => labelled(viewer, "Bo", /hand raised/u)));
  await ana.press("Lower the hand of Bo");
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /^(?!.*hand raised)/u)));
});

// acceptance: M4
scene("a host names, renames, shows large, and gives and takes roles", { timeout: 120_000 }, async (cast) => {
  const { ana, bo, cai } = await three(cast);

  await ana.choose("Options for Bo", "Spotlight for everyone");
  await promptly(() => bo.sees("Everyone now sees you large.", 0));
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /in the spotlight/u)));
  await ana.choose("Options for Bo", "End spotlight");
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Bo", /^(?!.*spotlight)/u)));

  await ana.choose("Options for Cai", "Rename");
  await ana.page.getByRole("dialog").getByLabel("Name").fill("Kai");
  await ana.press("Save");
  await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, "Kai", /^Kai/u)));

  await ana.choose("Options for Bo", "Make co-host");
  await promptly(() => bo.sees("You are now a co-host.", 0));
  await Promise.all([ana, cai].map((viewer) => labelled(viewer, "Bo", /Co-host/u)));
  // A co-host has the host's controls but for the end of the meeting.
  await bo.press(/^People/u);
  await bo.choose("Options for Kai", "Mute");
  await labelled(ana, "Kai", /muted/u);
  await bo.press("Leave");
  assert.equal(await bo.button("End for all").count(), 0);
  await bo.press("Cancel");

  await ana.choose("Options for Bo", "Make attendee");
  await promptly(() => bo.sees("You are now an attendee.", 0));
  await ana.choose("Options for Bo", "Make listener");
  await promptly(() => bo.sees("You are now a listener.", 0));
  await Promise.all([ana, cai].map((viewer) => labelled(viewer, "Bo", /muted.*camera off/u)));
  await promptly(async () =>
    assert.ok(await bo.button("Unmute. As a listener you watch and listen. Raise your hand to speak.").isVisible()),
  );
});

// acceptance: M4
// acceptance: M6
scene("a host sets the rules, and everybody's page says what is not allowed and why", { timeout: 120_000 }, async (cast) => {
  const { ana, bo, cai } = await three(cast);

  await rule(ana, "Share their screen");
  await promptly(async () => {
    assert.ok(await bo.button("Share screen. The host does not allow that at the moment.").isVisible());
    assert.ok(await cai.button("Share screen. The host does not allow that at the moment.").isVisible());
  });

  await rule(ana, "Turn on their camera");
  for (const guest of [bo, cai]) await Promise.all([ana, bo, cai].map((viewer) => labelled(viewer, guest.name, /camera off/u)));
  await labelled(cai, "Ana", /^(?!.*camera off)/u);

  await bo.press("Chat");
  await rule(ana, "Write to everyone");
  await promptly(() => bo.sees("The chat is closed.", 0));

  await rule(ana, "Lock meeting");
  for (const viewer of [ana, bo, cai]) await promptly(() => viewer.sees("Locked", 0));
  await rule(ana, "Lock meeting");
  for (const viewer of [ana, bo, cai]) await viewer.seesNot("Locked", 2_000);

  await ana.press("Rules");
  await ana.page.getByRole("dialog").getByRole("button", { name: "Stop all activity" }).click();
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "Stop all activity" }).click();
  for (const viewer of [ana, bo, cai]) {
    await promptly(() => viewer.sees("Locked", 0));
    await Promise.all(["Ana", "Bo", "Cai"].map((name) => labelled(viewer, name, /muted.*camera off/u)));
  }

  await ana.choose("More", "Moderation log");
  await ana.sees("stopped all activity");
  await ana.sees("changed the rules");
});

// acceptance: M4
// acceptance: M5
scene("a host turns away, admits, sends back, removes, bans, and ends", { timeout: 120_000 }, async (cast) => {
  const { meeting, ana, bo, cai } = await three(cast);
  await rule(ana, "Waiting room");

  const dora = await cast.chromium("Dora", 4);
  await knock(dora, meeting.join_url);
  await waits(dora);
  await ana.press("Turn away Dora");
  await promptly(() => dora.sees("You were not let in", 0));
  await dora.press("Join again");
  await dora.press("Join");
  await waits(dora);
  await admit(ana, dora);

  await ana.choose("Options for Dora", "Send to the waiting room");
  await promptly(() => waits(dora));
  for (const viewer of [ana, bo, cai]) await promptly(async () => assert.equal(await viewer.tile("Dora"), undefined));
  await admit(ana, dora);

  await ana.choose("Options for Dora", "Remove");
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await promptly(() => dora.sees("You were removed from the meeting", 0));
  for (const viewer of [ana, bo, cai]) await promptly(async () => assert.equal(await viewer.tile("Dora"), undefined));
  // The removed may knock again; nobody comes past the lock.
  await dora.press("Join again");
  await rule(ana, "Lock meeting");
  await dora.press("Join");
  await dora.sees("The host has locked this meeting.");
  await rule(ana, "Lock meeting");
  await dora.press("Join");
  await waits(dora);
  await admit(ana, dora);

  await ana.choose("Options for Dora", "Remove and ban");
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "Remove and ban" }).click();
  await promptly(() => dora.sees("You cannot come back to this meeting.", 0));
  await dora.page.reload();
  await dora.press("Join");
  await dora.sees("You cannot come back to this meeting.");

  await ana.press("Leave");
  await ana.press("End for all");
  for (const viewer of [ana, bo, cai]) await promptly(() => viewer.sees("The meeting has ended", 0));
  assert.deepEqual(here.server.panics(), []);
});

// acceptance: M4
scene("an attendee's page offers no control of a host, and what it could send is refused with a code", async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false, may_share: false, may_unmute: false });
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);

  await bo.press(/^People/u);
  assert.equal(await bo.button("Mute all").count(), 0);
  assert.equal(await bo.button("Rules").count(), 0);
  assert.deepEqual(await bo.items("Options for Ana"), ["Pin for me", "Write a message"]);
  const more = await bo.items("More");
  assert.ok(more.includes("Settings") && !more.includes("Moderation log") && !more.includes("Rules of this meeting"), String(more));

  const client = await Client.byLink(meeting, "Cai");
  const { you, policy, participants } = await client.event("welcome");
  const participant = participants.find(({ name }) => name === "Ana").id;
  const source = "microphone";
  const refusals = {
    "not-permitted": [
      { do: "admit", participant },
      { do: "admit-all" },
      { do: "deny", participant },
      { do: "mute", participant, source },
      { do: "mute-all", mayUnmute: false },
      { do: "ask-to-unmute", participant, source },
      { do: "lower-hand", participant },
      { do: "rename", participant, name: "Nobody" },
      { do: "set-role", participant: you, role: "host" },
      { do: "remove", participant, ban: true },
      { do: "send-to-waiting-room", participant },
      { do: "set-spotlight", participant: you, on: true },
      { do: "set-policy", policy: { ...policy, mayShare: true } },
      { do: "suspend-all" },
      { do: "read-log" },
      { do: "end" },
    ],
    "forbidden-by-policy": [
      { do: "set-source", source: "microphone", on: true },
      { do: "set-source", source: "screen", on: true },
      { do: "set-source", source: "screen-audio", on: true },
    ],
  };
  for (const [code, commands] of Object.entries(refusals)) {
    for (const command of commands) assert.equal((await client.command(command)).code, code, JSON.stringify(command));
  }
  client.close();
  await eventually(async () => assert.match((await bo.tile("Ana")).label, /^Ana, Host$/u));
});
