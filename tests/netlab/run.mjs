// Runs the scenarios of the network lab and judges them: node tests/netlab/run.mjs, with ONLY=N2,N3, SECONDS=30,
// SEED=7 and BROWSER=firefox (of the participant behind the link) from the environment. Ends with 1 where a bound is missed.

import { loadavg } from "node:os";
import { hindrance, Lab } from "./lib/lab.mjs";

const { ONLY = "", SECONDS = "", SEED = "1", BROWSER = "chromium" } = process.env;
const ALL = ["N1", "N2", "N3", "N4", "N5", "N6", "N7"];

const why = hindrance();
if (why) {
  console.error(`The network lab can't run here: ${why}.`);
  process.exit(2);
}
const wanted = ONLY ? ONLY.split(/[ ,]+/u).filter(Boolean) : ALL;
const unknown = wanted.filter((id) => !ALL.includes(id));
if (unknown.length > 0) {
  console.error(`There are ${ALL.join(", ")}, not ${unknown.join(", ")}.`);
  process.exit(2);
}

let missed = 0;
const table = [];
const lab = await Lab.start({ seed: Number(SEED) });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
try {
  for (const id of wanted) {
    const { run, title } = await import(`./scenarios/${id.toLowerCase()}.mjs`);
    console.log(`\n## ${id}: ${title}\n`);
    const rows = [];
    const options = { rows, say: console.log, firefox: BROWSER === "firefox", ...(SECONDS ? { seconds: Number(SECONDS) } : {}) };
    await run(lab, options).catch((error) => {
      console.error(error);
      rows.push({ what: "the scenario ran to its end", value: String(error.message).split("\n")[0], bound: "it does", ok: false });
    });
    for (const { what, value, bound, ok } of rows) {
      table.push(`| ${id} | ${what} | ${value} | ${bound} | ${ok ? "met" : "**missed**"} |`);
      if (!ok) missed += 1;
    }
  }
} finally {
  await lab.stop();
}
console.log(`\nseed ${SEED}, ${BROWSER}, load average ${loadavg()[0].toFixed(1)}\n`);
console.log(["| | what | found | bound | |", "|---|---|---|---|---|", ...table].join("\n"));
console.log(missed > 0 ? `\n${missed} missed` : "\nall met");
process.exitCode = missed > 0 ? 1 : 0;
