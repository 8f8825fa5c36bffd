/** Every control of a host, pressed on a real page: what the others see of it, and who is refused. */
import assert from "node:assert/strict";
import { Client } from "./support/client.js";
import { admit, enterAsHost, inside, knock, scene, serverOfThisFile, waits } from "./support/meet.js";
import { promptly } from "./support/moments.js";
import { eventually } from "./support/people.js";

const here = serverOfThisFile();

/** A host and two guests, all in. */
async function three(cast, wanted = { waiting_room: false }) {
  const meeting = await here.server.meeting(wanted);
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3)]);
  await enterAsHost(ana, meeting);
  await Promise.all([bo, cai].map((guest) => knock(guest, meeting.join_url)));
  await Promise.all([inside(bo), inside(cai)]);
  await Promise.all([bo, cai].map((guest) => labelled(ana, guest.name, /^(?!.*(muted|camera off))/u)));
  await ana.press(/^People/u);
  return { meeting, ana, bo, cai };
}

/** What a viewer's tile of somebody says to a screen reader. */
function labelled(viewer, name, pattern) {
  return eventually(async () => {
    const tile = await viewer.tile(name);
    assert.ok(tile, `${viewer.name} has a tile of ${name}`);
    assert.match(tile.label, pattern, `the tile of ${name} on the page of ${viewer.name}`);
  });
}

/** What all of them see on the tile of one. */
const onTile = (viewers, name, pattern) => viewers.map((viewer) => [viewer, "label", name, pattern]);
const onPage = (viewers, kind, text) => viewers.map((viewer) => [viewer, kind, text]);

/** The switch itself is under its words. */
function toggle(host, name) {
  return host.page.getByRole("switch", { name: new RegExp(`^${name}`, "u") }).locator("xpath=ancestor::label").click();
}

/** Changes one rule, with what that makes of everybody's page. */
async function rule(t, host, name, effects) {
  await host.press("Rules");
  await promptly(t, host, () => toggle(host, name), effects);
  await host.press("Close");
}

const confirmed = (host, action) => host.page.getByRole("alertdialog").getByRole("button", { name: action, exact: true }).click();

// acceptance: M4
scene("a host mutes, asks, stops cameras, lowers hands in their order, and all see it within a second", { timeout: 120_000 }, async (cast, t) => {
  const { ana, bo, cai } = await three(cast);
  const all = [ana, bo, cai];

  await promptly(t, ana, () => ana.choose("Options for Bo", "Mute"), [[bo, "text", "Ana muted you."], ...onTile(all, "Bo", "muted")]);
  await promptly(t, ana, () => ana.choose("Options for Bo", "Ask to unmute"), [[bo, "text", "Ana asks you to unmute."]]);
  const yes = bo.button("Not now").locator("..").getByRole("button", { name: "Unmute" });
  await promptly(t, bo, () => yes.click(), onTile(all, "Bo", "^(?!.*muted)"));

  await promptly(t, ana, () => ana.choose("Options for Bo", "Turn camera off"), [
    [bo, "text", "Ana turned your camera off."],
    ...onTile(all, "Bo", "camera off"),
  ]);
  await promptly(t, ana, () => ana.choose("Options for Bo", "Ask to turn camera on"), [[bo, "text", "Ana asks you to turn your camera on."]]);
  await bo.press("Turn on");
  await Promise.all(all.map((viewer) => labelled(viewer, "Bo", /^(?!.*camera off)/u)));

  await ana.press("Mute all");
  await toggle(ana, "People may unmute themselves");
  const forbidden = "Unmute. The host does not allow that at the moment.";
  await promptly(t, ana, () => confirmed(ana, "Mute all"), [
    ...["Bo", "Cai"].flatMap((name) => onTile(all, name, "muted")),
    ...onPage([bo, cai], "button", forbidden),
  ]);
  assert.doesNotMatch((await bo.tile("Ana")).label, /muted/u);
  await rule(t, ana, "Unmute themselves", onPage([bo, cai], "text", "You may unmute yourself."));
  await promptly(t, cai, () => cai.press("Unmute"), onTile(all, "Cai", "^(?!.*muted)"));
  await rule(t, ana, "Unmute themselves", [[bo, "button", forbidden]]);
  await labelled(ana, "Cai", /^(?!.*muted)/u);

  // The queue is in the order of the hands, and moves up.
  await promptly(t, cai, () => cai.press("Raise hand"), [...onTile(all, "Cai", "hand raised"), [cai, "button", "Lower hand (number 1 in the queue)"]]);
  await promptly(t, bo, () => bo.press("Raise hand"), [...onTile(all, "Bo", "hand raised"), [bo, "button", "Lower hand (number 2 in the queue)"]]);
  const queue = () => ana.page.getByRole("button", { name: /^Lower the hand of/u }).evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label")));
  assert.deepEqual(await queue(), ["Lower the hand of Cai", "Lower the hand of Bo"]);
  await promptly(t, ana, () => ana.press("Lower the hand of Cai"), [
    ...onTile(all, "Cai", "^(?!.*hand raised)"),
    [bo, "button", "Lower hand (number 1 in the queue)"],
  ]);
  assert.deepEqual(await queue(), ["Lower the hand of Bo"]);
});

// acceptance: M4
scene("a host names, renames, shows large, and gives and takes roles", { timeout: 120_000 }, async (cast, t) => {
  const { ana, bo, cai } = await three(cast);
  const all = [ana, bo, cai];

  await promptly(t, ana, () => ana.choose("Options for Bo", "Spotlight for everyone"), [
    [bo, "text", "Everyone now sees you large."],
    ...onTile(all, "Bo", "in the spotlight"),
  ]);
  await promptly(t, ana, () => ana.choose("Options for Bo", "End spotlight"), onTile(all, "Bo", "^(?!.*spotlight)"));

  await ana.choose("Options for Cai", "Rename");
  await ana.page.getByRole("dialog").getByLabel("Name").fill("Kai");
  await promptly(t, ana, () => ana.press("Save"), onTile(all, "Kai", "^Kai"));

  await promptly(t, ana, () => ana.choose("Options for Bo", "Make co-host"), [
    [bo, "text", "You are now a co-host."],
    ...onTile([ana, cai], "Bo", "Co-host"),
  ]);
  // A co-host has the host's controls but for the end of the meeting and the naming of hosts.
  await bo.press(/^People/u);
  await promptly(t, bo, () => bo.choose("Options for Kai", "Mute"), onTile(all, "Kai", "muted"));
  assert.ok(!(await bo.items("Options for Kai")).includes("Make co-host"));
  await bo.press("Leave");
  assert.equal(await bo.button("End for all").count(), 0);
  await bo.press("Cancel");

  await promptly(t, ana, () => ana.choose("Options for Bo", "Make attendee"), [
    [bo, "text", "You are now an attendee."],
    [bo, "noText", "Mute all"],
    ...onTile([ana, cai], "Bo", "^(?!.*Co-host)"),
  ]);
  await promptly(t, ana, () => ana.choose("Options for Bo", "Make listener"), [
    [bo, "text", "You are now a listener."],
    [bo, "button", "Unmute. As a listener you watch and listen. Raise your hand to speak."],
    ...onTile([ana, cai], "Bo", "muted.*camera off"),
  ]);
});

// acceptance: M4
// acceptance: M6
scene("a host sets the rules, and everybody's page says what is not allowed and why", { timeout: 120_000 }, async (cast, t) => {
  const { ana, bo, cai } = await three(cast);
  const all = [ana, bo, cai];

  await rule(t, ana, "Share their screen", onPage([bo, cai], "button", "Share screen. The host does not allow that at the moment."));
  await rule(t, ana, "Turn on their camera", ["Bo", "Cai"].flatMap((name) => onTile(all, name, "camera off")));
  await labelled(cai, "Ana", /^(?!.*camera off)/u);

  await rule(t, ana, "Change their name", onPage([bo, cai], "text", "Names can no longer be changed."));
  await bo.press(/^Chat/u);
  await rule(t, ana, "Write to everyone", onPage([bo, cai], "text", "The chat is closed."));
  await rule(t, ana, "Write to everyone", onPage([bo, cai], "text", "The chat is open."));

  await rule(t, ana, "Lock meeting", onPage(all, "text", "Locked"));
  await rule(t, ana, "Lock meeting", onPage(all, "noText", "Locked"));

  await ana.press("Rules");
  await ana.page.getByRole("dialog").getByRole("button", { name: "Stop all activity" }).click();
  await promptly(t, ana, () => confirmed(ana, "Stop all activity"), [
    ...onPage(all, "text", "Locked"),
    ...["Ana", "Bo", "Cai"].flatMap((name) => onTile(all, name, "muted.*camera off")),
  ]);

  await ana.choose("More", "Moderation log");
  await ana.sees("Ana stopped all activity");
  await ana.sees("Ana changed the rules: cameras forbidden");
});

// acceptance: M4
// acceptance: M5
scene("a host turns away, admits, sends back, removes, bans, and ends", { timeout: 120_000 }, async (cast, t) => {
  const { meeting, ana, bo, cai } = await three(cast);
  const inMeeting = [ana, bo, cai];
  await rule(t, ana, "Waiting room", onPage([bo, cai], "text", "The waiting room is on."));

  const dora = await cast.chromium("Dora", 4);
  await knock(dora, meeting.join_url);
  await waits(dora);
  await promptly(t, ana, () => ana.press("Turn away Dora"), [[dora, "text", "You were not let in"], [ana, "noText", "Dora would like to come in."]]);
  await dora.press("Join again");
  await dora.press("Join");
  await waits(dora);
  await promptly(t, ana, () => ana.press("Admit Dora"), [[dora, "tile", "Ana"], ...inMeeting.map((viewer) => [viewer, "tile", "Dora"])]);

  await promptly(t, ana, () => ana.choose("Options for Dora", "Send to the waiting room"), [
    [dora, "text", "You are in the waiting room"],
    ...inMeeting.map((viewer) => [viewer, "noTile", "Dora"]),
  ]);
  await admit(ana, dora);

  await ana.choose("Options for Dora", "Remove");
  await promptly(t, ana, () => confirmed(ana, "Remove"), [
    [dora, "text", "You were removed from the meeting"],
    ...inMeeting.map((viewer) => [viewer, "noTile", "Dora"]),
  ]);
  // The removed may knock again; nobody comes past the lock.
  await dora.press("Join again");
  await rule(t, ana, "Lock meeting", onPage(inMeeting, "text", "Locked"));
  await dora.press("Join");
  await dora.sees("The host has locked this meeting.");
  await rule(t, ana, "Lock meeting", onPage(inMeeting, "noText", "Locked"));
  await dora.press("Join");
  await waits(dora);
  await admit(ana, dora);

  await ana.choose("Options for Dora", "Remove and ban");
  await promptly(t, ana, () => confirmed(ana, "Remove and ban"), [
    [dora, "text", "You cannot come back to this meeting."],
    ...inMeeting.map((viewer) => [viewer, "noTile", "Dora"]),
  ]);
  await dora.page.reload();
  await dora.press("Join");
  await dora.sees("You cannot come back to this meeting.");

  // Without the waiting room one comes straight in, and muted where the host says so.
  await rule(t, ana, "Waiting room", onPage([bo, cai], "text", "The waiting room is off."));
  await rule(t, ana, "Mute people when they come in", onPage([bo, cai], "text", "People are muted when they come in."));
  const eva = await cast.chromium("Eva", 5);
  await knock(eva, meeting.join_url);
  await inside(eva);
  await labelled(ana, "Eva", /muted/u);

  await ana.press("Leave");
  await promptly(t, ana, () => ana.press("End for all"), onPage([...inMeeting, eva], "text", "The meeting has ended"));
  assert.deepEqual(here.server.panics(), []);
});

// acceptance: M4
scene("an attendee's page offers no control of a host, and what it could send is refused with a code", async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false, may_share: false, may_unmute: false, may_chat: false, may_rename: false });
  const [ana, bo] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);

  await bo.press(/^People/u);
  assert.equal(await bo.button("Mute all").count(), 0);
  assert.equal(await bo.button("Rules").count(), 0);
  assert.deepEqual(await bo.items("Options for Ana"), ["Connection details", "Pin for me", "Write a message"]);
  const more = await bo.items("More");
  assert.ok(more.includes("Settings") && !more.includes("Moderation log") && !more.includes("Rules of this meeting"), String(more));

  const client = await Client.byLink(meeting, "Cai");
  const { you, policy, participants } = await client.event("welcome");
  const idOf = (name) => participants.find((person) => person.name === name).id;
  const participant = idOf("Ana");
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
      { do: "remove", participant, ban: false },
      { do: "remove", participant, ban: true },
      { do: "send-to-waiting-room", participant },
      { do: "set-spotlight", participant: you, on: true },
      { do: "set-policy", policy: { ...policy, mayShare: true } },
      { do: "set-policy", policy: { ...policy, locked: true } },
      { do: "set-policy", policy: { ...policy, waitingRoom: true } },
      { do: "suspend-all" },
      { do: "read-log" },
      { do: "end" },
    ],
    "forbidden-by-policy": [
      { do: "set-source", source: "microphone", on: true },
      { do: "set-source", source: "screen", on: true },
      { do: "set-source", source: "screen-audio", on: true },
      { do: "send-chat", to: { kind: "everyone" }, text: "all the same" },
      { do: "rename", participant: you, name: "Kai" },
    ],
  };
  const refused = async (command, ask) => {
    for (const [code, commands] of Object.entries(refusals)) {
      for (const one of commands) assert.equal((await ask(one)).code, code, `${command}: ${JSON.stringify(one)}`);
    }
  };
  await refused("somebody without a page", (one) => client.command(one));
  client.close();
  // The same from a real page, over its own socket. Of oneself it is Bo now.
  const own = idOf("Bo");
  await refused("a page", (one) => bo.command(one.participant === you ? { ...one, participant: own } : one));
  await eventually(async () => assert.match((await bo.tile("Ana")).label, /^Ana, Host$/u));
  assert.match((await ana.tile("Bo")).label, /^Bo, muted$/u);
  assert.ok(!(await ana.text()).includes("all the same"));
});
