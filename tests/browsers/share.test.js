/** A screen beside a camera, with the picture and the sound of a real tab. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, serverOfThisFile } from "./support/meet.js";
import { eventually, launchChromium } from "./support/people.js";
import { PITCHES } from "./support/signals.js";

const here = serverOfThisFile();
const TITLE = "Concert";
const TAB = { code: 9, pitch: PITCHES[4] };

/** Runs in the tab that is shared: paints a code and plays a pitch, as the devices of people do. */
async function play({ title }) {
  document.title = title;
  document.body.style.margin = "0";
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const video = document.createElement("video");
  Object.assign(video, { srcObject: new MediaStream(stream.getVideoTracks()), muted: true });
  video.style.cssText = "position:fixed;inset:0;width:100vw;height:100vh;object-fit:fill";
  document.body.append(video);
  await video.play();
  const context = new AudioContext();
  context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(context.destination);
  window.keeps = [stream, context];
}

async function hears(listener, heard, silent) {
  await eventually(async () => {
    const pitches = await listener.pitches();
    const near = (pitch) => pitches.some((other) => Math.abs(other - pitch) < 20);
    assert.ok(heard.every(near) && !silent.some(near), `${listener.name} hears ${pitches}, not ${silent} but ${heard}`);
  });
}

const screenOn = async (viewer, name) => (await viewer.tiles()).find(({ label }) => label === `Screen of ${name}`);

/** The tab's own picture is on another's page. */
function arrives(viewer, sharer) {
  return eventually(async () => {
    const screen = await screenOn(viewer, sharer.name);
    if (screen?.picture?.code === TAB.code) return;
    assert.fail(`${viewer.name} sees ${JSON.stringify(screen)}\n${sharer.name}: ${await sharer.flows()}\n${viewer.name}: ${await viewer.flows()}`);
  });
}

/** The picture changes; it may be unreadable for a moment, while another size of it comes. */
async function moves(viewer, sharer) {
  const count = async () => (await screenOn(viewer, sharer.name))?.picture?.count ?? assert.fail(`${viewer.name} can't read the screen`);
  const before = await eventually(count);
  await eventually(async () => assert.notEqual(await count(), before, `it moves for ${viewer.name}`));
}

/** Bo, in a browser that has a concert in another tab, which it picks when he shares. */
async function sharer(cast) {
  const browser = await launchChromium({ shares: TITLE });
  cast.closers.unshift(() => browser.close());
  const bo = await cast.seat(browser, "Bo", 2);
  const concert = await cast.seat(browser, TITLE, TAB.code, { pitch: TAB.pitch });
  await concert.go(`${here.server.origin}/nothing`);
  await concert.page.evaluate(play, { title: TITLE });
  return bo;
}

// acceptance: M6
scene("a tab arrives with its picture and its sound beside the camera, and goes when the host ends or forbids it", { timeout: 120_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const ana = await cast.chromium("Ana", 1);
  const bo = await sharer(cast);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await eventually(async () => assert.equal((await ana.tile("Bo"))?.picture?.code, 2));
  await hears(ana, [bo.pitch], [TAB.pitch]);

  await bo.press("Share screen");
  await ana.sees("Bo is sharing their screen.");
  await arrives(ana, bo);
  await eventually(async () => assert.equal((await ana.tile("Bo"))?.picture?.code, 2, "the camera is beside it"));
  await hears(ana, [bo.pitch, TAB.pitch], []);
  await moves(ana, bo);

  await ana.press(/^People/u);
  await ana.choose("Options for Bo", "Stop screen sharing");
  await bo.sees("Ana stopped your screen sharing.");
  await eventually(async () => assert.equal(await screenOn(ana, "Bo"), undefined));
  await hears(ana, [bo.pitch], [TAB.pitch]);

  await bo.press("Share screen");
  await arrives(ana, bo);
  await ana.press("Rules");
  await ana.page.getByRole("switch", { name: "Share their screen" }).locator("xpath=ancestor::label").click();
  await ana.press("Close");
  await eventually(async () => assert.equal(await screenOn(ana, "Bo"), undefined));
  await hears(ana, [bo.pitch], [TAB.pitch]);
  await bo.button("Share screen. The host does not allow that at the moment.").waitFor();
  assert.deepEqual(here.server.panics(), []);
});

scene("a share is text, then motion, while it goes on, and both arrive in Chromium and in Firefox", { timeout: 420_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const ana = await cast.chromium("Ana", 1);
  const fay = await cast.firefox("Fay", 3);
  const bo = await sharer(cast);
  await enterAsHost(ana, meeting);
  for (const guest of [bo, fay]) {
    await knock(guest, meeting.join_url);
    await inside(guest);
  }
  await bo.press("Share screen");
  const encodings = () =>
    bo.page.evaluate(async () => {
      const sent = [];
      for (const pc of window.symposiaTest.connections) {
        for (const sender of pc.getSenders()) {
          if (sender.track?.contentHint === "text" || sender.track?.contentHint === "motion") sent.push([sender.track.contentHint, sender.getParameters().encodings.map(({ maxFramerate }) => maxFramerate)]);
        }
      }
      return sent;
    });
  for (const [mode, hint, frames] of [[null, "text", [15, 5]], ["Video and motion: smooth", "motion", [30, 30]], ["Text and slides: every letter sharp", "text", [15, 5]]]) {
    if (mode) {
      await bo.press("Choose what is shared");
      await bo.page.getByRole("menuitemradio", { name: mode }).press("Enter");
      await bo.page.keyboard.press("Escape");
    }
    await eventually(async () => assert.deepEqual(await encodings(), [[hint, frames]]));
    for (const viewer of [ana, fay]) {
      await arrives(viewer, bo);
      await moves(viewer, bo);
    }
  }
  assert.deepEqual(here.server.panics(), []);
});
