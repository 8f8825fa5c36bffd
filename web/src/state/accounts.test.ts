import { describe, expect, it } from "vitest";
import type { Account, Invitation } from "../client/accounts";
import { RestError } from "../client/rest";
import { createPeople, type PeopleParts } from "./accounts";

const account = (id: number, name: string): Account => ({ id, name, role: "host", disabled: false, created_at: 1, seen_at: null, you: id === 1 });

/** A server that keeps what it is told. */
function server(): PeopleParts & { list: Account[]; open: Invitation[]; refuses: RestError | null } {
  const kept = {
    list: [account(1, "Ada"), account(2, "Mia")],
    open: [] as Invitation[],
    refuses: null as RestError | null,
    accounts: () => (kept.refuses ? Promise.reject(kept.refuses) : Promise.resolve([...kept.list])),
    invitations: () => Promise.resolve([...kept.open]),
    invite: (role: Account["role"], name: string) => {
      kept.open = [{ id: 7, role, name, created_at: 1, expires_at: 2 }];
      return Promise.resolve({ id: 7, url: "https://x/invitation#secret", expires_at: 2 });
    },
    takeBack: () => {
      kept.open = [];
      return Promise.resolve();
    },
    change: (id: number, change: object) => {
      if (id === 1) return Promise.reject(new RestError("last-administrator", 409, null, ""));
      kept.list = kept.list.map((one) => (one.id === id ? { ...one, ...change } : one));
      return Promise.resolve();
    },
    remove: (id: number) => {
      kept.list = kept.list.filter((one) => one.id !== id);
      return Promise.resolve();
    },
    reset: () => Promise.resolve({ id: 8, url: "https://x/invitation#other", expires_at: 2 }),
  };
  return kept;
}

const settled = () => new Promise((done) => setTimeout(done, 0));

describe("people", () => {
  it("shows what the server says after each change, and a link once", async () => {
    const parts = server();
    const { view, actions, start } = createPeople(parts);
    start();
    await settled();
    expect(view.get()).toMatchObject({ loading: false, refused: null, link: null });
    expect(view.get().accounts.map(({ name }) => name)).toEqual(["Ada", "Mia"]);

    actions.invite("member", "Bo");
    await settled();
    expect(view.get().invitations.map(({ name }) => name)).toEqual(["Bo"]);
    expect(view.get().link).toMatchObject({ for: "Bo", reset: false, url: "https://x/invitation#secret" });
    actions.dismissLink();
    expect(view.get().link).toBeNull();
    actions.takeBack(7);
    await settled();
    expect(view.get().invitations).toEqual([]);

    actions.change(2, { disabled: true });
    await settled();
    expect(view.get().accounts[1]).toMatchObject({ name: "Mia", disabled: true });
    actions.reset(2);
    await settled();
    expect(view.get().link).toMatchObject({ for: "Mia", reset: true });
    actions.remove(2);
    await settled();
    expect(view.get().accounts.map(({ name }) => name)).toEqual(["Ada"]);
  });

  it("says why something was refused, until the next thing is done", async () => {
    const { view, actions, start } = createPeople(server());
    start();
    await settled();
    actions.change(1, { role: "member" });
    await settled();
    expect(view.get().refused?.code).toBe("last-administrator");
    expect(view.get().accounts[0]?.role).toBe("host");
    actions.change(2, { role: "member" });
    await settled();
    expect(view.get().refused).toBeNull();
  });

  it("says so where the list cannot be had", async () => {
    const parts = server();
    parts.refuses = new RestError("sign-in-needed", 401, null, "");
    const { view, start } = createPeople(parts);
    start();
    await settled();
    expect(view.get()).toMatchObject({ loading: false, refused: { code: "sign-in-needed" } });
  });
});
