// The people of a server, invitations, and one's own sign-ins, by REST.

import { call, json } from "./rest";

export const ROLES = ["administrator", "host", "member"] as const;
export type AccountRole = (typeof ROLES)[number];

export interface Account {
  id: number;
  name: string;
  role: AccountRole;
  /** Shut out. */
  disabled: boolean;
  created_at: number;
  /** When it was last used, where it is signed in. */
  seen_at: number | null;
  you: boolean;
}

export interface AccountChange {
  name?: string;
  role?: AccountRole;
  disabled?: boolean;
}

export interface Invitation {
  id: number;
  role: AccountRole;
  name: string;
  created_at: number;
  expires_at: number;
}

/** A one-time link; the server shows it this once. */
export interface MadeLink {
  id: number;
  url: string;
  expires_at: number;
}

export async function accounts(): Promise<Account[]> {
  return (await json<{ accounts: Account[] }>("GET", "/accounts")).accounts;
}

export async function changeAccount(id: number, change: AccountChange): Promise<void> {
  await call("PATCH", `/accounts/${id}`, change);
}

export async function deleteAccount(id: number): Promise<void> {
  await call("DELETE", `/accounts/${id}`);
}

/** A link by which the account's owner chooses a new password. */
export function resetPassword(id: number): Promise<MadeLink> {
  return json("POST", `/accounts/${id}/reset`, {});
}

export async function invitations(): Promise<Invitation[]> {
  return (await json<{ invitations: Invitation[] }>("GET", "/invitations")).invitations;
}

export function invite(role: AccountRole, name: string): Promise<MadeLink> {
  return json("POST", "/invitations", { role, name });
}

export async function deleteInvitation(id: number): Promise<void> {
  await call("DELETE", `/invitations/${id}`);
}

export interface OpenedInvitation {
  /** A new password for an account that exists; else an account is made. */
  reset: boolean;
  role: AccountRole;
  name: string;
}

/** What a link is for; does not use it up. */
export function openInvitation(token: string): Promise<OpenedInvitation> {
  return json("POST", "/invitations/open", { token });
}

/** Uses a link up, and signs in. */
export async function acceptInvitation(token: string, name: string, password: string): Promise<void> {
  await call("POST", "/invitations/accept", { token, name, password });
}

export interface SignIn {
  id: number;
  /** Such as `Firefox, Linux`; may be empty. */
  device: string;
  created_at: number;
  seen_at: number;
  /** It is this browser. */
  current: boolean;
}

export async function signIns(): Promise<SignIn[]> {
  return (await json<{ sign_ins: SignIn[] }>("GET", "/me/sign-ins")).sign_ins;
}

export async function endSignIn(id: number): Promise<void> {
  await call("DELETE", `/me/sign-ins/${id}`);
}

export async function changePassword(old: string, wanted: string): Promise<void> {
  await call("POST", "/me/password", { old, new: wanted });
}
