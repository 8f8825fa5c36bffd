// What happened in a recording, by its time: who was there under which name, who spoke, who shared, what was written.
// Pure; times are seconds.

import type { RecordingDetail, TimelineEntry } from "../../client/recordings";

/** A chapter is worth finding again. */
export interface Chapter {
  at: number;
  what: { kind: "start" } | { kind: "mark"; text: string } | { kind: "screen"; name: string } | { kind: "speaker"; name: string };
}

/** A line of the list beside the pictures. */
export interface Line {
  key: string;
  at: number;
  what:
    | { kind: "chat"; participant: number; name: string; text: string }
    | { kind: "joined" | "left"; name: string }
    | { kind: "renamed"; name: string; to: string }
    | { kind: "screen"; name: string; on: boolean }
    | { kind: "mark"; text: string };
}

export interface Person {
  id: number;
  name: string;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** How things are from `at` on. */
interface Scene {
  at: number;
  people: readonly Person[];
  /** The loudest first. */
  speaking: readonly number[];
}

/** Who falls silent for less still has the floor. */
const PAUSE_S = 6;
/** Shorter turns are no chapters; with many long ones only the longest are. */
const TURN_S = 20;
const TURNS_AT_MOST = 40;
/** A speaker's chapter this near to another one says nothing new. */
const APART_S = 10;
/** Who is noted so early was there from the start (ms). */
const THERE_MS = 1_000;
/** What begins within it is the beginning. */
const START_S = 3;

export class Story {
  readonly chapters: readonly Chapter[];
  readonly lines: readonly Line[];
  /** Everybody who was ever there, who spoke most first. */
  readonly order: readonly number[];
  private readonly scenes: Scene[];
  /** Who had the floor from when on: the speaker view does not jump at each cough. */
  private readonly floor: readonly Turn[];

  constructor(detail: Pick<RecordingDetail, "tracks">, entries: readonly TimelineEntry[]) {
    this.scenes = scenesOf(detail, entries);
    const names = new Map(detail.tracks.map(({ participant, name }) => [participant, name]));
    for (const { people } of this.scenes) for (const { id, name } of people) names.set(id, name);
    const turns = turnsOf(entries);
    this.floor = turns;
    this.chapters = chaptersOf(entries, turns, names);
    this.lines = linesOf(entries, names);
    const spoken = new Map<number, number>();
    for (const { who, from, to } of turns) spoken.set(who, (spoken.get(who) ?? 0) + to - from);
    this.order = [...names.keys()].sort((a, b) => (spoken.get(b) ?? 0) - (spoken.get(a) ?? 0) || a - b);
  }

  peopleAt(at: number): readonly Person[] {
    return this.sceneAt(at)?.people ?? [];
  }

  speakingAt(at: number): readonly number[] {
    return this.sceneAt(at)?.speaking ?? [];
  }

  /** Who speaks, or spoke last. */
  floorAt(at: number): number | null {
    return last(this.floor, at, ({ from }) => from)?.who ?? this.floor[0]?.who ?? null;
  }

  /** The chapter that a time belongs to, by its place in the list. */
  chapterAt(at: number): number {
    return indexAt(this.chapters, at + 0.05, (chapter) => chapter.at);
  }

  /** The last line that was there; -1 before the first. */
  lineAt(at: number): number {
    return indexAt(this.lines, at, (line) => line.at);
  }

  private sceneAt(at: number): Scene | null {
    return last(this.scenes, at, (scene) => scene.at) ?? this.scenes[0] ?? null;
  }
}

function indexAt<T>(list: readonly T[], at: number, time: (one: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = list[middle];
    if (one !== undefined && time(one) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function last<T>(list: readonly T[], at: number, time: (one: T) => number): T | null {
  return list[indexAt(list, at, time)] ?? null;
}

function scenesOf({ tracks }: Pick<RecordingDetail, "tracks">, entries: readonly TimelineEntry[]): Scene[] {
  const told = entries.some(({ event }) => event === "joined");
  const scenes: Scene[] = [];
  let people = new Map<number, Person>();
  let speaking: readonly number[] = [];
  // A timeline may be missing: then the files say who was there.
  if (!told) {
    for (const { participant, name, source } of tracks) {
      const known = people.get(participant) ?? { id: participant, name, microphone: false, camera: false, screen: false };
      people.set(participant, source === "screen-audio" ? known : { ...known, [source]: true });
    }
    scenes.push({ at: 0, people: [...people.values()], speaking });
  }
  for (const entry of entries) {
    const change = (id: number, what: Partial<Person>) => {
      const one = people.get(id);
      if (one) people = new Map(people).set(id, { ...one, ...what });
    };
    switch (entry.event) {
      case "joined":
        people = new Map(people).set(entry.participant, { id: entry.participant, name: entry.name, microphone: false, camera: false, screen: false });
        break;
      case "left":
        people = new Map(people);
        people.delete(entry.participant);
        speaking = speaking.filter((id) => id !== entry.participant);
        break;
      case "renamed":
        change(entry.participant, { name: entry.name });
        break;
      case "source":
        if (entry.source !== "screen-audio") change(entry.participant, { [entry.source]: entry.on });
        break;
      case "speaking":
        speaking = entry.participants;
        break;
      default:
        continue;
    }
    const at = entry.at_ms < THERE_MS ? 0 : entry.at_ms / 1000;
    const scene = { at, people: [...people.values()], speaking };
    if (scenes[scenes.length - 1]?.at === at) scenes[scenes.length - 1] = scene;
    else scenes.push(scene);
  }
  return scenes;
}

interface Turn {
  who: number;
  from: number;
  to: number;
}

/** Who had the floor, one after the other: the loudest, interruptions and pauses left out. */
function turnsOf(entries: readonly TimelineEntry[]): Turn[] {
  const spells: Turn[] = [];
  let open: Turn | undefined;
  for (const entry of entries) {
    if (entry.event !== "speaking") continue;
    const at = entry.at_ms / 1000;
    const [who] = entry.participants;
    if (open?.who === who) continue;
    if (open) spells.push({ ...open, to: at });
    open = who === undefined ? undefined : { who, from: at, to: at };
  }
  const ends = entries[entries.length - 1];
  if (open && ends) spells.push({ ...open, to: ends.at_ms / 1000 });
  const turns: Turn[] = [];
  for (const spell of spells) {
    const before = turns[turns.length - 1];
    if (before?.who === spell.who && spell.from - before.to < PAUSE_S) before.to = spell.to;
    // A word of agreement takes nobody's floor.
    else if (spell.to - spell.from >= 1.5 || !before || spell.from - before.to >= PAUSE_S) turns.push({ ...spell });
  }
  return turns.reduce<Turn[]>((joined, turn) => {
    const before = joined[joined.length - 1];
    if (before?.who === turn.who && turn.from - before.to < PAUSE_S) before.to = turn.to;
    else joined.push(turn);
    return joined;
  }, []);
}

function chaptersOf(entries: readonly TimelineEntry[], turns: readonly Turn[], names: ReadonlyMap<number, string>): Chapter[] {
  const name = (id: number) => names.get(id) ?? "";
  const firm = entries.flatMap((entry): Chapter[] => {
    const at = entry.at_ms / 1000;
    if (entry.event === "mark") return [{ at, what: { kind: "mark", text: entry.text } }];
    if (entry.event === "source" && entry.source === "screen" && entry.on) return [{ at, what: { kind: "screen", name: name(entry.participant) } }];
    return [];
  });
  const long = turns.filter(({ from, to }) => to - from >= TURN_S).sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, TURNS_AT_MOST);
  const found: Chapter[] = [];
  for (const chapter of [...firm, ...long.map(({ who, from }): Chapter => ({ at: from, what: { kind: "speaker", name: name(who) } }))].sort((a, b) => a.at - b.at)) {
    const near = firm.some((other) => other !== chapter && Math.abs(other.at - chapter.at) < APART_S);
    const before = found[found.length - 1];
    const same = before?.what.kind === "speaker" && chapter.what.kind === "speaker" && before.what.name === chapter.what.name;
    if (chapter.what.kind === "speaker" && (near || same || (before && chapter.at - before.at < APART_S))) continue;
    found.push(chapter);
  }
  const [first, ...rest] = found;
  return first && first.at < START_S ? [{ ...first, at: 0 }, ...rest] : [{ at: 0, what: { kind: "start" } }, ...found];
}

function linesOf(entries: readonly TimelineEntry[], all: ReadonlyMap<number, string>): Line[] {
  const names = new Map(all);
  return entries.flatMap((entry, index): Line[] => {
    const line = (what: Line["what"]): Line[] => [{ key: String(index), at: entry.at_ms / 1000, what }];
    const name = (id: number) => names.get(id) ?? "";
    switch (entry.event) {
      case "joined":
        names.set(entry.participant, entry.name);
        // Who was there from the start did not come.
        return entry.at_ms < THERE_MS ? [] : line({ kind: "joined", name: entry.name });
      case "left":
        return line({ kind: "left", name: name(entry.participant) });
      case "renamed": {
        const before = name(entry.participant);
        names.set(entry.participant, entry.name);
        return line({ kind: "renamed", name: before, to: entry.name });
      }
      case "source":
        return entry.source === "screen" ? line({ kind: "screen", name: name(entry.participant), on: entry.on }) : [];
      case "chat":
        return line({ kind: "chat", participant: entry.participant, name: entry.name, text: entry.text });
      case "mark":
        return line({ kind: "mark", text: entry.text });
      case "speaking":
        return [];
    }
  });
}
