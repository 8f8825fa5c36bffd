/** A screen beside a camera. */
import assert from "node:assert/strict";
import { enterAsHost, inside, knock, scene, serverOfThisFile } from "./support/meet.js";
import { eventually, launchChromium } from "./support/people.js";

const here = serverOfThisFile();

// acceptance: M6
scene("a screen with its sound arrives beside the camera, and goes when the host ends it", { timeout: 90_000 }, async (cast) => {
  const meeting = await here.server.meeting({ waiting_room: false });
  const ana = await cast.chromium("Ana", 1);
  // Chromium's own picture of a tab, and its own sound: the picker is answered by the flag.
  const browser = await launchChromium({ args: ["--use-fake-device-for-media-stream=display-media-type=browser"] });
  cast.closers.unshift(() => browser.close());
  const bo = await cast.seat(browser, "Bo", 2);
  await enterAsHost(ana, meeting);
  await knock(bo, meeting.join_url);
  await inside(bo);
  await eventually(async () => assert.equal((await ana.tile("Bo"))?.picture?.code, 2));
  const before = await ana.received();

  await bo.press("Share screen");
  await ana.sees("Bo is sharing their screen.");
  await eventually(async () => {
    const screen = (await ana.tiles()).find(({ label }) => label === "Screen of Bo");
    assert.ok(screen?.video && screen.height > 0, JSON.stringify(screen));
    assert.equal((await ana.tile("Bo"))?.picture?.code, 2, "the camera is beside it");
  });
  assert.ok((await ana.received()).video > before.video);
  const shared = await bo.page.evaluate(() =>
    window.symposiaTest.connections.flatMap((connection) => connection.getSenders().map(({ track }) => track?.kind)).filter((kind) => kind === "audio"),
  );
  // The microphone, and the sound of the tab.
  assert.equal(shared.length, 2);

  await ana.press(/^People/u);
  await ana.choose("Options for Bo", "Stop screen sharing");
  await bo.sees("Ana stopped your screen sharing.");
  await eventually(async () => assert.equal((await ana.tiles()).find(({ label }) => label === "Screen of Bo"), undefined));
  await bo.button("Share screen").waitFor();
  assert.deepEqual(here.server.panics(), []);
});
