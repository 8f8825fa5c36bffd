/** What most tests begin with: a server, a test with people in it, a meeting that they are in. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Cast, eventually } from "./people.js";
import { Server } from "./server.js";

/** The server of a file of tests; it is there while the tests run. */
export function serverOfThisFile(options) {
  const holder = {};
  before(async () => {
    holder.server = await Server.start(options);
  });
  after(async () => {
    await holder.server?.stop();
  });
  return holder;
}

/** A test with browsers: they are closed at its end, and photographed where it fails. */
export function scene(name, ...rest) {
  const [{ timeout = 60_000 }, play] = rest.length === 1 ? [{}, rest[0]] : rest;
  test(name, { timeout }, async (context) => {
    const cast = new Cast();
    try {
      await play(cast, context);
    } catch (error) {
      const folder = await cast.pictures(name);
      error.message += `\n(pictures of the pages: ${folder})`;
      throw error;
    } finally {
      await cast.close();
    }
    for (const person of cast.people) assert.deepEqual(person.errors, [], `errors on the page of ${person.name}`);
  });
}

/** The host comes by the host link. */
export async function enterAsHost(person, meeting) {
  await person.go(meeting.host_url);
  await person.write("Your name", person.name);
  await person.press("Start as host");
  await inside(person);
}

export async function knock(person, address) {
  await person.go(address);
  await person.write("Your name", person.name);
  await person.press("Join");
}

export function waits(person) {
  return person.sees("You are in the waiting room");
}

export async function admit(host, person) {
  await host.press(`Admit ${person.name}`);
  await inside(person);
}

export async function inside(person) {
  await eventually(async () => {
    const there = await person.page.evaluate(() => document.querySelector('[role="toolbar"]') !== null);
    assert.ok(there, `${person.name} is in the meeting`);
  });
}

/** Each other's picture and sound, as a check that media flows at all. */
export async function seesEachOther(people) {
  for (const viewer of people) {
    for (const shown of people) {
      if (shown === viewer) continue;
      await eventually(async () => {
        const tile = await viewer.tile(shown.name);
        assert.equal(tile?.picture?.code, shown.code, `${viewer.name} sees ${shown.name}: ${JSON.stringify(tile)}`);
      });
    }
  }
}
