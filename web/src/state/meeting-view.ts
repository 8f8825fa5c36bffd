// Builds what the screen shows out of what is known. A pure function but for the order of tiles.

import { actionsOn, hostRights } from "./permissions";
import { hueOf, initialsOf } from "./people";
import { connectionOf } from "./quality";
import { handQueue, type Roster, you } from "./roster";
import type { MeetingView, Own, OwnSource, PersonView, ShareMode, WaitingView } from "./types";

export interface OwnState {
  microphone: OwnSource;
  camera: OwnSource;
  screen: OwnSource;
  shareMode: ShareMode;
  speakingWhileMuted: boolean;
  voiceOnly: boolean;
}

export function ownView(roster: Roster | null, state: OwnState): Own | null {
  const self = roster ? you(roster) : null;
  if (!roster?.inside || !self) return null;
  const position = handQueue(roster.inside).findIndex(({ id }) => id === self.id);
  return {
    id: self.id,
    name: self.name,
    role: self.role,
    ...state,
    handRaised: self.handRaisedAt !== undefined,
    handPosition: position < 0 ? null : position + 1,
    connection: connectionOf(roster.inside, self.id, self.id),
  };
}

/** Everybody: you, hosts, hands, those who can be heard, the others as they came. */
export function peopleView(roster: Roster | null, pinned: ReadonlySet<number>): PersonView[] {
  const self = roster ? you(roster) : null;
  if (!roster?.inside || !self) return [];
  const { inside } = roster;
  const hands = handQueue(inside).map(({ id }) => id);
  const lastHost = [...inside.participants.values()].filter(({ role }) => role === "host").length === 1;
  const people = [...inside.participants.values()].map((person): PersonView => {
    const hand = hands.indexOf(person.id);
    const own = person.id === roster.you;
    const isPinned = pinned.has(person.id);
    return {
      id: person.id,
      name: person.name,
      initials: initialsOf(person.name),
      hue: hueOf(person.id),
      you: own,
      role: person.role,
      guest: person.guest,
      microphone: person.microphone,
      camera: person.camera,
      screen: person.screen,
      speaking: inside.speakers.includes(person.id) && person.microphone,
      spotlight: person.spotlight,
      pinned: isPinned,
      connected: person.connected,
      connection: connectionOf(inside, person.id, self.id),
      handPosition: hand < 0 ? null : hand + 1,
      actions: actionsOn(self.role, inside.policy, person, own, isPinned, lastHost),
    };
  });
  const rank = (person: PersonView) =>
    person.you ? 0 : person.role === "host" ? 1 : person.role === "co-host" ? 2 : person.handPosition ? 3 : 4;
  return people.sort((a, b) => rank(a) - rank(b) || (a.handPosition ?? 0) - (b.handPosition ?? 0) || a.id - b.id);
}

export function waitingView(roster: Roster | null): WaitingView[] {
  return (roster?.inside?.waiting ?? []).map((person) => ({
    ...person,
    initials: initialsOf(person.name),
    hue: hueOf(person.id),
  }));
}

/** What there is before anything is known. */
export function emptyView(name: string): MeetingView {
  const source: OwnSource = { on: false, busy: false, hindrance: null, error: null };
  const device = { options: [], chosen: null, error: null };
  return {
    phase: { kind: "loading" },
    name,
    devices: { microphone: device, camera: device, speaker: device, browser: "other" },
    preview: null,
    prejoin: { microphone: source, camera: source },
    meeting: null,
    door: null,
    recording: null,
    policy: null,
    own: null,
    media: "none",
    layout: { choice: "auto", mode: "grid", stage: [], tiles: [], page: 0, pages: 1, speakingElsewhere: [] },
    people: [],
    hands: [],
    waiting: [],
    knock: 0,
    chat: { lines: [], unread: 0, targets: [], hindrance: null },
    rights: hostRights(null),
    notices: [],
    panel: null,
    soundBlocked: false,
    log: null,
  };
}
