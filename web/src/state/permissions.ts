// The permission table of `signaling/src/permission.rs` once more, so that buttons which would be
// refused are not offered. The server decides; a test holds both tables together.

import type { Participant, Policy, Role, Source } from "../client/protocol";
import { ROLES } from "../client/protocol";
import type { Hindrance, HostRights, PersonAction } from "./types";

/** May a listener, an attendee, a co-host, a host; and the highest role a co-host may do it to. */
type Row = readonly [listener: boolean, attendee: boolean, coHost: boolean, host: boolean, reach: Role];

export const TABLE = {
  Publish: [false, true, true, true, "host"],
  RaiseHand: [true, true, true, true, "host"],
  Chat: [true, true, true, true, "host"],
  RenameSelf: [true, true, true, true, "host"],
  Admit: [false, false, true, true, "host"],
  Mute: [false, false, true, true, "co-host"],
  AskToUnmute: [false, false, true, true, "host"],
  LowerHand: [false, false, true, true, "host"],
  RenameOthers: [false, false, true, true, "co-host"],
  SetSpeaker: [false, false, true, true, "attendee"],
  NameHosts: [false, false, false, true, "host"],
  Remove: [false, false, true, true, "attendee"],
  SendToWaitingRoom: [false, false, true, true, "attendee"],
  Spotlight: [false, false, true, true, "host"],
  SetPolicy: [false, false, true, true, "host"],
  SuspendAll: [false, false, true, true, "host"],
  Record: [false, false, true, true, "host"],
  ReadLog: [false, false, true, true, "host"],
  End: [false, false, false, true, "host"],
} as const satisfies Record<string, Row>;

export type Action = keyof typeof TABLE;

const rank = (role: Role) => ROLES.indexOf(role);

/** Whether a role permits an action at all. */
export function permits(role: Role, action: Action): boolean {
  return TABLE[action][rank(role) as 0 | 1 | 2 | 3];
}

/** Whether a role permits an action on somebody else of the role `on`. */
export function permitsOn(role: Role, action: Action, on: Role): boolean {
  return permits(role, action) && (role === "host" || rank(on) <= rank(TABLE[action][4]));
}

/** Hosts and co-hosts are exempt from the rules of the meeting. */
export function exempt(role: Role): boolean {
  return role === "host" || role === "co-host";
}

const RULE = { microphone: "mayUnmute", camera: "mayShowCamera", screen: "mayShare", "screen-audio": "mayShare" } as const;

/** Why somebody may not turn a source of his own on. */
export function sourceHindrance(role: Role, policy: Policy, source: Source): Hindrance | null {
  if (!permits(role, "Publish")) return "not-permitted";
  return exempt(role) || policy[RULE[source]] ? null : "forbidden-by-policy";
}

/** Whether one may write to everyone and to each other; to hosts one always may. */
export function mayChatWithAll(role: Role, policy: Policy): boolean {
  return permits(role, "Chat") && (exempt(role) || policy.mayChat);
}

export function mayRename(role: Role, policy: Policy, you: boolean, on: Role): boolean {
  if (you) return permits(role, "RenameSelf") && (exempt(role) || policy.mayRename);
  return permitsOn(role, "RenameOthers", on);
}

export function hostRights(role: Role | null): HostRights {
  const may = (action: Action) => role !== null && permits(role, action);
  return {
    admit: may("Admit"),
    muteAll: may("Mute"),
    setPolicy: may("SetPolicy"),
    suspendAll: may("SuspendAll"),
    readLog: may("ReadLog"),
    end: may("End"),
    record: may("Record"),
  };
}

/** What one may do to a person now, in the order of the menu. `pinned`: on one's own page. */
export function actionsOn(
  role: Role,
  policy: Policy,
  person: Participant,
  you: boolean,
  pinned: boolean,
  lastHost: boolean,
): PersonAction[] {
  const may = (action: Action) => !you && permitsOn(role, action, person.role);
  const actions: [PersonAction, boolean][] = [
    ["mute", person.microphone && may("Mute")],
    ["ask-to-unmute", !person.microphone && person.role !== "listener" && may("AskToUnmute")],
    ["stop-camera", person.camera && may("Mute")],
    ["ask-to-start-camera", !person.camera && person.role !== "listener" && may("AskToUnmute")],
    ["stop-screen", person.screen && may("Mute")],
    ["lower-hand", person.handRaisedAt !== undefined && may("LowerHand")],
    ["spotlight", !person.spotlight && permits(role, "Spotlight")],
    ["unspotlight", person.spotlight && permits(role, "Spotlight")],
    ["pin", !pinned],
    ["unpin", pinned],
    ["chat", !you && (mayChatWithAll(role, policy) || exempt(person.role))],
    ["rename", mayRename(role, policy, you, person.role)],
    ["make-co-host", person.role !== "co-host" && permits(role, "NameHosts") && !(you && lastHost)],
    ["make-host", person.role !== "host" && may("NameHosts")],
    ["make-attendee", person.role !== "attendee" && (person.role === "listener" ? may("SetSpeaker") : may("NameHosts"))],
    ["make-listener", person.role !== "listener" && (exempt(person.role) ? may("NameHosts") : may("SetSpeaker"))],
    ["send-to-waiting-room", may("SendToWaitingRoom")],
    ["remove", may("Remove")],
    ["ban", may("Remove")],
  ];
  return actions.flatMap(([action, offered]) => (offered ? [action] : []));
}
