import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { person, welcome } from "../client/fake-socket";
import type { Policy, Role } from "../client/protocol";
import { ROLES } from "../client/protocol";
import { actionsOn, hostRights, permits, permitsOn, sourceHindrance, TABLE } from "./permissions";

const event = welcome();
if (event.kind !== "welcome") throw new Error("a welcome");
const policy: Policy = event.policy;

describe("the permission table", () => {
  it("is the server's", () => {
    const rust = readFileSync(new URL("../../../signaling/src/permission.rs", import.meta.url), "utf8");
    const rows = [...rust.matchAll(/Action::(\w+)\s*=> row\(([YN]),\s*([YN]),\s*([YN]),\s*([YN]),\s*Role::(\w+)\)/g)];
    const word: Record<string, Role> = { Host: "host", CoHost: "co-host", Attendee: "attendee", Listener: "listener" };
    const theirs: unknown = Object.fromEntries(
      rows.map(([, action, a, b, c, d, reach]) => [action, [...[a, b, c, d].map((may) => may === "Y"), word[reach ?? ""]]]),
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(TABLE).toEqual(theirs);
  });

  it("gives a higher role all that a lower one has", () => {
    for (const action of Object.keys(TABLE) as (keyof typeof TABLE)[]) {
      const may = ROLES.map((role) => permits(role, action));
      expect([...may].sort()).toEqual(may);
    }
  });

  it("lets a co-host take nothing from a host", () => {
    expect(permitsOn("co-host", "Mute", "host")).toBe(false);
    expect(permitsOn("co-host", "Remove", "co-host")).toBe(false);
    expect(permitsOn("host", "Remove", "host")).toBe(true);
  });
});

describe("what is offered", () => {
  it("to an attendee is to pin, to write, and to change the own name", () => {
    const on = (you: boolean, rules = policy) => actionsOn("attendee", rules, person(3, { microphone: true }), you, false, false);
    expect(on(false)).toEqual(["pin", "chat"]);
    expect(on(true)).toEqual(["pin", "rename"]);
    expect(on(true, { ...policy, mayRename: false })).toEqual(["pin"]);
    expect(on(false, { ...policy, mayChat: false })).toEqual(["pin"]);
  });

  it("to a host is everything that makes sense now", () => {
    const ana = person(3, { microphone: true, handRaisedAt: 5, spotlight: true });
    expect(actionsOn("host", policy, ana, false, true, false)).toEqual([
      "mute", "ask-to-start-camera", "lower-hand", "unspotlight", "unpin", "chat", "rename",
      "make-co-host", "make-host", "make-listener", "send-to-waiting-room", "remove", "ban",
    ]);
  });

  it("to a co-host does not name hosts", () => {
    const actions = actionsOn("co-host", policy, person(3), false, false, false);
    expect(actions).not.toContain("make-co-host");
    expect(actions).toContain("make-listener");
    expect(actionsOn("co-host", policy, person(3, { role: "host" }), false, false, false)).not.toContain("remove");
  });

  it("to the last host is not to step down", () => {
    const self = person(1, { role: "host" });
    expect(actionsOn("host", policy, self, true, false, true)).not.toContain("make-co-host");
    expect(actionsOn("host", policy, self, true, false, false)).toContain("make-co-host");
  });

  it("for the meeting depends on the role", () => {
    expect(hostRights("co-host")).toMatchObject({ admit: true, end: false });
    expect(hostRights("host").end).toBe(true);
    expect(Object.values(hostRights("attendee"))).not.toContain(true);
    expect(Object.values(hostRights(null))).not.toContain(true);
  });
});

describe("one's own sources", () => {
  it("are hindered by the role or by a rule, which does not bind hosts", () => {
    const strict = { ...policy, mayShare: false, mayUnmute: false };
    expect(sourceHindrance("listener", policy, "camera")).toBe("not-permitted");
    expect(sourceHindrance("attendee", strict, "screen")).toBe("forbidden-by-policy");
    expect(sourceHindrance("attendee", strict, "microphone")).toBe("forbidden-by-policy");
    expect(sourceHindrance("attendee", strict, "camera")).toBeNull();
    expect(sourceHindrance("co-host", strict, "screen")).toBeNull();
  });
});
