// Which pictures of a recording are on the page at a time: the grid in pages, or one large with the others beside it.

import type { RecordingTrack } from "../../client/recordings";
import { hueOf, initialsOf } from "../people";
import type { Person, Story } from "./story";

export const GRID_TILES = 9;
const SIDE_TILES = 6;
/** So many sources are looked through for a small picture. */
const PREVIEWED = 4;

export type ReplayLayoutChoice = "grid" | "speaker";

export interface ReplayTile {
  /** Of the source, as the player calls it. */
  key: string;
  participant: number;
  source: "camera" | "screen";
  name: string;
  initials: string;
  hue: number;
  speaking: boolean;
  muted: boolean;
  /** There is a picture at this time. */
  pictured: boolean;
  /** The picture is in a codec that this browser lacks. */
  unplayable: string | null;
}

export interface ReplayLayout {
  choice: ReplayLayoutChoice;
  mode: "grid" | "stage";
  stage: ReplayTile[];
  tiles: ReplayTile[];
  page: number;
  pages: number;
}

export interface Shown {
  showing: readonly string[];
  unplayable: readonly string[];
}

export function replayLayout(story: Story, tracks: readonly RecordingTrack[], at: number, choice: ReplayLayoutChoice, page: number, shown: Shown): ReplayLayout {
  const people = story.peopleAt(at);
  const speaking = story.speakingAt(at);
  const has = (key: string) => shown.showing.includes(key);
  const tile = (person: Person, source: "camera" | "screen"): ReplayTile => {
    const key = `${person.id}-${source}`;
    const codec = tracks.findLast((track) => track.participant === person.id && track.source === source && track.start_ms / 1000 <= at)?.codec ?? "";
    return {
      key,
      participant: person.id,
      source,
      name: person.name,
      initials: initialsOf(person.name),
      hue: hueOf(person.id),
      speaking: source === "camera" && speaking.includes(person.id),
      muted: source === "camera" && !person.microphone,
      pictured: has(key),
      unplayable: shown.unplayable.includes(key) ? codec : null,
    };
  };
  const order = new Map(story.order.map((id, index) => [id, index]));
  const sorted = [...people].sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  const screens = sorted.filter(({ screen }) => screen).map((person) => tile(person, "screen"));
  const mode = screens.length > 0 || choice === "speaker" ? "stage" : "grid";
  let stage: ReplayTile[] = screens.slice(0, 2);
  if (mode === "stage" && stage.length === 0) {
    const floor = story.floorAt(at);
    const speaker = sorted.find(({ id }) => id === floor) ?? sorted[0];
    if (speaker) stage = [tile(speaker, "camera")];
  }
  const large = new Set(stage.map(({ key }) => key));
  const all = [...screens, ...sorted.map((person) => tile(person, "camera"))].filter(({ key }) => !large.has(key));
  const size = mode === "grid" ? GRID_TILES : SIDE_TILES;
  const pages = Math.max(1, Math.ceil(all.length / size));
  const current = Math.min(Math.max(0, page), pages - 1);
  return { choice, mode, stage, tiles: all.slice(current * size, (current + 1) * size), page: current, pages };
}

/** Whose pictures say most of a moment, the best first: a shared screen, who speaks, whoever else is seen. */
export function previewed(story: Story, at: number): string[] {
  const people = story.peopleAt(at);
  const floor = story.floorAt(at);
  const seen = people.filter(({ camera }) => camera).sort((a, b) => Number(b.id === floor) - Number(a.id === floor) || story.order.indexOf(a.id) - story.order.indexOf(b.id));
  return [...people.filter(({ screen }) => screen).map(({ id }) => `${id}-screen`), ...seen.map(({ id }) => `${id}-camera`)].slice(0, PREVIEWED);
}
