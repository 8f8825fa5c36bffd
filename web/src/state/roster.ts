// The meeting as its events tell it: who is in, who waits, rules, chat. A pure function from state and
// event to state; what is worth saying to the person falls out of it as notices.

import type { ChatMessage, Condition, Event, MeetingInfo, MediaEvent, Participant, ParticipantId, Policy, Recording, SlotCounts, Source, WaitingPerson } from "../client/protocol";
import { consentNotices, recordingNotices } from "./recording";
import type { NoticeWhat } from "./types";

/** The chat on the page; the server keeps as many. */
const CHAT_KEPT = 500;

export interface Roster {
  you: ParticipantId;
  meeting: MeetingInfo;
  /** Null while one waits: nothing is known of the inside. */
  inside: Inside | null;
  hostPresent: boolean;
  /** Whether the meeting is recorded in front of whose door one waits. */
  recorded: boolean;
}

export interface Inside {
  epoch: number;
  policy: Policy;
  slots: SlotCounts;
  participants: ReadonlyMap<ParticipantId, Participant>;
  waiting: readonly WaitingPerson[];
  chat: readonly ChatMessage[];
  /** Loudest first. */
  speakers: readonly ParticipantId[];
  /** Of those whose connection is not good, as far as one is told. */
  quality: ReadonlyMap<ParticipantId, Condition>;
  /** What the server takes our downlink to carry. */
  downlinkKbps: number | null;
  recording: Recording | null;
  /** The id of the newest one, also when it is over. */
  lastRecording: string | null;
}

export interface Told {
  roster: Roster | null;
  notices: NoticeWhat[];
}

export function you(roster: Roster): Participant | null {
  return roster.inside?.participants.get(roster.you) ?? null;
}

/** The state after an event, and what to say about it. */
export function tell(roster: Roster | null, event: Event): Told {
  switch (event.kind) {
    case "waiting":
      return {
        roster: { you: event.you, meeting: event.meeting, inside: null, hostPresent: event.hostPresent, recorded: event.recorded },
        notices: [],
      };
    case "welcome": {
      const inside: Inside = {
        epoch: event.epoch,
        policy: event.policy,
        slots: event.slots,
        participants: new Map(event.participants.map((one) => [one.id, one])),
        waiting: event.waiting,
        chat: event.chat,
        speakers: [],
        quality: new Map(),
        downlinkKbps: null,
        recording: event.recording ?? null,
        lastRecording: event.recording?.id ?? roster?.inside?.lastRecording ?? null,
      };
      const { recording } = inside;
      return {
        roster: { you: event.you, meeting: event.meeting, inside, hostPresent: true, recorded: recording !== null },
        notices: consentNotices(roster, recording),
      };
    }
    case "out":
      return { roster, notices: [] };
    default:
      if (!roster?.inside) return { roster, notices: [] };
      return tellInside(roster, roster.inside, event);
  }
}

type InsideEvent = Exclude<Event, { kind: "waiting" | "welcome" | "out" }>;

function tellInside(roster: Roster, inside: Inside, event: InsideEvent): Told {
  const name = (id: ParticipantId) => inside.participants.get(id)?.name ?? "";
  const now = (change: Partial<Inside>, ...notices: NoticeWhat[]): Told => ({
    roster: { ...roster, inside: { ...inside, ...change } },
    notices,
  });
  switch (event.kind) {
    case "joined": {
      const known = inside.participants.has(event.participant.id);
      const participants = put(inside.participants, event.participant);
      return known ? now({ participants }) : now({ participants }, { kind: "joined", name: event.participant.name });
    }
    case "updated":
      return now(
        { participants: put(inside.participants, event.participant) },
        ...differences(inside.participants.get(event.participant.id), event.participant, roster.you),
      );
    case "turned-off": {
      const participants = new Map(inside.participants);
      for (const id of event.participants) {
        const one = participants.get(id);
        if (one) participants.set(id, event.sources.reduce(withSourceOff, one));
      }
      return now({ participants });
    }
    case "left": {
      const left = inside.participants.get(event.participant);
      const participants = new Map(inside.participants);
      participants.delete(event.participant);
      const quality = new Map(inside.quality);
      quality.delete(event.participant);
      const speakers = inside.speakers.filter((id) => id !== event.participant);
      return now({ participants, quality, speakers }, ...(left ? [{ kind: "left" as const, name: left.name }] : []));
    }
    case "knocked": {
      const { person } = event;
      const waiting = [...inside.waiting.filter((one) => one.id !== person.id), person];
      return now({ waiting }, { kind: "knock", person: person.id, name: person.name });
    }
    case "knock-ended":
      return now({ waiting: inside.waiting.filter((one) => one.id !== event.participant) });
    case "policy-changed": {
      const by = event.by === undefined ? null : name(event.by);
      const rules = (Object.keys(event.policy) as (keyof Policy)[]).filter(
        (rule) => event.policy[rule] !== inside.policy[rule],
      );
      // Who changed it knows it.
      const own = event.by === roster.you;
      const notices = own ? [] : rules.map((rule) => ({ kind: "policy" as const, rule, value: event.policy[rule], by }));
      return now({ policy: event.policy }, ...notices);
    }
    case "chat": {
      if (inside.chat.some((message) => message.id === event.message.id)) return { roster, notices: [] };
      const chat = [...inside.chat, event.message].slice(-CHAT_KEPT);
      const { from, name: sender, text } = event.message;
      return from === roster.you ? now({ chat }) : now({ chat }, { kind: "chat", name: sender, text });
    }
    case "recording-changed":
      return now(
        { recording: event.recording ?? null, lastRecording: event.recording?.id ?? event.ended?.id ?? inside.lastRecording },
        ...recordingNotices(
          inside.recording, event.recording ?? null, event.ended, event.by === roster.you, event.by === undefined ? null : name(event.by),
        ),
      );
    case "muted":
      return now({}, { kind: "muted", source: event.source, by: name(event.by) });
    case "asked-to-unmute":
      return now({}, { kind: "asked-to-unmute", source: event.source, by: name(event.by) });
    default:
      // A newer server knows more.
      return { roster, notices: [] };
  }
}

/** What the media plane says about people. */
export function tellMedia(roster: Roster | null, media: MediaEvent): Roster | null {
  if (!roster?.inside) return roster;
  const { inside } = roster;
  if (media.kind === "speakers") return { ...roster, inside: { ...inside, speakers: media.participants } };
  if (media.kind === "quality") {
    const quality = new Map(media.connections.map(({ participant, ...condition }) => [participant, condition] as const));
    return { ...roster, inside: { ...inside, quality, downlinkKbps: media.downlinkKbps ?? null } };
  }
  return roster;
}

function put(participants: ReadonlyMap<ParticipantId, Participant>, one: Participant): Map<ParticipantId, Participant> {
  return new Map(participants).set(one.id, one);
}

function withSourceOff(participant: Participant, source: Source): Participant {
  switch (source) {
    case "microphone":
      return { ...participant, microphone: false };
    case "camera":
      return { ...participant, camera: false };
    case "screen":
      return { ...participant, screen: false };
    case "screen-audio":
      return { ...participant, screenAudio: false };
  }
}

function differences(before: Participant | undefined, after: Participant, self: ParticipantId): NoticeWhat[] {
  if (!before) return [];
  const notices: NoticeWhat[] = [];
  if (after.id === self) {
    if (before.role !== after.role) notices.push({ kind: "role", role: after.role });
    if (before.spotlight !== after.spotlight) notices.push({ kind: "spotlight", on: after.spotlight });
    return notices;
  }
  if (before.handRaisedAt === undefined && after.handRaisedAt !== undefined) notices.push({ kind: "hand", name: after.name });
  if (!before.screen && after.screen) notices.push({ kind: "screen-started", name: after.name });
  return notices;
}

/** Hands in the order in which they were raised. */
export function handQueue(inside: Inside): Participant[] {
  return [...inside.participants.values()]
    .filter((one) => one.handRaisedAt !== undefined)
    .sort((a, b) => (a.handRaisedAt ?? 0) - (b.handRaisedAt ?? 0) || a.id - b.id);
}
