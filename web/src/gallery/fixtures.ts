/** Views made up for looking at pages: people, chat, waiting, every phase. Knows no server. */
import type {
  ChatLine,
  ConnectionView,
  DeviceOption,
  MeetingView,
  NoticeWhat,
  OwnSource,
  PersonAction,
  PersonView,
  Phase,
  TilePicture,
  TileView,
  WaitingView,
} from "../state/types";
import { hueOf, initialsOf } from "../state/people";
import { drawnStream } from "./streams";

export interface Wanted {
  people: number;
  chinese: boolean;
  host: boolean;
  panel: MeetingView["panel"];
  layout: "grid" | "speaker";
  screen: boolean;
  waiting: number;
  notices: string[];
  phase: Phase;
  camera: boolean;
  error: "denied" | "none" | "in-use" | null;
  muted: boolean;
  page: number;
  recording: MeetingView["recording"];
  door: MeetingView["door"];
}

const NAMES = {
  en: ["Ana Souza", "Tomás Rivera", "Mei Tanaka", "Priya Raman", "Jonas Weber", "Kofi Mensah", "Lucía Ortega", "Sam Park", "Noor Haddad", "Ines Moreau", "Elif Kaya", "Marek Novák", "Olu Adeyemi", "Hana Sato"],
  zh: ["李雪晴", "王建国", "陈思远", "赵敏", "欧阳明月", "周子轩", "林婉如", "孙浩", "吴佩珊", "郑一鸣", "刘诗雨", "何俊杰", "高远", "许静"],
};

const TALK = {
  en: [
    "Morning everyone! The agenda is in the shared document.",
    "I’ll take notes today.",
    "Could you move the numbers for the third quarter to the front?",
    "Sure, give me a second.",
    "Here they are: https://example.org/q3",
    "Can I present after Mei? I have to leave at half past.",
  ],
  zh: ["大家早上好！议程已经放在共享文档里了。", "今天由我来做记录。", "能把三季度的数据放到最前面吗？", "好的，稍等一下。", "在这里：https://example.org/q3", "我可以排在思远后面讲吗？我十点半要先走。"],
};

const streams = new Map<number, MediaStream>();
const streamOf = (index: number) => {
  let stream = streams.get(index);
  if (!stream) streams.set(index, (stream = drawnStream(index)));
  return stream;
};

const own = (on: boolean, error: OwnSource["error"] = null): OwnSource => ({ on, busy: false, hindrance: null, error });
const options = (names: string[]): DeviceOption[] => names.map((label, i) => ({ id: `${label}-${i}`, label, number: i + 1 }));

const HOST_ACTIONS: PersonAction[] = [
  "mute", "stop-camera", "spotlight", "pin", "chat", "rename", "make-co-host", "make-listener", "send-to-waiting-room", "remove", "ban",
];

function personOf(index: number, names: string[], wanted: Wanted): PersonView {
  const name = names[index % names.length] ?? "";
  const hand = index === 3 ? 1 : index === 6 ? 2 : null;
  return {
    id: index + 1,
    name,
    initials: initialsOf(name),
    hue: hueOf(index + 1),
    you: index === 0,
    role: index === 0 ? (wanted.host ? "host" : "attendee") : index === 2 ? "co-host" : index === 1 && !wanted.host ? "host" : "attendee",
    guest: index === 4 || index === 7,
    microphone: index === 0 ? !wanted.muted : index % 3 !== 2,
    camera: index === 0 ? wanted.camera : index !== 5 && index !== 8,
    screen: wanted.screen && index === 1,
    speaking: index === 1,
    spotlight: false,
    pinned: false,
    connected: index !== 10,
    connection: connectionOf(index),
    handPosition: hand,
    actions: index === 0 ? ["rename"] : wanted.host ? (hand ? ["lower-hand", ...HOST_ACTIONS] : HOST_ACTIONS) : ["pin", "chat"],
  };
}

function connectionOf(index: number): ConnectionView {
  if (index === 4) return { quality: "fair", cause: { whose: "them", cause: { kind: "loss", link: "uplink", percent: 12 } } };
  if (index === 7) return { quality: "poor", cause: { whose: "you", cause: { kind: "thin", link: "downlink", kbps: 300 } } };
  return { quality: "good", cause: null };
}

function tileOf(person: PersonView, source: "camera" | "screen"): TileView {
  const index = person.id - 1;
  const picture: TilePicture =
    source === "screen"
      ? { kind: "video", stream: streamOf(-1) }
      : !person.camera
        ? { kind: "off" }
        : person.connection.quality === "poor"
          ? { kind: "paused", reason: "bandwidth" }
          : { kind: "video", stream: streamOf(index) };
  return {
    key: `${person.id}-${source}`,
    participant: person.id,
    source,
    name: person.name,
    initials: person.initials,
    hue: person.hue,
    you: person.you,
    mirrored: person.you && source === "camera",
    role: person.role,
    picture,
    microphone: person.microphone,
    speaking: person.speaking && source === "camera",
    handRaised: person.handPosition !== null,
    spotlight: false,
    pinned: false,
    connected: person.connected,
    connection: person.connection,
  };
}

const PER_PAGE = 9;

export function layoutOf(people: PersonView[], wanted: Wanted): MeetingView["layout"] {
  const cameras = people.map((person) => tileOf(person, "camera"));
  const pages = Math.ceil(cameras.length / PER_PAGE);
  const sharer = people.find((person) => person.screen);
  if (wanted.layout === "grid" && !sharer) {
    const page = Math.min(wanted.page, pages - 1);
    return {
      choice: "auto",
      mode: "grid",
      stage: [],
      tiles: cameras.slice(page * PER_PAGE, (page + 1) * PER_PAGE),
      page,
      pages,
      speakingElsewhere: [],
    };
  }
  const second = people[1] ?? people[0];
  const stage = sharer ? [tileOf(sharer, "screen")] : second ? [tileOf(second, "camera")] : [];
  return {
    choice: wanted.layout === "speaker" ? "speaker" : "auto",
    mode: "stage",
    stage,
    tiles: cameras.filter((tile) => sharer || tile.participant !== second?.id).slice(0, 6),
    page: 0,
    pages: 1,
    speakingElsewhere: [],
  };
}

function noticeOf(word: string, names: string[]): NoticeWhat[] {
  const name = (index: number) => names[index] ?? "";
  switch (word) {
    case "knock":
      return [{ kind: "knock", person: 90, name: name(12) }];
    case "knocks":
      return [{ kind: "knock", person: 90, name: name(12) }, { kind: "knock", person: 91, name: name(13) }];
    case "muted":
      return [{ kind: "muted", source: "microphone", by: name(2) }];
    case "ask":
      return [{ kind: "asked-to-unmute", source: "microphone", by: name(2) }];
    case "chat":
      return [{ kind: "chat", name: name(3), text: names === NAMES.zh ? "能听到吗？" : "Can you hear me?" }];
    case "hand":
      return [{ kind: "hand", name: name(3) }];
    case "device":
      return [{ kind: "device-lost", device: "microphone", fallback: "USB Audio" }];
    case "consent":
      return [{ kind: "consent", by: name(2) }];
    case "recorded":
      return [{ kind: "recording", what: "stopped", recording: "r" }];
    case "refused":
      return [{ kind: "refused", refusal: { code: "forbidden-by-policy", retryAfter: null } }];
    default:
      return [];
  }
}

/** A whole view as the options want it. */
export function makeView(wanted: Wanted): MeetingView {
  const names = wanted.chinese ? NAMES.zh : NAMES.en;
  const talk = wanted.chinese ? TALK.zh : TALK.en;
  const now = Date.now();
  const people = Array.from({ length: wanted.people }, (_, i) => personOf(i, names, wanted));
  const waiting: WaitingView[] = Array.from({ length: wanted.waiting }, (_, i) => {
    const name = names[12 + (i % 2)] ?? "";
    return { id: 90 + i, name, initials: initialsOf(name), hue: hueOf(90 + i), guest: true, since: now - 74_000 * (i + 1), sentBack: i === 2 };
  });
  const lines: ChatLine[] = talk.map((text, i) => ({
    id: `line-${i}`,
    from: [2, 3, 2, 1, 1, 4][i] ?? 2,
    name: names[([2, 3, 2, 1, 1, 4][i] ?? 2) - 1] ?? "",
    mine: i === 3 || i === 4,
    to: i === 5 ? { kind: "hosts" } : { kind: "everyone" },
    toName: null,
    at: now - (talk.length - i) * 95_000,
    text,
    state: "sent",
  }));
  const you = people[0];
  return {
    phase: wanted.phase,
    name: names[0] ?? "",
    devices: {
      microphone: { options: options(["MacBook Pro Microphone", "USB Audio"]), chosen: "MacBook Pro Microphone-0", error: null },
      camera: { options: wanted.error === "none" ? [] : options(["FaceTime HD Camera"]), chosen: wanted.error === "none" ? null : "FaceTime HD Camera-0", error: wanted.error },
      speaker: { options: options(["MacBook Pro Speakers", "USB Audio"]), chosen: "MacBook Pro Speakers-0", error: null },
      browser: "chrome",
    },
    preview: wanted.camera && !wanted.error ? streamOf(0) : null,
    prejoin: { microphone: own(!wanted.muted), camera: own(wanted.camera && !wanted.error, wanted.error) },
    meeting: {
      id: "k3v9tq2m",
      title: wanted.chinese ? "周一产品例会" : "Monday product review",
      number: "482917365",
      joinUrl: `${location.origin}/m/k3v9tq2m#t=Vn8sT1qYb0hKx5Jc2Rz7Lw`,
      startedAt: now - 754_000,
      capacity: 300,
    },
    door: wanted.door,
    recording: wanted.recording,
    policy: {
      waitingRoom: true, locked: false, mayUnmute: true, mayShowCamera: true, mayShare: true, mayChat: true, mayRename: true, muteOnEntry: false,
    },
    own: you
      ? {
          id: you.id,
          name: you.name,
          role: you.role,
          microphone: own(you.microphone),
          camera: own(you.camera),
          shareMode: "text",
          screen: { ...own(false), hindrance: wanted.host ? null : "forbidden-by-policy" },
          handRaised: false,
          handPosition: null,
          speakingWhileMuted: wanted.notices.includes("speaking"),
          voiceOnly: wanted.notices.includes("voice-only"),
          connection: { quality: "good", cause: null },
        }
      : null,
    media: "connected",
    layout: layoutOf(people, wanted),
    people,
    hands: people.filter((person) => person.handPosition !== null),
    waiting,
    knock: 0,
    chat: {
      lines: wanted.people > 1 ? lines : [],
      unread: wanted.panel === "chat" ? 0 : 2,
      targets: [
        { to: { kind: "everyone" } },
        { to: { kind: "hosts" } },
        ...people.slice(1).map((person) => ({ to: { kind: "one" as const, participant: person.id }, name: person.name })),
      ],
      hindrance: null,
    },
    rights: { admit: wanted.host, muteAll: wanted.host, setPolicy: wanted.host, suspendAll: wanted.host, readLog: wanted.host, end: wanted.host, record: wanted.host },
    notices: wanted.notices.flatMap((word) => noticeOf(word, names)).map((what, id) => ({ id, lifetime: null, what })),
    panel: wanted.panel,
    soundBlocked: wanted.notices.includes("blocked"),
    log: [
      { at: now - 600_000, by: 1, byName: names[0] ?? "", action: "admit", on: 4, onName: names[3] ?? "" },
      { at: now - 480_000, by: 1, byName: names[0] ?? "", action: "mute", on: 5, onName: names[4] ?? "", detail: { kind: "source", source: "camera" } },
      { at: now - 300_000, by: 3, byName: names[2] ?? "", action: "set-policy", detail: { kind: "policy", changes: [{ field: "locked", on: true }, { field: "mayShare", on: false }] } },
      { at: now - 120_000, by: 1, byName: names[0] ?? "", action: "set-role", on: 3, onName: names[2] ?? "", detail: { kind: "role", role: "co-host" } },
    ],
  };
}
