// The media of one seat: makes the peer connection, brings it back when the network or the server
// was gone, and tells which streams there are. Knows neither screen nor devices.

import { CommandError } from "../connection";
import type { Command, MediaEvent, Outcome, SlotCounts, Source, TrackId } from "../protocol";
import type { ShareMode } from "./layers";
import { CONFIGURATION, Peer } from "./peer";
import type { Prepared } from "./prepared";
import { type RemoteTrack, Slots } from "./slots";
import { freshPeerConnection } from "./frame";
import { Watchdog } from "./watchdog";
import { WatchList } from "./watch";

/** An offer or a restart that is not connected by then did not work. */
const CONNECT_WITHIN_MS = 8_000;
/** A restart of ICE has this long before a new peer connection is made. */
const RESTART_WITHIN_MS = 4_000;
/** A restart that has found no address of this machine by then finds none: the browser looks among those of before. */
const GATHER_WITHIN_MS = 200;
/** A fresh connection that had to wait longer for the socket is not fresh any more. */
const FRESH_FOR_MS = 3_000;
/** So many restarts without effect, then a new peer connection. */
const RESTARTS = 2;
/** Between two new peer connections. */
const AGAIN_MIN_MS = 500;
const AGAIN_MAX_MS = 10_000;
/** How often a slot that was pointed elsewhere is looked at. */
const SETTLE_LOOK_MS = 100;

export type MediaSessionState = "connecting" | "connected" | "restoring";

export interface MediaHandlers {
  state(state: MediaSessionState): void;
  /** Streams came, went, or became live. */
  tracks(): void;
  /** All sounds to play. */
  sounds(tracks: MediaStreamTrack[]): void;
  /** Nothing comes any more though it should: is the socket still alive? */
  doubt(): void;
}

/** What is to be done with the peer connection as soon as the socket allows. */
type Task = "none" | "restart" | "renew";

export interface MediaMakers {
  peerConnection: () => RTCPeerConnection;
  stream: () => MediaStream;
  /** One that knows the machine's addresses as they are now, at some cost. */
  fresh: () => RTCPeerConnection;
  /** A peer connection that was made before it was needed, if there is one. */
  prepared?: (counts: SlotCounts) => Prepared | null;
}

export const BROWSER: MediaMakers = {
  peerConnection: () => new RTCPeerConnection(CONFIGURATION),
  stream: () => new MediaStream(),
  fresh: freshPeerConnection,
};

export class MediaSession {
  private peer: Peer | null = null;
  private state: MediaSessionState | null = null;
  private readonly own = new Map<Source, MediaStreamTrack>();
  private readonly slots: Slots;
  private readonly list: WatchList;
  private readonly watchdog = new Watchdog();
  private task: Task = "none";
  private negotiating = false;
  private online = true;
  /** The server has heard an offer; before, it hears no wishes. */
  private offered = false;
  private closed = false;
  private shareMode: ShareMode = "text";
  private again = AGAIN_MIN_MS;
  /** What takes the place of a connection whose addresses are gone. */
  private fresh: (Prepared & { since: number }) | null = null;
  private deadline: Timer;
  private gathering: Timer;
  private renewal: Timer;
  private looking: Timer;
  private settling: Timer;

  constructor(
    private readonly counts: SlotCounts,
    private readonly send: (command: Command) => Promise<Outcome>,
    private readonly handlers: MediaHandlers,
    private readonly make: MediaMakers = BROWSER,
  ) {
    this.slots = new Slots(make.stream);
    this.list = new WatchList(counts.video, (videos) => {
      if (this.offered) void this.say({ do: "watch", videos });
    });
  }

  start(): void {
    this.lookLater();
    this.want("renew");
  }

  /** What is sent as this source from now on; null for nothing. */
  async setTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    if (track) this.own.set(source, track);
    else this.own.delete(source);
    await this.peer?.setTrack(source, track);
  }

  setShareMode(mode: ShareMode): void {
    this.shareMode = mode;
    this.peer?.setShareMode(mode);
  }

  handle(media: MediaEvent): void {
    switch (media.kind) {
      case "slots":
        this.slots.apply(media.slots, Date.now());
        this.settle();
        this.handlers.tracks();
        break;
      case "session":
        // A new offer is the answer to it already.
        if (this.negotiating) break;
        if (media.state === "failed") this.want("renew");
        else if (media.state === "disconnected") this.want("restart");
        break;
      case "wanted":
        if (media.source === "camera") this.peer?.setWanted(media.height);
        break;
      case "speakers":
      case "quality":
        break;
    }
  }

  /** Videos on the page, most important first, with the heights of their tiles in device pixels. */
  watch(videos: readonly (TrackId & { height: number })[]): void {
    this.list.set(videos);
  }

  remote(participant: number, source: Source): RemoteTrack | null {
    return this.slots.get(participant, source);
  }

  /** Whether the socket works; offers wait for it. Its return is a reason to look at the media, too. */
  setOnline(online: boolean): void {
    const back = online && !this.online;
    this.online = online;
    if (!back) return;
    // Reports that nobody heard meanwhile are not repeated: ask for what the page shows.
    this.slots.doubt();
    this.list.repeat();
    this.work();
    if (this.negotiating) return;
    if (this.state === "restoring" || !isUp(this.peer?.pc)) this.want("restart");
  }

  /** A new peer connection: the server has forgotten the last one. */
  renew(): void {
    this.again = AGAIN_MIN_MS;
    this.want("renew");
  }

  /** For a page of numbers. */
  statistics(): Promise<RTCStatsReport> | null {
    return this.peer?.pc.getStats() ?? null;
  }

  /** The numbers of one track: of a participant's, or of one's own. */
  numbers(source: Source, participant: number | null): Promise<RTCStatsReport> | null {
    const of = participant === null ? source : this.slots.get(participant, source)?.stream.getTracks()[0];
    return of === undefined ? null : (this.peer?.numbers(of) ?? null);
  }

  close(): void {
    this.closed = true;
    for (const timer of [this.deadline, this.renewal, this.settling, this.looking, this.gathering]) clearTimeout(timer);
    this.forgetFresh();
    this.list.close();
    this.slots.clear();
    this.peer?.close();
    this.peer = null;
  }

  private setState(state: MediaSessionState): void {
    if (state === this.state) return;
    this.state = state;
    this.handlers.state(state);
  }

  private want(task: "restart" | "renew"): void {
    if (this.closed) return;
    const worked = this.state === "connected" || this.state === "restoring";
    if (task === "restart" && !worked) {
      this.renewLater();
      return;
    }
    if (this.task !== "renew") this.task = task;
    this.setState(worked ? "restoring" : "connecting");
    this.work();
  }

  private work(): void {
    if (this.closed || this.negotiating || !this.online || this.task === "none" || this.renewal !== undefined) return;
    const task = this.task;
    this.task = "none";
    this.negotiating = true;
    void (task === "renew" ? this.build() : this.negotiate(true)).finally(() => {
      this.negotiating = false;
      this.work();
    });
  }

  private async build(): Promise<void> {
    this.peer?.close();
    this.watchdog.reset();
    this.slots.apply([], Date.now());
    this.offered = false;
    const prepared = this.fresh ?? this.make.prepared?.(this.counts) ?? null;
    this.fresh = null;
    const peer = prepared?.peer ?? new Peer(this.make.peerConnection(), this.counts);
    const { pc } = peer;
    this.peer = peer;
    peer.setShareMode(this.shareMode);
    // Nothing of the offer depends on the tracks.
    for (const [source, track] of this.own) peer.setTrack(source, track).catch(() => {});
    pc.oniceconnectionstatechange = () => this.onIce(pc.iceConnectionState);
    pc.onconnectionstatechange = () => {
      // DTLS failed: no restart of ICE helps.
      if (pc.connectionState === "failed" && pc.iceConnectionState !== "failed") this.renewLater();
    };
    await this.negotiate(false, prepared);
  }

  private async negotiate(restart: boolean, prepared: Prepared | null = null): Promise<void> {
    const peer = this.peer;
    if (!peer) return;
    const candidates: string[] = [];
    let answered = false;
    peer.pc.onicecandidate = ({ candidate }) => {
      const line = candidate?.candidate ?? "";
      if (/ udp /iu.test(line)) this.forgetFresh();
      if (answered) void this.say({ do: "candidate", candidate: line });
      else candidates.push(line);
    };
    clearTimeout(this.deadline);
    try {
      this.forgetFresh();
      const offer = await (prepared?.offer ?? peer.offer(restart));
      if (restart && candidates.every((line) => !/ udp /iu.test(line))) {
        this.gathering = setTimeout(() => this.makeFresh(), GATHER_WITHIN_MS);
      }
      const reply = this.send({ do: "offer", ...offer });
      if (!restart) {
        // The server can ask for the first pictures while the connection is still being made.
        this.offered = true;
        this.list.repeat();
      }
      const outcome = await reply;
      if (this.closed || peer !== this.peer || outcome.kind !== "answer") return;
      if (this.fresh && Date.now() - this.fresh.since < FRESH_FOR_MS) {
        this.task = "renew";
        return;
      }
      if (this.fresh) this.forgetFresh();
      await peer.accept(outcome.sdp);
      answered = true;
      for (const candidate of candidates) void this.say({ do: "candidate", candidate });
      if (!restart) {
        this.slots.setReceivers(peer.receivers(), Date.now());
        this.handlers.sounds(peer.sounds());
        this.handlers.tracks();
        this.settle();
      }
      this.deadline = setTimeout(() => this.onDeadline(), restart ? RESTART_WITHIN_MS : CONNECT_WITHIN_MS);
      // A path that is still broken has the new credentials to mend by, until the deadline.
      if (isUp(peer.pc)) this.onIce(peer.pc.iceConnectionState);
    } catch (error) {
      if (this.closed || peer !== this.peer) return;
      const refused = error instanceof CommandError;
      if (refused && (error.code === "closed" || error.code === "not-admitted")) return;
      this.renewLater();
    }
  }

  /** A restart that looks for ways among addresses that are gone finds none: another connection looks for itself. */
  private makeFresh(): void {
    this.gathering = undefined;
    if (this.closed) return;
    try {
      const peer = new Peer(this.make.fresh(), this.counts);
      const fresh = { peer, offer: peer.offer(false), since: Date.now() };
      this.fresh = fresh;
      // Then the restart goes on as usual.
      fresh.offer.catch(() => {
        if (this.fresh === fresh) this.forgetFresh();
      });
      // The answer to the restart may have come already.
      if (!this.negotiating) this.want("renew");
    } catch {
      // As above.
    }
  }

  private forgetFresh(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.fresh?.peer.close();
    this.fresh = null;
  }

  private onIce(state: RTCIceConnectionState): void {
    if (this.closed) return;
    if (state === "connected" || state === "completed") {
      clearTimeout(this.deadline);
      this.again = AGAIN_MIN_MS;
      this.setState("connected");
    } else if (state === "disconnected" || state === "failed") {
      if (this.state === "connected") this.handlers.doubt();
      this.want("restart");
    }
  }

  private onDeadline(): void {
    if (!isUp(this.peer?.pc)) this.renewLater();
  }

  private renewLater(): void {
    this.task = "renew";
    if (this.renewal !== undefined || this.closed) return;
    this.setState(this.state === "connecting" ? "connecting" : "restoring");
    this.renewal = setTimeout(() => {
      this.renewal = undefined;
      this.work();
    }, this.again);
    this.again = Math.min(AGAIN_MAX_MS, this.again * 2);
  }

  private lookLater(): void {
    if (this.closed) return;
    this.looking = setTimeout(() => void this.look().finally(() => this.lookLater()), this.watchdog.nextLook(Date.now()));
  }

  private async look(): Promise<void> {
    const peer = this.peer;
    if (!peer || this.state !== "connected" || this.negotiating) return;
    const received = await peer.received().catch(() => -1);
    if (peer !== this.peer || received < 0) return;
    const expected = this.online && (peer.sending() || this.slots.flowing() > 0);
    if (this.watchdog.look(received, expected, Date.now())) {
      this.handlers.doubt();
      this.want(this.watchdog.alarms > RESTARTS ? "renew" : "restart");
    }
  }

  private settle(): void {
    if (this.settling !== undefined || this.slots.unsettled().length === 0 || this.closed) return;
    this.settling = setTimeout(() => void this.settleNow(), SETTLE_LOOK_MS);
  }

  private async settleNow(): Promise<void> {
    const peer = this.peer;
    let changed = false;
    for (const mid of this.slots.unsettled()) {
      const count = await peer?.decoded(mid).catch(() => null);
      if (count && peer === this.peer && this.slots.decoded(mid, count, Date.now())) changed = true;
    }
    this.settling = undefined;
    if (changed) this.handlers.tracks();
    this.settle();
  }

  /** A command whose failure changes nothing: it is said again with the next change. */
  private say(command: Command): Promise<unknown> {
    return this.send(command).catch(() => {});
  }
}

function isUp(pc: RTCPeerConnection | undefined): boolean {
  return pc?.iceConnectionState === "connected" || pc?.iceConnectionState === "completed";
}

type Timer = ReturnType<typeof setTimeout> | undefined;
