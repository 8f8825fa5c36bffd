// Which tiles are on the page: the grid in pages of nine, or a stage with the others beside it.

import { trackKey, type RemoteTrack } from "../client/media/slots";
import type { Participant, ParticipantId, Wish } from "../client/protocol";
import type { TileOrder } from "./order";
import { hueOf, initialsOf } from "./people";
import { tileConnection } from "./quality";
import type { Inside } from "./roster";
import type { LayoutChoice, LayoutView, TilePicture, TileView } from "./types";

/** Tiles of a page; as many videos as the server gives slots. */
export const PAGE_TILES = 9;
const STAGE_TILES = 4;
/** Beside the stage. */
const SIDE_TILES = 6;

export interface LayoutState {
  choice: LayoutChoice;
  page: number;
  /** Participants pinned on this page. */
  pinned: ReadonlySet<ParticipantId>;
  voiceOnly: boolean;
}

/** Where pictures come from. */
export interface Pictures {
  preview: MediaStream | null;
  remote(participant: ParticipantId, source: "camera" | "screen"): RemoteTrack | null;
}

function picture(person: Participant, source: "camera" | "screen", self: boolean, state: LayoutState, from: Pictures): TilePicture {
  if (!person[source]) return { kind: "off" };
  if (self) return from.preview ? { kind: "video", stream: from.preview } : { kind: "loading" };
  if (state.voiceOnly && source === "camera") return { kind: "off" };
  const remote = from.remote(person.id, source);
  if (!remote || !person.connected) return { kind: "loading" };
  if (remote.paused) return { kind: "paused", reason: remote.paused };
  return remote.live ? { kind: "video", stream: remote.stream } : { kind: "loading" };
}


export function layout(inside: Inside, you: ParticipantId, state: LayoutState, order: TileOrder, from: Pictures, now: number): LayoutView {
  const people = [...inside.participants.values()];
  const screens = people.filter((person) => person.screen && person.id !== you);
  const tile = (person: Participant, source: "camera" | "screen"): TileView => {
    const shown = picture(person, source, person.id === you, state, from);
    return {
      key: trackKey({ participant: person.id, source }),
      participant: person.id,
      source,
      name: person.name,
      initials: initialsOf(person.name),
      hue: hueOf(person.id),
      you: person.id === you,
      mirrored: person.id === you && source === "camera",
      role: person.role,
      picture: shown,
      microphone: person.microphone,
      speaking: inside.speakers.includes(person.id) && person.microphone,
      handRaised: person.handRaisedAt !== undefined,
      spotlight: person.spotlight,
      pinned: state.pinned.has(person.id),
      connected: person.connected,
      connection: tileConnection(inside, person.id, you, shown),
    };
  };

  const chosen = people.filter((person) => state.pinned.has(person.id) || person.spotlight);
  const mode = state.choice === "speaker" || (state.choice === "auto" && screens.length + chosen.length > 0) ? "stage" : "grid";
  const size = mode === "grid" ? PAGE_TILES : SIDE_TILES;
  const ids = order.update(people, inside.speakers, you, Math.max(1, size - (mode === "grid" ? screens.length : 0)), now);
  const ordered = ids.flatMap((id) => inside.participants.get(id) ?? []);

  let stage: TileView[] = [];
  if (mode === "stage") {
    const faces = ordered.filter((person) => chosen.includes(person)).map((person) => tile(person, "camera"));
    stage = [...screens.map((person) => tile(person, "screen")), ...faces].slice(0, STAGE_TILES);
    if (stage.length === 0) {
      const speaker = inside.participants.get(order.speaker(people, you, now) ?? you);
      if (speaker) stage = [tile(speaker, "camera")];
    }
  }
  const large = new Set(stage.map(({ key }) => key));
  const all = [
    ...screens.map((person) => tile(person, "screen")),
    ...ordered.map((person) => tile(person, "camera")),
  ].filter(({ key }) => !large.has(key));
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(Math.max(0, state.page), pages - 1);
  const tiles = all.slice(page * size, (page + 1) * size);

  const shown = new Set([...stage, ...tiles].map(({ participant }) => participant));
  const speakingElsewhere = inside.speakers
    .filter((id) => id !== you && !shown.has(id))
    .flatMap((id) => inside.participants.get(id)?.name ?? []);
  return { choice: state.choice, mode, stage, tiles, page, pages, speakingElsewhere };
}

/** What to ask the server for: what is on the page and has a picture, large tiles first. */
export function wishes(view: LayoutView, heights: ReadonlyMap<string, number>, inside: Inside, voiceOnly: boolean): Wish[] {
  return [...view.stage, ...view.tiles].flatMap((tile) => {
    const person = inside.participants.get(tile.participant);
    const height = heights.get(tile.key) ?? 0;
    const hidden = tile.you || height <= 0 || !person?.[tile.source] || (voiceOnly && tile.source === "camera");
    return hidden ? [] : [{ participant: tile.participant, source: tile.source, height }];
  });
}
