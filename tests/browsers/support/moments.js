/**
 * How long after a click something is on other people's pages: both moments are taken in the pages themselves, by the
 * machine's clock, so that no test runner's looking is in between. Knows no meeting.
 */
import assert from "node:assert/strict";
import { cpus } from "node:os";

/** What a host does is seen by all within a second (acceptance M4). */
const PROMPT_MS = 1_000;
/** On a machine without a free core the server and the browsers' other processes, which no page can watch, wait as well. */
const PROMPT_WITHOUT_CORE_MS = 3_000;
/** A test gives up so long after the click; then it says what it saw instead. */
const PATIENCE_MS = 10_000;
/** Below this share of idle time no core was free. */
const NO_CORE_FREE = 0.1;

/** Runs in a page before its own scripts: notes presses, when wanted things appear, and when the page was held up. */
export function installMoments() {
  const BEAT_MS = 25;
  /** A timer that comes so late was held up. */
  const LATE_MS = 100;
  const now = () => performance.timeOrigin + performance.now();
  const moments = { pressed: 0, wanted: [], stalls: [] };
  let expected = now() + BEAT_MS;
  setInterval(() => {
    const late = now() - expected;
    if (late > LATE_MS) moments.stalls = [...moments.stalls.slice(-50), [expected, now()]];
    expected = now() + BEAT_MS;
  }, BEAT_MS);
  addEventListener("pointerup", (event) => (moments.pressed = performance.timeOrigin + event.timeStamp), true);

  const named = (selector, name) =>
    [...document.querySelectorAll(selector)].find((element) => {
      const label = element.getAttribute("aria-label") ?? element.innerText?.trim() ?? "";
      return label === name || label.startsWith(`${name},`) || label.startsWith(`${name} (`);
    });
  const kinds = {
    label: ([name, pattern]) => {
      const tile = named('[role="group"]', name);
      return tile !== undefined && new RegExp(pattern, "u").test(tile.getAttribute("aria-label"));
    },
    tile: ([name]) => named('[role="group"]', name) !== undefined,
    noTile: ([name]) => named('[role="group"]', name) === undefined,
    text: ([text]) => document.body.innerText.includes(text),
    noText: ([text]) => !document.body.innerText.includes(text),
    button: ([name]) => named("button", name)?.checkVisibility() === true,
  };
  const look = () => {
    for (const one of moments.wanted) if (one.at === null && kinds[one.kind](one.values)) one.at = now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });

  window.symposiaMoments = {
    pressed: () => ({ pressed: moments.pressed, stalls: moments.stalls }),
    /** From now on; true where it is there already. */
    want: (wanted) => {
      moments.wanted = wanted.map(([kind, ...values]) => ({ kind, values, at: null }));
      return moments.wanted.map(({ kind, values }) => kinds[kind](values));
    },
    seen: () => ({ at: moments.wanted.map(({ at }) => at), stalls: moments.stalls }),
  };
}

function idleShare(before) {
  const sum = (times) => times.reduce(([idle, all], { times: of }) => [idle + of.idle, all + Object.values(of).reduce((a, b) => a + b)], [0, 0]);
  const [idle, all] = sum(cpus());
  const [idleBefore, allBefore] = sum(before);
  return all > allBefore ? (idle - idleBefore) / (all - allBefore) : 1;
}

/** From now on: gives what says whether a core was free meanwhile. */
export function freeCores() {
  const before = cpus();
  return () => idleShare(before) >= NO_CORE_FREE;
}

/** How long pages stood still between two moments, counted once where both did. */
function stalled(stalls, from, to) {
  let [sum, reached] = [0, from];
  for (const [start, end] of stalls.toSorted(([a], [b]) => a - b)) {
    const [begin, finish] = [Math.max(start, reached), Math.min(end, to)];
    if (finish <= begin) continue;
    sum += finish - begin;
    reached = finish;
  }
  return sum;
}

/** What a page has seen of what it waits for: all, or what it had after all patience. */
async function allSeen(viewer) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await viewer.page.evaluate(() => window.symposiaMoments.seen());
    if (seen.at.every((at) => at !== null) || Date.now() > deadline) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Presses, and requires that what follows is on everybody's page within a second. `act` ends with the press that
 * counts; `effects` are `[viewer, kind, ...values]`, none of which may be there before. On a machine without a free
 * core, time in which a page got no turn is taken off, and what is left may be longer.
 */
export async function promptly(context, by, act, effects) {
  const viewers = [...new Set(effects.map(([viewer]) => viewer))];
  const wantedBy = (viewer) => effects.filter(([who]) => who === viewer).map(([, ...wanted]) => wanted);
  for (const viewer of viewers) {
    const already = await viewer.page.evaluate((wanted) => window.symposiaMoments.want(wanted), wantedBy(viewer));
    already.forEach((there, index) => assert.ok(!there, `${JSON.stringify(wantedBy(viewer)[index])} is on the page of ${viewer.name} before`));
  }
  const before = cpus();
  await act();
  const clicked = await by.page.evaluate(() => window.symposiaMoments.pressed());
  const times = [];
  for (const viewer of viewers) {
    const { at, stalls } = await allSeen(viewer);
    wantedBy(viewer).forEach((wanted, index) => {
      const what = `${wanted.join(" ")} on the page of ${viewer.name}`;
      assert.ok(at[index] !== null, `${what}: not ${PATIENCE_MS} ms after the click of ${by.name}`);
      times.push({ what, took: at[index] - clicked.pressed, held: stalled([...clicked.stalls, ...stalls], clicked.pressed, at[index]) });
    });
  }
  const idle = idleShare(before);
  const slowest = times.reduce((a, b) => (b.took > a.took ? b : a));
  const allowance = (one) => (idle < NO_CORE_FREE ? one.held : 0);
  context.diagnostic(`${Math.round(slowest.took)} ms: ${slowest.what}${allowance(slowest) > 0 ? ` (no core free, pages stood still for ${Math.round(slowest.held)} ms)` : ""}`);
  const limit = idle < NO_CORE_FREE ? PROMPT_WITHOUT_CORE_MS : PROMPT_MS;
  for (const one of times) {
    assert.ok(one.took >= 0 && one.took - allowance(one) <= limit, `${one.what} came ${Math.round(one.took)} ms after the click; stood still: ${Math.round(one.held)} ms, idle: ${idle.toFixed(2)}`);
  }
}
