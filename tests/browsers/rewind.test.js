/** Who watches a live stream goes back in all that the server keeps, sees what was, and comes back. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { pushRtmp } from "../encoders/lib/rtmp.mjs";
import { faults, lost, MOUSE_PX, smallTargets } from "./support/checks.js";
import { scene, serverOfThisFile } from "./support/meet.js";
import { freeCores } from "./support/moments.js";
import { eventually } from "./support/people.js";

const folder = mkdtempSync(path.join(tmpdir(), "symposia-rewind-"));
const settings = path.join(folder, "s.toml");
writeFileSync(settings, '[ingest]\nrtmp = "0"\n');
after(() => rmSync(folder, { recursive: true, force: true }));
const here = serverOfThisFile({ args: ["--dev", "--config", settings] });
/** What is sent is red for so long, then blue. */
const RED_S = 15;
/** From the seek to a picture (acceptance L9). */
const SEEK_MS = 1_000;

/** What colour is shown. */
function colour(person) {
  return person.page.evaluate(() => {
    const [canvas, video] = [document.createElement("canvas"), document.querySelector("video")];
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return "nothing";
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 8, 8);
    const [red, , blue] = context.getImageData(4, 4, 1, 1).data;
    return red > 150 && blue < 100 ? "red" : blue > 150 && red < 100 ? "blue" : `${red} and ${blue}`;
  });
}

const shows = (person, wanted, within) => eventually(async () => assert.equal(await colour(person), wanted), within);

// acceptance: L9
scene("who watches goes back to the beginning, and to live again", { timeout: 150_000 }, async (cast) => {
  const made = await here.server.rest("POST", "/broadcasts", { title: "Two colours" });
  const picture = `color=c=red:s=320x180:r=25,drawbox=color=blue:t=fill:enable='gte(t,${RED_S})'`;
  const push = pushRtmp({ url: made.rtmp_url, coding: ["h264", "aac"], picture });
  try {
    const ana = await cast.chromium("Ana", 1);
    const asked = [];
    ana.page.on("request", (request) => asked.push(request.url().split("?")[0]));
    await ana.go(made.watch_url);
    await shows(ana, "blue", 60_000);
    const slider = ana.page.getByRole("slider", { name: "Position" });
    const edge = async (name) => Number(await slider.getAttribute(name));
    await eventually(async () => assert.ok((await edge("max")) - (await edge("min")) > RED_S + 6), 30_000);
    await slider.fill(String((await edge("max")) - 5));
    await ana.sees("Rewound");
    await shows(ana, "blue");

    const found = [...(await faults(ana, "before")), ...(await smallTargets(ana, "before", MOUSE_PX)), ...(await lost(ana, "before"))];
    await ana.press("Go back further");
    await ana.seesNot("Connecting");
    await ana.page.getByRole("button", { name: "Go back further" }).waitFor({ state: "detached" });
    await eventually(async () => assert.ok((await edge("max")) - (await edge("min")) > RED_S + 6), 30_000);
    await eventually(async () => assert.ok(asked.some((url) => url.endsWith("/rewind-video.m3u8")), "all that there is is played"));
    await shows(ana, "blue");
    const [from, isFree] = [Date.now(), freeCores()];
    await slider.fill(String(await edge("min")));
    await shows(ana, "red");
    const took = Date.now() - from;
    console.log(`  the beginning was there after ${took} ms`);
    if (isFree()) assert.ok(took <= SEEK_MS, `the beginning was there after ${took} ms`);
    await ana.sees("Rewound");
    const at = () => ana.page.evaluate(() => document.querySelector("video").currentTime);
    const before = await at();
    await eventually(async () => assert.ok((await at()) > before + 1));
    assert.equal(await colour(ana), "red");
    found.push(...(await faults(ana, "back")), ...(await smallTargets(ana, "back", MOUSE_PX)), ...(await lost(ana, "back")));

    await ana.page.getByRole("button", { name: /^Back to live/u }).click();
    await shows(ana, "blue", 20_000);
    await ana.seesNot("Rewound", 20_000);
    assert.deepEqual(found, []);
  } finally {
    await push.stop();
  }
  assert.deepEqual(here.server.panics(), []);
});
