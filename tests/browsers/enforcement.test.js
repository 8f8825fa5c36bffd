/** Pages that do not obey: what the server lets through of what they go on sending, and to whom nothing is sent. */
import assert from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import { admit, enterAsHost, inside, knock, scene, serverOfThisFile, waits } from "./support/meet.js";
import { eventually, sleep } from "./support/people.js";

const here = serverOfThisFile();
/** The media plane is told within a second; so long is watched after it. */
const TOLD_MS = 1_000;
const WATCHED_MS = 2_500;

/** Runs in a page before its scripts: whatever the page is told, its tracks stay, play and are sent. */
function disobey() {
  const sent = [];
  const { replaceTrack } = RTCRtpSender.prototype;
  RTCRtpSender.prototype.replaceTrack = function keep(track) {
    return track === null ? Promise.resolve() : replaceTrack.call(this, track);
  };
  RTCPeerConnection.prototype.close = function stay() {
    sent.push("a closing that did not happen");
  };
  const { getUserMedia } = navigator.mediaDevices;
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await getUserMedia.call(navigator.mediaDevices, wanted);
    for (const track of stream.getTracks()) track.stop = () => undefined;
    return stream;
  };
}

/** RTP packets that a page has sent. */
async function sentBy(person) {
  return person.page.evaluate(async () => {
    const sum = { audio: 0, video: 0 };
    for (const connection of window.symposiaTest.connections) {
      for (const report of (await connection.getStats()).values()) if (report.type === "outbound-rtp") sum[report.kind] += report.packetsSent;
    }
    return sum;
  });
}

/** What comes to a listener while the sender goes on sending: nothing of a kind. */
async function nothingComes(kind, sender, listener) {
  await sleep(TOLD_MS);
  const [sent, received] = [await sentBy(sender), await listener.received()];
  await sleep(WATCHED_MS);
  const [sentAfter, receivedAfter] = [await sentBy(sender), await listener.received()];
  assert.ok(sentAfter[kind] - sent[kind] > 10, `${sender.name} goes on sending ${kind}: ${sent[kind]}, ${sentAfter[kind]}`);
  assert.equal(receivedAfter[kind] - received[kind], 0, `${kind} packets to ${listener.name}`);
}

async function comes(kind, listener) {
  const { [kind]: before } = await listener.received();
  await eventually(async () => assert.ok((await listener.received())[kind] > before + 10, `${kind} packets come to ${listener.name}`));
}

/** Comes with microphone and camera off. */
async function silently(person, address) {
  await person.page.addInitScript(() => {
    localStorage.setItem("symposia.microphone.on", "false");
    localStorage.setItem("symposia.camera.on", "false");
  });
  await knock(person, address);
}

// acceptance: M4
// acceptance: M5
scene("who ignores a mute, a forbidden camera and his removal gets no packet through", { timeout: 120_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3)]);
  await bo.page.addInitScript(disobey);
  await enterAsHost(ana, meeting);
  for (const kind of ["Mute", "Turn camera off"]) await ana.press(kind);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await silently(cai, meeting.join_url);
  await inside(cai);
  await Promise.all([comes("audio", cai), comes("video", cai)]);
  await ana.press(/^People/u);

  await ana.choose("Options for Bo", "Mute");
  await nothingComes("audio", bo, cai);
  await ana.choose("Options for Bo", "Turn camera off");
  await nothingComes("video", bo, cai);

  await ana.choose("Options for Bo", "Ask to unmute");
  await bo.button("Not now").locator("..").getByRole("button", { name: "Unmute" }).click();
  await comes("audio", cai);
  await ana.choose("Options for Bo", "Remove");
  await ana.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await bo.sees("You were removed from the meeting");
  await ana.press("Turn camera on");
  await comes("video", cai);
  await nothingComes("audio", bo, cai);
  const heard = await bo.received();
  await sleep(WATCHED_MS);
  assert.deepEqual(await bo.received(), heard, "the removed gets nothing");
  assert.deepEqual(here.server.panics(), []);
});

// acceptance: M3
scene("who waits gets no roster, no chat and no media", async (cast) => {
  const meeting = await here.server.meeting();
  const [ana, bo, cai] = await Promise.all([cast.chromium("Ana", 1), cast.chromium("Bo", 2), cast.chromium("Cai", 3)]);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await waits(bo);
  await admit(ana, bo);

  const frames = [];
  // Long ones come packed.
  const textOf = (payload) => (typeof payload === "string" ? payload : inflateRawSync(payload).toString());
  cai.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(JSON.parse(textOf(payload)))));
  await knock(cai, meeting.join_url);
  await waits(cai);
  await ana.press("Chat");
  await ana.page.getByRole("textbox", { name: "Message" }).fill("for those inside only");
  await ana.press("Send");
  await bo.press(/^Chat/u);
  await bo.sees("for those inside only");
  await bo.press("Raise hand");
  await sleep(1_500);

  const kinds = new Set(frames.map((frame) => (frame.type === "event" ? frame.event.kind : frame.type)));
  for (const kind of kinds) assert.ok(["waiting", "pong", "refused"].includes(kind), `a ${kind} came to the waiting room`);
  // The offer that leaves with the hello is for those who are let in at once.
  const refusals = frames.filter((frame) => frame.type === "refused").map(({ code }) => code);
  assert.deepEqual(refusals, refusals.map(() => "not-admitted"));
  assert.ok(kinds.has("waiting"));
  const said = JSON.stringify(frames);
  for (const secret of ["Ana", "Bo", "for those inside only"]) assert.ok(!said.includes(secret), `${secret} in ${said}`);
  assert.equal((await cai.received()).packets, 0);
  assert.deepEqual((await cai.tiles()).map(({ label }) => label).filter((label) => /Ana|Bo/u.test(label)), []);

  await admit(ana, cai);
  await comes("video", cai);
  assert.ok(!(await cai.text()).includes("for those inside only"), "what was said before is not told afterwards");
});
