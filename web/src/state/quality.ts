// How good a connection is from where the person sits who looks at it: another's upload, or one's own download.
// Pure functions; knows no words for people.

import type { Cause, Condition, ParticipantId, Quality } from "../client/protocol";
import { QUALITIES } from "../client/protocol";
import type { Inside } from "./roster";
import type { CauseView, ConnectionView, TilePicture } from "./types";

const GOOD: Condition = { quality: "good" };

export function isWorse(one: Quality, other: Quality): boolean {
  return QUALITIES.indexOf(one) > QUALITIES.indexOf(other);
}

function viewOf({ quality, cause }: Condition, whose: CauseView["whose"]): ConnectionView {
  return { quality, cause: cause ? { whose, cause } : null };
}

/** A participant's own connection. Who is not named has a good one. */
export function connectionOf(inside: Inside, id: ParticipantId, you: ParticipantId): ConnectionView {
  return viewOf(inside.quality.get(id) ?? GOOD, id === you ? "you" : "them");
}

function isDownlink(cause: Cause | undefined): boolean {
  return (cause?.kind === "loss" || cause?.kind === "thin") && cause.link === "downlink";
}

/** What a tile suffers from: its person's upload, or the download of who looks at it where that is the worse. */
export function tileConnection(inside: Inside, id: ParticipantId, you: ParticipantId, picture: TilePicture): ConnectionView {
  const theirs = connectionOf(inside, id, you);
  if (id === you || picture.kind === "off") return theirs;
  const own = inside.quality.get(you);
  const starved = picture.kind === "paused" && picture.reason === "bandwidth";
  const thin: Cause | undefined = inside.downlinkKbps === null ? undefined : { kind: "thin", link: "downlink", kbps: inside.downlinkKbps };
  const mine: Condition = own && isDownlink(own.cause) ? own : starved ? { quality: "fair", ...(thin ? { cause: thin } : {}) } : GOOD;
  return isWorse(mine.quality, theirs.quality) || (starved && mine.quality === theirs.quality) ? viewOf(mine, "you") : theirs;
}
