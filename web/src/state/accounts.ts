// The people of a server as data, for its administrators: invited, changed, shut out, given a new password, deleted.

import {
  type Account, type AccountChange, type AccountRole, accounts, changeAccount, deleteAccount, deleteInvitation, type Invitation,
  invitations, invite, type MadeLink, resetPassword,
} from "../client/accounts";
import { RestError } from "../client/rest";
import { Store } from "./store";
import type { Readable, Refusal } from "./types";

export interface PeopleView {
  loading: boolean;
  accounts: readonly Account[];
  invitations: readonly Invitation[];
  /** A link that was just made, and whom it is for; the server shows it this once. */
  link: { for: string; reset: boolean; url: string; expiresAt: number } | null;
  refused: Refusal | null;
}

export interface PeopleActions {
  invite: (role: AccountRole, name: string) => void;
  takeBack: (invitation: number) => void;
  change: (account: number, change: AccountChange) => void;
  remove: (account: number) => void;
  reset: (account: number) => void;
  /** The link was taken note of. */
  dismissLink: () => void;
}

export interface PeopleModel {
  view: Readable<PeopleView>;
  actions: PeopleActions;
  start: () => void;
}

export interface PeopleParts {
  accounts: typeof accounts;
  invitations: typeof invitations;
  invite: typeof invite;
  takeBack: typeof deleteInvitation;
  change: typeof changeAccount;
  remove: typeof deleteAccount;
  reset: typeof resetPassword;
}

const BROWSER_PARTS: PeopleParts = {
  accounts, invitations, invite, takeBack: deleteInvitation, change: changeAccount, remove: deleteAccount, reset: resetPassword,
};

export function createPeople(parts: PeopleParts = BROWSER_PARTS): PeopleModel {
  const view = new Store<PeopleView>({ loading: true, accounts: [], invitations: [], link: null, refused: null });

  const read = async () => {
    const [found, open] = await Promise.all([parts.accounts(), parts.invitations()]);
    view.update((now) => ({ ...now, loading: false, accounts: found, invitations: open }));
  };
  /** What was done shows in what the server says then. */
  const attempt = async (what: () => Promise<unknown>) => {
    let refused: Refusal | null = null;
    try {
      await what();
    } catch (error) {
      refused = refusalOf(error);
    }
    try {
      await read();
    } catch (error) {
      refused ??= refusalOf(error);
    }
    view.update((now) => ({ ...now, loading: false, refused }));
  };
  const linked = (made: MadeLink, who: string, reset: boolean) =>
    view.update((now) => ({ ...now, link: { for: who, reset, url: made.url, expiresAt: made.expires_at } }));

  return {
    view,
    start: () => void attempt(() => Promise.resolve()),
    actions: {
      invite: (role, name) => void attempt(async () => linked(await parts.invite(role, name), name, false)),
      takeBack: (id) => void attempt(() => parts.takeBack(id)),
      change: (id, change) => void attempt(() => parts.change(id, change)),
      remove: (id) => void attempt(() => parts.remove(id)),
      reset: (id) => {
        const name = view.get().accounts.find((one) => one.id === id)?.name ?? "";
        void attempt(async () => linked(await parts.reset(id), name, true));
      },
      dismissLink: () => view.update((now) => ({ ...now, link: null })),
    },
  };
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof RestError)) throw error;
  return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
}
