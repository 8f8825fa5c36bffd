/** What makes a page hard to use, found on the page as it stands: each check gives a list of complaints. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** WCAG 2.5.8 for a mouse, 2.5.5 for a finger. */
export const MOUSE_PX = 24;
export const FINGER_PX = 44;

/** Colours and places on their way from one to the other are nobody's. */
function settled(person) {
  return person.page.evaluate(() =>
    Promise.allSettled(document.getAnimations().map((animation) => (animation.effect?.getTiming().iterations === Infinity ? null : animation.finished))),
  );
}

/** What axe finds serious or critical. */
export async function faults(person, where) {
  await settled(person);
  await person.page.evaluate(AXE);
  // react-aria's announcer points for seven seconds at a button that may be gone.
  const found = await person.page.evaluate(() => window.axe.run({ exclude: ["[data-live-announcer]"] }, { resultTypes: ["violations"] }));
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? node.html}`).join(" | ")}`);
}

/** Buttons, fields and links that are too small to hit. Links within a sentence are as high as it is. */
export async function smallTargets(person, where, least) {
  const found = await person.page.evaluate((least) => {
    const targets = "button, input, select, textarea, a[href], [role=menuitem], [role=menuitemradio], [role=option], [role=switch], [role=tab]";
    return [...document.querySelectorAll(targets)].flatMap((element) => {
      if (!element.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true }) || element.closest("[aria-hidden=true], [inert], .skip-link")) return [];
      // The box of a hidden input is its label; a field is hit in its frame.
      const hit = element.matches("input") ? (element.closest("label") ?? element) : element;
      if (hit.matches("a") && getComputedStyle(hit).display === "inline") return [];
      const { width, height } = hit.getBoundingClientRect();
      // react-aria's own way out of a dialog for screen readers: nobody sees it to point at.
      for (let above = hit; above; above = above.parentElement) if (above.offsetWidth <= 1 && above.offsetHeight <= 1) return [];
      // Half a pixel is rounding.
      return Math.min(width, height) >= least - 0.5 ? [] : [`${element.getAttribute("aria-label") ?? element.innerText ?? ""} ${hit.className}: ${Math.round(width)} x ${Math.round(height)}`];
    });
  }, least);
  return found.map((complaint) => `${where}: less than ${least} px: ${complaint}`);
}

/** Words and controls that are cut off, or outside of what can be scrolled to; and a page that scrolls sideways. */
export async function lost(person, where) {
  await settled(person);
  const found = await person.page.evaluate(() => {
    const SLACK = 1.5;
    const complaints = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) complaints.push(`${scrollWidth - clientWidth} px wider than the screen`);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.trim();
      const parent = node.parentElement;
      if (!text || parent.closest("[aria-hidden=true], .visually-hidden, .skip-link, [data-live-announcer], script, style") || !parent.checkVisibility({ checkVisibilityCSS: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width === 0 || box.height === 0) continue;
      let fixed = false;
      let reachable = false;
      for (let above = parent; above && above !== document.documentElement && !reachable; above = above.parentElement) {
        const style = getComputedStyle(above);
        const edge = above.getBoundingClientRect();
        if (edge.width <= 1 && edge.height <= 1) reachable = true;
        fixed ||= style.position === "fixed";
        if (style.overflowY === "auto" || style.overflowY === "scroll") reachable = true;
        else if (style.overflowX !== "visible" && style.textOverflow !== "ellipsis") {
          const cut = Math.max(edge.left - box.left, box.right - edge.right, edge.top - box.top, box.bottom - edge.bottom);
          // What is cut by a scroller that scrolls sideways can be reached.
          if (cut > SLACK && style.overflowX === "hidden") complaints.push(`"${text.slice(0, 40)}" is cut by ${Math.round(cut)} px in ${above.className}`);
        } else if (style.textOverflow === "ellipsis") reachable = true;
      }
      if (reachable) continue;
      if (box.left < -SLACK || box.right > innerWidth + SLACK) complaints.push(`"${text.slice(0, 40)}" is beside the screen`);
      if (fixed && (box.top < -SLACK || box.bottom > innerHeight + SLACK)) complaints.push(`"${text.slice(0, 40)}" is below the screen`);
    }
    // A meeting fills the screen and does not scroll: its controls must be on it.
    for (const control of document.querySelectorAll('[role="toolbar"] button')) {
      if (!control.checkVisibility()) continue;
      const box = control.getBoundingClientRect();
      if (box.left < -SLACK || box.right > innerWidth + SLACK || box.bottom > innerHeight + SLACK) complaints.push(`the control ${control.getAttribute("aria-label")} is off the screen`);
    }
    return complaints;
  });
  return found.map((complaint) => `${where}: ${complaint}`);
}

/** Words over a picture that cannot be read where the picture is white, or black. */
export async function paleOverVideo(person, where) {
  const found = await person.page.evaluate(() => {
    const LEAST = 4.5;
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    // Any notation of a colour, as four numbers.
    const colour = (text) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      return { rgb: [red, green, blue], alpha: alpha / 255 };
    };
    const over = (top, base) => top.rgb.map((value, index) => value * top.alpha + base[index] * (1 - top.alpha));
    const light = (rgb) => {
      const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const complaints = [];
    for (const video of document.querySelectorAll("video")) {
      const frame = video.parentElement;
      for (const element of frame.querySelectorAll("*")) {
        const said = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!said || !element.checkVisibility() || element.closest(".visually-hidden")) continue;
        for (const picture of [[255, 255, 255], [0, 0, 0]]) {
          const layers = [];
          for (let node = element; node !== frame; node = node.parentElement) layers.unshift(colour(getComputedStyle(node).backgroundColor));
          const ground = layers.reduce((base, layer) => over(layer, base), picture);
          const [low, high] = [light(over(colour(getComputedStyle(element).color), ground)), light(ground)].sort((a, b) => a - b);
          const contrast = (high + 0.05) / (low + 0.05);
          if (contrast < LEAST) complaints.push(`"${element.textContent}" over ${picture}: contrast ${contrast.toFixed(1)}`);
        }
      }
    }
    return complaints;
  });
  return found.map((complaint) => `${where}: ${complaint}`);
}

/** Where the system's colours are forced, a surface is no frame: buttons and fields without a border are not seen. */
export async function unframed(person, where) {
  const found = await person.page.evaluate(() => {
    if (!matchMedia("(forced-colors: active)").matches) return ["colours are not forced"];
    return [...document.querySelectorAll("button, input, textarea")].flatMap((element) => {
      if (!element.checkVisibility() || element.closest("[aria-hidden=true], [inert], .skip-link")) return [];
      for (let above = element; above; above = above.parentElement) if (above.offsetWidth <= 1 && above.offsetHeight <= 1) return [];
      const frames = [element, element.parentElement, element.nextElementSibling, element.closest("label")];
      const framed = frames.some((frame) => frame && parseFloat(getComputedStyle(frame).borderTopWidth) >= 1);
      return framed ? [] : [element.getAttribute("aria-label") ?? element.outerHTML.slice(0, 120)];
    });
  });
  return found.map((complaint) => `${where}: no frame around ${complaint}`);
}

/** The size of text that somebody chose in the browser's settings; 16 is what it comes with. */
export async function textSize(person, standard) {
  const session = await person.page.context().newCDPSession(person.page);
  await session.send("Page.setFontSizes", { fontSizes: { standard, fixed: standard } });
}
