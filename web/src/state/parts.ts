// What a meeting on a page is made of. The real parts need a browser; a test brings others.

import { browserSocket, browserSurroundings, Connection, type ConnectionHandlers } from "../client/connection";
import { Capture, type CaptureHandlers } from "../client/media/capture";
import { Playout } from "../client/media/playout";
import { Preparation } from "../client/media/prepared";
import { BROWSER, MediaSession, type MediaHandlers } from "../client/media/session";
import type { Command, Outcome, SlotCounts } from "../client/protocol";
import { doorOf, type DoorSign, exchangeHostSecret, me } from "../client/rest";
import { Standby } from "../client/standby";
import type { Entry } from "./types";

export type ConnectionParts = Pick<Connection, keyof Connection>;
export type SessionParts = Pick<MediaSession, keyof MediaSession>;
export type PreparationParts = Pick<Preparation, keyof Preparation>;
export type StandbyParts = Pick<Standby, keyof Standby>;
export type PlayoutParts = Pick<Playout, keyof Playout>;
export type CaptureParts = Pick<Capture, keyof Capture>;

export interface Parts {
  connection(handlers: ConnectionHandlers, standby: StandbyParts): ConnectionParts;
  standby(): StandbyParts;
  preparation(): PreparationParts;
  session(
    slots: SlotCounts,
    send: (command: Command) => Promise<Outcome>,
    handlers: MediaHandlers,
    preparation: PreparationParts,
  ): SessionParts;
  capture(handlers: CaptureHandlers): CaptureParts;
  playout(changed: () => void): PlayoutParts;
  exchangeHostSecret(meeting: string, secret: string): Promise<void>;
  /** Gives the browser the cookie by which the server knows it again; a failure is no matter. */
  greet(): Promise<void>;
  /** What may be known before joining; null where one has to join to know it. */
  door(entry: Entry): Promise<DoorSign | null>;
}

export const BROWSER_PARTS: Parts = {
  connection: (handlers, standby) => new Connection(handlers, browserSurroundings(() => standby.take())),
  standby: () => new Standby({ socket: browserSocket, page: window, hidden: () => document.visibilityState === "hidden" }),
  preparation: () => new Preparation(),
  session: (slots, send, handlers, preparation) =>
    new MediaSession(slots, send, handlers, { ...BROWSER, prepared: (counts) => preparation.take(counts) }),
  capture: (handlers) => new Capture(handlers),
  playout: (changed) => new Playout(changed),
  exchangeHostSecret,
  greet: () => me().then(() => {}, () => {}),
  // A number is no secret: who has no more learns nothing.
  door: (entry) => (entry.kind === "number" ? Promise.resolve(null) : doorOf(entry.meeting, entry.kind === "link" ? entry.token : null)),
};
