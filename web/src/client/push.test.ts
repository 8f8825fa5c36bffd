import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import type { Trouble } from "./push";

/** All codes: the compiler misses none of the type, and refuses others. */
const CODES: Record<Trouble["code"], true> = {
  "b-frames": true, "key-frame-interval": true, "unsupported-codec": true, "more-tracks": true, "no-audio": true, "no-video": true, bitrate: true, "clock-drift": true, "time-jumps": true,
};

// acceptance: L4
it("knows each trouble that the server tells", () => {
  const source = readFileSync(resolve(import.meta.dirname, "../../../src/ingest/trouble.rs"), "utf8");
  const body = /pub enum Trouble \{\n(.*?)\n\}/su.exec(source)?.[1] ?? "";
  const variants = [...body.matchAll(/^ {4}([A-Z]\w+)/gmu)].map(([, name = ""]) => name.replace(/(?<=\w)[A-Z]/gu, "-$&").toLowerCase());
  expect(variants.length).toBeGreaterThan(5);
  expect(variants.sort()).toEqual(Object.keys(CODES).sort());
});
