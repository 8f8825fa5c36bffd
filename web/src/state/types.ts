// What the screen shows and what it may ask: the contract between the view models and the pages.
// Codes and numbers only, no text for people; plain data, so that a gallery can make it up.
// Rejected devices, refusals and reasons are stable words that the pages translate.

import type {
  Audience,
  Cause,
  LogEntry,
  MeetingInfo,
  Millis,
  OutReason,
  ParticipantId,
  PauseReason,
  Policy,
  Quality,
  Recording,
  RefusalCode,
  Role,
  Source,
} from "../client/protocol";

import type { LayerNumbers, PathNumbers, TrackNumbers } from "../client/media/numbers";

import type { ShareMode } from "../client/media/layers";
import type { DoorSign } from "../client/rest";

export type { ShareMode };
export type { LayerNumbers, PathNumbers, TrackNumbers };
export type {
  Audience, Cause, LogEntry, MeetingInfo, Millis, OutReason, ParticipantId, PauseReason, Policy, Quality, Recording, RefusalCode, Role, Source,
};

/** Something that is observed: `useStore(store)` in `state/react.ts` gives its value to a component. */
export interface Readable<T> {
  get(): T;
  /** Calls `listener` after each change until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

// ---------------------------------------------------------------- entry

/** By which way somebody comes to the meeting page; `state/route.ts` reads it from the address. */
export type Entry =
  | { kind: "link"; meeting: string; token: string }
  | { kind: "number"; number: string }
  /** `secret` is present on the first visit only; it is exchanged for a cookie and taken from the address. */
  | { kind: "host"; meeting: string; secret?: string };

// ---------------------------------------------------------------- devices

export type DeviceKind = "microphone" | "camera" | "speaker";

export interface DeviceOption {
  id: string;
  /** The browser's own words; empty before permission was given: show "Microphone {n}" then. */
  label: string;
  /** From 1 within its kind. */
  number: number;
}

/** Why a device gives nothing. */
export type DeviceCause =
  /** The person or the browser's settings said no. */
  | "denied"
  /** The operating system said no, or the page is not served over HTTPS. */
  | "blocked"
  /** There is none. */
  | "none"
  /** Another program holds it. */
  | "in-use"
  /** Unplugged while in use. */
  | "unplugged"
  /** The person closed the picker (screen only): say nothing. */
  | "cancelled"
  /** This browser cannot do it at all (screen share on phones). */
  | "unsupported"
  | "unknown";

export interface DeviceState {
  options: DeviceOption[];
  /** What is in use, or would be; null where there is none. */
  chosen: string | null;
  /** Present while the last attempt failed. */
  error: DeviceCause | null;
}

export interface DevicesView {
  microphone: DeviceState;
  camera: DeviceState;
  /** `options` is empty where the browser cannot choose (Safari, older Firefox): hide the choice. */
  speaker: DeviceState;
  /** Which help to show when permission is denied. */
  browser: "chrome" | "edge" | "firefox" | "safari" | "ios" | "android" | "other";
}

// ---------------------------------------------------------------- meeting

export type OutWhy =
  | OutReason
  /** The server was not reached for as long as the seat is kept. */
  | "lost"
  /** Cancelled at the door. */
  | "cancelled";

export interface Refusal {
  code: RefusalCode | "unreachable";
  /** Seconds after which asking again may help. */
  retryAfter: number | null;
}

export type Phase =
  /** The host link is exchanged, or the page finds out whether a seat is still kept. */
  | { kind: "loading" }
  /** Name and devices. `refused` says why the last attempt failed. `joining` while one is under way. */
  | { kind: "prejoin"; joining: boolean; refused: Refusal | null; askPasscode: boolean }
  | { kind: "knocking"; since: Millis; hostPresent: boolean; recorded: boolean }
  | { kind: "in" }
  /** Everything else in the view stays as it was. `until`: when the seat will be given up. */
  | { kind: "reconnecting"; from: "knocking" | "in"; since: Millis; until: Millis }
  /** `replay`: the id of the recording that somebody may watch who led the meeting. */
  | { kind: "out"; why: OutWhy; mayRejoin: boolean; replay: string | null };

/** State of the media beside the socket. */
export type MediaState = "none" | "connecting" | "connected" | "restoring";

/** Why a button does nothing now. */
export type Hindrance =
  /** The role does not have it (listeners). */
  | "not-permitted"
  /** The host's rules forbid it for now. */
  | "forbidden-by-policy"
  /** The browser cannot. */
  | "unsupported";

/** Why a connection is no better, from where the person sits who looks at it. */
export interface CauseView {
  /** Whose link or machine it is. */
  whose: "you" | "them";
  cause: Cause;
}

export interface ConnectionView {
  quality: Quality;
  /** Null where the connection is good, or nothing more is known. */
  cause: CauseView | null;
}

/** One of your own sources. */
export interface OwnSource {
  on: boolean;
  /** Between the click and its effect. */
  busy: boolean;
  /** Turning it off is always possible; this is about turning it on. */
  hindrance: Hindrance | null;
  error: DeviceCause | null;
}

export interface Own {
  id: ParticipantId;
  name: string;
  role: Role;
  microphone: OwnSource;
  camera: OwnSource;
  screen: OwnSource;
  shareMode: ShareMode;
  handRaised: boolean;
  /** From 1; null while the hand is down. */
  handPosition: number | null;
  /** Muted, but speaking for a moment already. Says so until it ends. */
  speakingWhileMuted: boolean;
  /** Neither sends nor receives pictures. */
  voiceOnly: boolean;
  connection: ConnectionView;
}

/** What a tile shows in place of a picture, or the picture. */
export type TilePicture =
  | { kind: "video"; stream: MediaStream }
  /** Wanted but not there yet. */
  | { kind: "loading" }
  /** Camera off: show the initials. */
  | { kind: "off" }
  /** The server says why nothing flows. */
  | { kind: "paused"; reason: PauseReason };

/** The figures of one tile; what the browser does not tell is null. */
export interface TileNumbers {
  video: TrackNumbers | null;
  /** The sizes in which one's own picture is sent; empty for others. */
  layers: LayerNumbers[];
  audio: TrackNumbers | null;
  path: PathNumbers;
  /** What the server takes our download to carry. */
  downlinkKbps: number | null;
}

/** Reads a tile's figures; rates are there from the second reading on. Null while there is no connection. */
export type ReadNumbers = () => Promise<TileNumbers | null>;

export interface TileView {
  /** Stable while the tile exists: the React key, and the name in `actions.tileSeen`. */
  key: string;
  participant: ParticipantId;
  source: "camera" | "screen";
  name: string;
  /** 1 or 2 characters of the name, and a number 0–11 for the colour behind them. */
  initials: string;
  hue: number;
  you: boolean;
  /** Own camera: show it as a mirror does. */
  mirrored: boolean;
  role: Role;
  picture: TilePicture;
  microphone: boolean;
  speaking: boolean;
  handRaised: boolean;
  spotlight: boolean;
  /** Pinned by you, on your page only. */
  pinned: boolean;
  /** False while the seat is kept for somebody whose connection was lost. */
  connected: boolean;
  /** The worse of its person's upload and one's own download. */
  connection: ConnectionView;
}

/** `auto` is the grid until somebody shares, is put in the spotlight or pinned. */
export type LayoutChoice = "auto" | "grid" | "speaker";

export interface LayoutView {
  choice: LayoutChoice;
  /** What it came to. */
  mode: "grid" | "stage";
  /** Large tiles: empty in the grid; otherwise 1 to 4. */
  stage: TileView[];
  /** In the grid all tiles of this page (1 to 9), otherwise those beside the stage. */
  tiles: TileView[];
  /** From 0. */
  page: number;
  pages: number;
  /** People who have no tile on this page and speak, for a chip "Ana speaks". */
  speakingElsewhere: string[];
}

/** What one may do to one person; the menu shows these in this order. */
export type PersonAction =
  | "mute"
  | "ask-to-unmute"
  | "stop-camera"
  | "ask-to-start-camera"
  | "stop-screen"
  | "lower-hand"
  | "spotlight"
  | "unspotlight"
  | "pin"
  | "unpin"
  | "chat"
  | "rename"
  | "make-co-host"
  | "make-host"
  | "make-attendee"
  | "make-listener"
  | "send-to-waiting-room"
  | "remove"
  | "ban";

export interface PersonView {
  id: ParticipantId;
  name: string;
  initials: string;
  hue: number;
  you: boolean;
  role: Role;
  guest: boolean;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  speaking: boolean;
  spotlight: boolean;
  pinned: boolean;
  connected: boolean;
  connection: ConnectionView;
  /** Place in the queue from 1; null while the hand is down. */
  handPosition: number | null;
  actions: PersonAction[];
}

export interface WaitingView {
  id: ParticipantId;
  name: string;
  initials: string;
  hue: number;
  guest: boolean;
  since: Millis;
  sentBack: boolean;
}

export interface ChatLine {
  /** Stable key. */
  id: string;
  from: ParticipantId;
  name: string;
  mine: boolean;
  to: Audience;
  /** The name of the one person it is for, if `to.kind` is `one`. */
  toName: string | null;
  at: Millis;
  text: string;
  state: "sent" | "sending" | "failed";
}

export interface ChatView {
  lines: ChatLine[];
  /** Since the panel was last open. */
  unread: number;
  /** To whom one may write now, the first being the default; empty where writing is impossible. */
  targets: ChatTarget[];
  hindrance: Hindrance | null;
}

export type ChatTarget = { to: { kind: "everyone" } | { kind: "hosts" } } | { to: { kind: "one"; participant: ParticipantId }; name: string };

/** What the meeting-wide host controls may do. Everything false for attendees and listeners. */
export interface HostRights {
  admit: boolean;
  muteAll: boolean;
  setPolicy: boolean;
  suspendAll: boolean;
  readLog: boolean;
  end: boolean;
  /** Start, pause and stop a recording, and mark places in it. */
  record: boolean;
}

export type Panel = "people" | "chat" | "share" | "settings" | "log" | null;

/** Something worth saying. Short-lived ones (`lifetime` set) go by themselves after so many milliseconds. */
export interface Notice {
  id: number;
  lifetime: number | null;
  what: NoticeWhat;
}

export type NoticeWhat =
  | { kind: "muted"; source: Source; by: string }
  /** Offer the two buttons "unmute"/"start camera" (`actions.answerAsk`) and "not now". */
  | { kind: "asked-to-unmute"; source: Source; by: string }
  /** One notice per person; offer admit and deny. Sound and tab title are `view.knock`. */
  | { kind: "knock"; person: ParticipantId; name: string }
  | { kind: "hand"; name: string }
  | { kind: "chat"; name: string; text: string }
  | { kind: "joined"; name: string }
  | { kind: "left"; name: string }
  | { kind: "role"; role: Role }
  | { kind: "screen-started"; name: string }
  | { kind: "policy"; rule: keyof Policy; value: boolean; by: string | null }
  /** The device went away; another took its place, or none did. */
  | { kind: "device-lost"; device: DeviceKind; fallback: string | null }
  | { kind: "device-error"; device: DeviceKind | "screen"; cause: DeviceCause }
  | { kind: "refused"; refusal: Refusal }
  | { kind: "spotlight"; on: boolean }
  | { kind: "back" }
  /** Offer "got it" and "leave". `by`: who began it, where one was there. */
  | { kind: "consent"; by: string | null }
  /** `stopped`, `quota` and `failed`: it is over. */
  | { kind: "recording"; what: "began" | "paused" | "resumed" | "stopped" | "quota" | "failed"; recording: string }
  | { kind: "marked" };

export interface MeetingView {
  phase: Phase;
  /** The name given at the door (remembered). */
  name: string;
  devices: DevicesView;
  /** Own camera before joining and in the meeting; null while it is off. */
  preview: MediaStream | null;
  /** Own choice before joining. */
  prejoin: { microphone: OwnSource; camera: OwnSource };
  meeting: MeetingInfo | null;
  /** What is known of it before one joins. */
  door: DoorSign | null;
  /** The recording under way. */
  recording: Recording | null;
  policy: Policy | null;
  own: Own | null;
  media: MediaState;
  layout: LayoutView;
  people: PersonView[];
  /** Hands in the order in which they were raised. */
  hands: PersonView[];
  /** Empty for those who may not admit. */
  waiting: WaitingView[];
  /** Rises by one with each knock: play the sound, mark the tab's title. */
  knock: number;
  chat: ChatView;
  rights: HostRights;
  notices: Notice[];
  panel: Panel;
  /** The browser plays no sound before a click: show "click to hear" → `actions.unblockSound()`. */
  soundBlocked: boolean;
  /** Newest moderation log that was read; null before. */
  log: LogEntry[] | null;
}

/** All that the pages of a meeting may ask. Nothing throws: failures become notices or states of the view. */
export interface MeetingActions {
  // Before joining.
  setName: (name: string) => void;
  join: (passcode?: string) => void;
  /** At the door: go away again. */
  cancel: () => void;
  /** After `out`: back to `prejoin`. */
  rejoin: () => void;

  // Devices.
  chooseDevice: (kind: DeviceKind, id: string) => void;
  /** Asks the browser again after permission was denied. */
  retryDevice: (kind: DeviceKind) => void;
  testSpeaker: () => void;
  /** 0 to 1, the loudness of one's own microphone now; poll it per frame. Works while muted, too (nothing leaves the page). */
  level: () => number;
  unblockSound: () => void;

  // Oneself.
  setMicrophone: (on: boolean) => void;
  setCamera: (on: boolean) => void;
  setScreen: (on: boolean) => void;
  /** What the screen shows that is shared, or will be. */
  setShareMode: (mode: ShareMode) => void;
  setHand: (raised: boolean) => void;
  setVoiceOnly: (on: boolean) => void;
  leave: () => void;

  // The page.
  setLayout: (choice: LayoutChoice) => void;
  setPage: (page: number) => void;
  openPanel: (panel: Panel) => void;
  dismiss: (notice: number) => void;
  answerAsk: (notice: number, yes: boolean) => void;
  /** Height of the tile in device pixels as it is now; 0 when it is off the screen or gone. */
  tileSeen: (key: string, height: number) => void;

  /** Begins to measure a tile. */
  measure: (participant: ParticipantId, source: "camera" | "screen") => ReadNumbers;

  // Chat.
  sendChat: (to: Audience, text: string) => void;
  resendChat: (line: string) => void;

  // Others. Each of these is refused by the server where the right is missing.
  act: (person: ParticipantId, action: Exclude<PersonAction, "rename" | "chat">) => void;
  rename: (person: ParticipantId, name: string) => void;
  admit: (person: ParticipantId) => void;
  admitAll: () => void;
  deny: (person: ParticipantId) => void;
  muteAll: (mayUnmute: boolean) => void;
  setPolicy: (change: Partial<Policy>) => void;
  suspendAll: () => void;
  readLog: () => void;
  record: (what: "start" | "pause" | "resume" | "stop") => void;
  /** Makes a chapter of the recording. */
  mark: (text: string) => void;
  end: () => void;
}

/** `createMeeting(entry)` in `state/meeting.ts`. */
export interface MeetingModel {
  view: Readable<MeetingView>;
  actions: MeetingActions;
  /** Ends everything (the page goes away). */
  close: () => void;
}
