// Takes the pictures in this folder from the gallery of the built web app, and checks each page with axe.
// `cd web && npm run build && node ../docs/screens/take.mjs [words to filter by]`; needs chromium and ImageMagick.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";

const here = import.meta.dirname;
const dist = resolve(here, "../../web/dist");
const need = createRequire(resolve(here, "../../web/package.json"));
const { chromium } = need("playwright-core");
const axe = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");
const out = process.env.OUT ?? here;
const only = process.argv.slice(2);

// name, query, and which sizes, languages and themes are kept: [size, language, theme]
const BOTH = [["desktop", "en", "light"], ["desktop", "zh-CN", "dark"], ["phone", "en", "dark"], ["phone", "zh-CN", "light"]];
const FEW = [["desktop", "en", "light"], ["phone", "zh-CN", "dark"]];
const PAGES = [
  ["home", "page=home", BOTH],
  ["home-options", "page=home", FEW, async (page) => page.getByRole("button", { name: /^(Options|选项)$/u }).click()],
  ["prejoin", "page=prejoin", BOTH],
  ["prejoin-passcode", "page=prejoin&by=number&passcode&camera=off&refused=wrong-number-or-passcode", FEW],
  ["prejoin-denied", "page=prejoin&by=link&error=denied", FEW],
  ["waiting", "page=waiting", BOTH],
  ["meeting-alone", "page=meeting&people=1", FEW],
  ["meeting", "page=meeting&people=6", BOTH],
  ["meeting-two", "page=meeting&people=2", FEW],
  ["meeting-pages", "page=meeting&people=14&muted", FEW],
  ["meeting-people", "page=meeting&people=7&waiting=2&panel=people", BOTH],
  ["meeting-chat", "page=meeting&people=5&panel=chat", BOTH],
  ["meeting-share", "page=meeting&people=4&panel=share", FEW],
  ["meeting-screen", "page=meeting&people=5&screen", BOTH],
  ["meeting-speaker", "page=meeting&people=6&layout=speaker", FEW],
  ["meeting-notices", "page=meeting&people=4&notices=knocks,ask,blocked&muted", FEW],
  ["meeting-settings", "page=meeting&people=4&panel=settings", FEW],
  ["meeting-log", "page=meeting&people=4&panel=log", FEW],
  ["meeting-rules", "page=meeting&people=4&panel=people", FEW, async (page) => page.getByRole("button", { name: /^(Rules|会议规则)$/ }).click()],
  ["meeting-leave", "page=meeting&people=4", FEW, async (page) => page.getByRole("button", { name: /^(Leave|离开会议)$/ }).click()],
  ["meeting-more", "page=meeting&people=4", FEW, async (page) => page.getByRole("button", { name: /^(More|更多)$/ }).click()],
  ["meeting-keys", "page=meeting&people=4", FEW, async (page) => page.keyboard.press("?")],
  ["meeting-signal", "page=meeting&people=8", FEW, async (page) => page.getByRole("button", { name: /Jonas Weber: unsteady|欧阳明月 的网络/ }).click()],
  ["meeting-connection", "page=meeting&people=8", [...BOTH, ["narrow", "en", "light"]], async (page) => {
    await page.keyboard.press("i");
    await page.waitForTimeout(9_000);
  }],
  ["reconnecting", "page=reconnecting&people=4", FEW],
  ["meeting-landscape", "page=meeting&people=5", [["landscape", "en", "dark"]]],
  ["prejoin-landscape", "page=prejoin", [["landscape", "en", "light"]]],
  ["meeting-narrow", "page=meeting&people=4", [["narrow", "en", "light"]]],
  ["people-narrow", "page=meeting&people=4&waiting=2&panel=people", [["narrow", "en", "light"]]],
  ["out-left", "page=out", FEW],
  ["out-removed", "page=out&why=removed", FEW],
  ["test", "page=test", [...BOTH, ["narrow", "en", "light"]]],
  ["test-running", "page=test&state=running", FEW],
  ["test-blocked", "page=test&state=blocked", FEW],
  ["watch", "page=watch&steady", BOTH],
  ["watch-waiting", "page=watch&phase=waiting", FEW],
  ["watch-moved", "page=watch&steady&moved&blocked", FEW],
  ["studio", "page=studio&both", BOTH],
  ["studio-ready", "page=studio&phase=preview", FEW],
  ["studio-taken", "page=studio&phase=taken&troubles", FEW],
  ["studio-key", "page=studio&phase=key", FEW],
  ["broadcasts", "page=broadcasts", BOTH],
  ["broadcasts-empty", "page=broadcasts&empty", FEW],
  ["encoder", "page=encoder", BOTH],
  ["encoder-troubles", "page=encoder&troubles", BOTH],
  ["encoder-waiting", "page=encoder&waiting", FEW],
  ["meeting-recorded", "page=meeting&people=5&recording=on&notices=consent", [...BOTH, ["narrow", "en", "light"], ["landscape", "en", "dark"]]],
  ["meeting-recording-trouble", "page=meeting&people=5&recording=trouble", FEW],
  ["meeting-record", "page=meeting&people=4&recording=on", FEW, async (page) => page.keyboard.press("r")],
  ["waiting-recorded", "page=waiting&recorded", FEW],
  ["out-recorded", "page=out&recorded", FEW],
  ["recordings", "page=recordings", [...BOTH, ["narrow", "en", "light"]]],
  ["recordings-empty", "page=recordings&state=empty", FEW],
  ["recordings-share", "page=recordings", FEW, async (page) => {
    await page.getByRole("button", { name: /^(Options for|.*的选项)/u }).nth(2).click();
    await page.getByRole("menuitem", { name: /^(Share|分享)$/u }).click();
  }],
  ["replay", "page=replay", [...BOTH, ["narrow", "en", "light"], ["landscape", "en", "dark"]]],
  ["replay-screen", "page=replay&screen", BOTH],
  ["replay-speaker", "page=replay&layout=speaker&paused", FEW],
  ["replay-chat", "page=replay&screen", FEW, async (page) => page.getByRole("tab", { name: /^(Chat|聊天)$/u }).click()],
  ["replay-transcript", "page=replay", FEW, async (page) => page.getByRole("tab", { name: /^(Transcript|文字记录)$/u }).click()],
  ["replay-lacking", "page=replay&lacking", FEW],
  ["replay-download", "page=replay", FEW, async (page) => page.getByRole("button", { name: /^(Download|下载)$/u }).click()],
  ["replay-no-ffmpeg", "page=replay&no-ffmpeg", [["desktop", "en", "light"]], async (page) => page.getByRole("button", { name: /^(Download|下载)$/u }).click()],
  ["replay-failed", "page=replay&failed", FEW],
  ["setup", "page=setup", FEW],
  ["sign-in", "page=sign-in", FEW],
  ["not-found", "page=not-found", FEW],
  ["gallery", "page=parts", [["desktop", "en", "light"], ["phone", "en", "light"]]],
];
const SIZES = { desktop: [1280, 800, 1], phone: [390, 844, 2], landscape: [844, 390, 1], narrow: [320, 568, 2] };

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-look'; img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob: mediastream:; connect-src 'self'; manifest-src 'self'";
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://x").pathname;
  const file = join(dist, path);
  const known = extname(path) !== "" && existsSync(file);
  response.setHeader("content-type", known ? (TYPES[extname(path)] ?? "application/octet-stream") : "text/html");
  response.setHeader("content-security-policy", CSP);
  const body = readFileSync(known ? file : join(dist, "index.html"));
  response.end(known ? body : body.toString().replaceAll("__CSP_NONCE__", "look"));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
let bad = 0;
for (const [name, query, kept, act] of PAGES) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const [size, language, theme] of kept) {
    const [width, height, scale] = SIZES[size];
    const touch = size !== "desktop";
    const context = await browser.newContext({
      viewport: { width, height }, deviceScaleFactor: scale, locale: language, hasTouch: touch, isMobile: touch, colorScheme: theme, bypassCSP: false,
    });
    const page = await context.newPage();
    const where = `${name}-${size}-${language}-${theme}`;
    page.on("console", (message) => {
      if (message.type() === "error") {
        bad += 1;
        console.log(`${where}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => {
      bad += 1;
      console.log(`${where}: ${error.message}`);
    });
    await page.goto(`${origin}/gallery?${query}&lang=${language}&theme=${theme}`);
    await page.waitForTimeout(900);
    if (act) {
      await act(page);
      await page.waitForTimeout(400);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) {
      bad += 1;
      console.log(`${where}: ${wide} px wider than the page`);
    }
    // Evaluated by the debugger, not added to the page: the page's policy refuses foreign scripts.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const found of violations) {
      const grave = found.impact === "serious" || found.impact === "critical";
      if (grave) bad += 1;
      console.log(`${where}: ${grave ? "" : "(minor) "}${found.id}: ${found.help}\n   ${found.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} — ${node.any[0]?.message ?? node.all[0]?.message ?? ""}`).join("\n   ")}`);
    }
    const target = join(out, `${where}.png`);
    await page.screenshot({ path: `${target}.raw.png` });
    execFileSync("convert", [`${target}.raw.png`, ...(scale > 1 ? ["-resize", "50%"] : []), "+dither", "-colors", "128", "-define", "png:compression-level=9", `PNG8:${target}`]);
    rmSync(`${target}.raw.png`);
    await context.close();
  }
}
await browser.close();
server.close();
console.log(bad === 0 ? "nothing wrong" : `${bad} things wrong`);
process.exitCode = bad === 0 ? 0 : 1;
