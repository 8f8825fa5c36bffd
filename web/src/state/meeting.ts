// A meeting on a page: ties socket, media and devices together and keeps the view up to date. Decides
// nothing that the parts can decide themselves; knows no component.

import { CommandError, type ConnectionState } from "../client/connection";
import { browserOf, canChooseSpeaker } from "../client/devices";
import { LimitTeller } from "../client/media/limit";
import { USUAL_SLOTS } from "../client/media/prepared";
import type { Command, Event, Join, MediaEvent, Outcome, ParticipantId, Role, SlotCounts } from "../client/protocol";
import { RestError } from "../client/rest";
import { forgetSeat, rememberedSeat, rememberSeat, type Seat } from "../client/seat";
import { meetingActions } from "./actions";
import { Chat } from "./chat";
import { Door } from "./door";
import { Drawing } from "./drawing";
import { emptyView, ownView, peopleView, waitingView } from "./meeting-view";
import { Notices } from "./notices";
import { BROWSER_PARTS, type CaptureParts, type ConnectionParts, type Parts, type PlayoutParts, type PreparationParts, type SessionParts, type StandbyParts } from "./parts";
import { hostRights } from "./permissions";
import { replayOf } from "./recording";
import { remember, remembered } from "./remembered";
import { type Roster, tell, tellMedia, you } from "./roster";
import { type Button, OwnSources } from "./sources";
import { Store } from "./store";
import { Tiling } from "./tiling";
import type { Entry, MeetingActions, MeetingModel, MeetingView, NoticeWhat, OutWhy, Phase, Refusal } from "./types";

/** After "leave" the server's last word is waited for so long. */
const LEAVE_WITHIN_MS = 1_500;
/** In a larger meeting nobody wants to read who came and went. */
const TELL_COMING_UP_TO = 12;

/** A meeting for a page; the page closes it when it goes away. */
export function createMeeting(entry: Entry, parts: Parts = BROWSER_PARTS): MeetingModel {
  return new Meeting(entry, parts);
}

class Meeting implements MeetingModel {
  readonly view: Store<MeetingView>;
  readonly actions: MeetingActions;
  private readonly capture: CaptureParts;
  private readonly playout: PlayoutParts;
  private readonly preparation: PreparationParts;
  private readonly standby: StandbyParts;
  private readonly sources: OwnSources;
  private readonly notices = new Notices(() => this.draw());
  private readonly chat: Chat;
  private readonly tiling = new Tiling(() => ({
    preview: this.capture.preview(),
    remote: (participant, kind) => this.session?.remote(participant, kind) ?? null,
  }));
  private connection: ConnectionParts | null = null;
  private session: SessionParts | null = null;
  /** The session's offer left with the hello: nobody has said yet that we are in. */
  private early = false;
  private limits: LimitTeller | null = null;
  private roster: Roster | null = null;
  private phase: Phase = { kind: "loading" };
  private media: MeetingView["media"] = "none";
  private readonly seatKey: string;
  private panel: MeetingView["panel"] = null;
  private log: MeetingView["log"] = null;
  private knock = 0;
  private reloaded = false;
  private leaving: OutWhy | null = null;
  private closed = false;
  private readonly door: Door;
  private readonly drawing = new Drawing(() => {
    if (!this.closed) this.drawNow();
  });
  private orderTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly entry: Entry,
    private readonly parts: Parts,
  ) {
    this.door = new Door(() => parts.door(entry), () => !this.closed && this.phase.kind === "prejoin", () => this.draw());
    this.view = new Store(emptyView(remembered("name") ?? ""));
    this.seatKey = entry.kind === "number" ? `number-${entry.number}` : entry.meeting;
    this.playout = parts.playout(() => this.draw());
    this.preparation = parts.preparation();
    this.standby = parts.standby();
    this.capture = parts.capture({
      track: (source, track) => void this.session?.setTrack(source, track),
      changed: () => this.draw(),
      lost: (device, fallback) => {
        this.say({ kind: "device-lost", device, fallback });
        if (fallback === null) this.turn(device, false);
      },
      screenEnded: () => this.sources.screenEnded(),
    });
    this.sources = new OwnSources(this.capture, {
      changed: () => this.draw(),
      failed: (device, cause) => {
        // Before joining the page shows the cause beside the device itself.
        if (this.phase.kind === "in") this.say({ kind: "device-error", device, cause });
      },
      refused: (error) => this.refused(error),
    });
    this.chat = new Chat(
      () => this.draw(),
      (error) => this.refused(error),
    );
    this.actions = this.makeActions();
    void this.begin();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.orderTimer);
    this.drawing.close();
    const { connection } = this;
    // The seat stays remembered: the page may be loaded again.
    this.connection = null;
    connection?.close();
    this.session?.close();
    this.limits?.close();
    this.preparation.close();
    this.standby.end();
    this.capture.close();
    this.playout.close();
    this.notices.clear();
  }

  private async begin(): Promise<void> {
    const seat = rememberedSeat(this.seatKey);
    if (seat) {
      this.reloaded = true;
      this.connect((connection) => connection.resume(seat));
      return;
    }
    let refused: Refusal | null = null;
    await this.parts.greet();
    if (this.entry.kind === "host" && this.entry.secret) {
      try {
        await this.parts.exchangeHostSecret(this.entry.meeting, this.entry.secret);
        // The cookie has taken its place: nobody shall copy the secret from the address.
        if (!this.closed) globalThis.history?.replaceState(globalThis.history.state, "", `/m/${encodeURIComponent(this.entry.meeting)}`);
      } catch (error) {
        refused = refusalOf(error);
      }
    }
    if (!this.closed) this.toDoor(refused);
  }

  /** Name and devices, as last time. */
  private toDoor(refused: Refusal | null, askPasscode = false): void {
    this.setPhase({ kind: "prejoin", joining: false, refused, askPasscode });
    const opened = (["microphone", "camera"] as const)
      .filter((kind) => remembered(`${kind}.on`) !== "false" && !this.capture.isOn(kind))
      .map((kind) => this.sources.set(kind, true, null, null));
    // Browsers tell all of the machine's addresses only to a page that may use its devices.
    void Promise.all(opened).then(() => {
      if (this.phase.kind === "prejoin" || this.phase.kind === "knocking") this.prepare();
    });
    // The cookies that it is opened with are those that it keeps: those of a host were exchanged before this.
    this.standby.begin();
    this.door.begin();
  }

  private prepare(): void {
    if (!this.closed) this.preparation.begin();
  }

  private join(passcode?: string): void {
    if (this.phase.kind !== "prejoin" || this.phase.joining) return;
    const name = this.view.get().name.trim();
    this.setPhase({ ...this.phase, joining: true, refused: null });
    const { entry } = this;
    const join: Exclude<Join, { by: "resume" }> =
      entry.kind === "link"
        ? { by: "link", meeting: entry.meeting, token: entry.token }
        : entry.kind === "number"
          ? { by: "number", number: entry.number, ...(passcode ? { passcode } : {}) }
          : { by: "host", meeting: entry.meeting };
    const ready = this.preparation.ready;
    this.connect((connection) => {
      connection.join(join, name);
      // The offer needs nothing that the server says: it travels with the hello.
      if (ready) this.startMedia(connection, USUAL_SLOTS);
      this.early = ready;
    });
  }

  private connect(start: (connection: ConnectionParts) => void): void {
    const connection = this.parts.connection({
      state: (state) => {
        if (this.connection === connection) this.onConnection(state);
      },
      event: (event) => {
        if (this.connection === connection) this.onEvent(event);
      },
      media: (media) => {
        if (this.connection === connection) this.onMedia(media);
      },
      seat: (seat) => this.onSeat(seat),
    }, this.standby);
    this.connection = connection;
    start(connection);
  }

  private onSeat(seat: Seat | null): void {
    if (seat) rememberSeat(this.seatKey, seat);
    else forgetSeat(this.seatKey);
  }

  private onConnection(state: ConnectionState): void {
    this.session?.setOnline(state.kind === "online");
    const { phase } = this;
    if (state.kind === "reconnecting") {
      const from = phase.kind === "in" || phase.kind === "knocking" ? phase.kind : phase.kind === "reconnecting" ? phase.from : null;
      if (from) this.setPhase({ kind: "reconnecting", from, since: state.since, until: state.until });
    } else if (state.kind === "online" && phase.kind === "reconnecting") {
      this.setPhase(this.roster?.inside ? { kind: "in" } : this.knocking(phase.since));
      this.say({ kind: "back" });
    } else if (state.kind === "closed") {
      this.onClosed(state.why);
    }
  }

  private onClosed(why: Extract<ConnectionState, { kind: "closed" }>["why"]): void {
    const { phase } = this;
    this.connection = null;
    if (phase.kind === "out") return;
    if (why.kind === "done") {
      this.out(this.leaving ?? "lost");
    } else if (phase.kind === "loading") {
      // The seat of before the reload is gone: come in by the door.
      this.reloaded = false;
      forgetSeat(this.seatKey);
      if (why.kind === "refused" && (why.code === "meeting-ended" || why.code === "banned")) {
        this.out(why.code === "banned" ? "banned" : "ended");
      } else this.toDoor(null);
    } else if (phase.kind === "prejoin") {
      this.endMedia();
      this.prepare();
      this.standby.begin();
      const code = why.kind === "refused" ? why.code : "unreachable";
      const asksPasscode = this.entry.kind === "number" && code === "wrong-number-or-passcode";
      const refused: Refusal = { code, retryAfter: why.kind === "refused" ? why.retryAfter : null };
      this.setPhase({ kind: "prejoin", joining: false, refused, askPasscode: phase.askPasscode || asksPasscode });
    } else if (why.kind === "refused") {
      this.out(why.code === "meeting-ended" ? "ended" : why.code === "banned" ? "banned" : "lost");
    } else {
      this.out("lost");
    }
  }

  private onEvent(event: Event): void {
    const before = this.roster;
    const told = tell(this.roster, event);
    this.roster = told.roster;
    switch (event.kind) {
      case "waiting":
        this.onWaiting(before);
        break;
      case "welcome":
        this.onWelcome(before);
        break;
      case "out":
        this.out(this.leaving ?? event.reason);
        return;
      case "knocked":
        this.knock += 1;
        break;
      case "knock-ended":
        this.notices.remove((what) => what.kind === "knock" && what.person === event.participant);
        break;
      case "asked-to-unmute":
        this.sources.ask(event.source);
        break;
      default:
        break;
    }
    const self = this.roster ? you(this.roster) : null;
    if (self && isAbout(self.id, event)) this.sources.agree(self);
    if (self) this.forgetAnswered(self.microphone, self.camera);
    for (const what of told.notices) if (this.isWorthSaying(what)) this.say(what);
    this.draw();
  }

  private onWaiting(before: Roster | null): void {
    this.endMedia();
    // What left early was in vain.
    this.prepare();
    // Sent back: nothing of the inside stays on the page.
    if (before?.inside) {
      this.sources.exit(false);
      this.notices.clear();
      this.panel = null;
      this.log = null;
      this.chat.clear();
    }
    const since = this.phase.kind === "knocking" ? this.phase.since : Date.now();
    this.setPhase(this.knocking(since));
  }

  private knocking(since: number): Phase {
    return { kind: "knocking", since, hostPresent: this.roster?.hostPresent ?? false, recorded: this.roster?.recorded ?? false };
  }

  private onWelcome(before: Roster | null): void {
    const { roster, connection } = this;
    const self = roster ? you(roster) : null;
    if (!roster?.inside || !self || !connection) return;
    const command = (one: Command) => connection.command(one);
    const how = this.reloaded ? "reloaded" : before?.inside?.epoch === roster.inside.epoch ? "resynced" : "admitted";
    this.reloaded = false;
    if (how === "admitted") {
      this.tiling.enter();
      this.chat.clear();
    }
    const { slots } = roster.inside;
    const started = this.early && this.session && slots.video === USUAL_SLOTS.video && slots.audio === USUAL_SLOTS.audio;
    this.early = false;
    if (this.session && how === "resynced") {
      this.session.renew();
      this.limits?.repeat();
    } else {
      if (!started) this.startMedia(connection, slots);
      this.session?.watch(this.tiling.firstWishes(roster.inside, roster.you, Date.now()));
    }
    this.setPhase({ kind: "in" });
    this.sources.enter(command, self, roster.inside.policy, how);
    this.knock += roster.inside.waiting.length > 0 && how === "admitted" ? 1 : 0;
  }

  private startMedia(connection: ConnectionParts, slots: SlotCounts): void {
    this.endMedia();
    const session = this.parts.session(slots, (one) => connection.command(one), {
      state: (state) => {
        this.media = state;
        if (state !== "connecting") this.drawing.free();
        this.draw();
      },
      tracks: () => this.draw(),
      sounds: (tracks) => {
        this.drawing.answered();
        this.playout.play(tracks);
      },
      doubt: () => this.connection?.probe(),
    }, this.preparation);
    this.session = session;
    session.setShareMode(this.capture.shareMode);
    this.limits = new LimitTeller(() => session.statistics(), (one) => connection.command(one));
    this.tiling.begin();
    this.media = "connecting";
    this.drawing.asked();
    for (const [source, track] of this.capture.tracks()) void session.setTrack(source, track);
    session.start();
  }

  private endMedia(): void {
    this.session?.close();
    this.limits?.close();
    this.session = this.limits = null;
    this.early = false;
    this.media = "none";
    this.drawing.free();
    this.playout.play([]);
  }

  private onMedia(media: MediaEvent): void {
    this.roster = tellMedia(this.roster, media);
    this.session?.handle(media);
    this.draw();
  }

  private out(why: OutWhy): void {
    this.leaving = null;
    const { connection } = this;
    // Its last words are not ours any more.
    this.connection = null;
    connection?.close();
    forgetSeat(this.seatKey);
    this.endMedia();
    this.preparation.end();
    this.standby.end();
    this.sources.exit(true);
    this.capture.release();
    this.notices.clear();
    this.chat.clear();
    const replay = replayOf(this.roster);
    this.roster = null;
    this.panel = null;
    this.log = null;
    this.tiling.turn({ page: 0, pinned: new Set() });
    this.setPhase({ kind: "out", why, mayRejoin: why !== "banned" && why !== "ended", replay });
  }

  private leave(why: "left" | "cancelled"): void {
    const { connection } = this;
    if (!connection) return;
    this.leaving = why;
    // The server answers by an `out` event; without a network nobody waits for it.
    connection.command({ do: "leave" }).catch(() => {});
    const done = () => {
      if (this.connection === connection) this.out(why);
    };
    if (this.phase.kind === "reconnecting") done();
    else setTimeout(done, LEAVE_WITHIN_MS);
  }

  private turn(button: Button, on: boolean): void {
    const self = this.roster ? you(this.roster) : null;
    if (this.phase.kind === "prejoin") remember(`${button}.on`, String(on));
    void this.sources.set(button, on, self?.role ?? null, this.roster?.inside?.policy ?? null);
  }

  private send(command: Command): Promise<Outcome> {
    return this.connection?.command(command) ?? Promise.reject(new CommandError("closed", "not connected"));
  }

  /** Asks the server; a refusal becomes a notice. */
  private ask(command: Command): Promise<Outcome | null> {
    return this.send(command).catch((error: unknown) => {
      this.refused(error);
      return null;
    });
  }

  private refused(error: unknown): void {
    // That the connection ended is said elsewhere.
    if (error instanceof CommandError && error.code === "closed") return;
    this.say({ kind: "refused", refusal: refusalOf(error) });
  }

  private say(what: NoticeWhat): void {
    this.notices.add(what);
  }

  private isWorthSaying(what: NoticeWhat): boolean {
    const size = this.roster?.inside?.participants.size ?? 0;
    switch (what.kind) {
      case "joined":
      case "left":
        return size <= TELL_COMING_UP_TO;
      case "chat":
        return this.panel !== "chat";
      case "muted":
        // The sound of a screen goes with its picture.
        return what.source !== "screen-audio";
      default:
        return true;
    }
  }

  /** Questions that were answered by doing it. */
  private forgetAnswered(microphone: boolean, camera: boolean): void {
    this.notices.remove(
      (what) =>
        what.kind === "asked-to-unmute" &&
        ((what.source === "microphone" && microphone) || (what.source === "camera" && camera)),
    );
  }

  private setPhase(phase: Phase): void {
    this.phase = phase;
    this.draw();
  }

  private draw(): void {
    this.drawing.want();
  }

  private drawNow(): void {
    const { roster, tiling } = this;
    const { page } = tiling;
    const inside = roster?.inside ?? null;
    const self = roster ? you(roster) : null;
    const now = Date.now();
    const role: Role | null = self?.role ?? null;
    const policy = inside?.policy ?? null;
    const source = (button: Button) => this.sources.view(button, role, policy);
    const old = this.view.get();
    const tiles = roster && inside ? tiling.tiles(inside, roster.you, now) : emptyView("").layout;
    const people = peopleView(roster, page.pinned);
    this.view.set({
      phase: this.phase,
      name: old.name,
      devices: {
        microphone: this.device("microphone"),
        camera: this.device("camera"),
        speaker: { options: canChooseSpeaker() ? this.capture.options.speaker : [], chosen: this.capture.chosen("speaker"), error: null },
        browser: browserOf(navigator.userAgent, navigator.maxTouchPoints),
      },
      preview: this.capture.preview(),
      prejoin: { microphone: source("microphone"), camera: source("camera") },
      meeting: roster?.meeting ?? null,
      door: this.door.sign,
      recording: inside?.recording ?? null,
      policy,
      own: ownView(roster, {
        microphone: source("microphone"),
        camera: source("camera"),
        screen: source("screen"),
        shareMode: this.capture.shareMode,
        speakingWhileMuted: this.capture.speakingWhileMuted,
        voiceOnly: page.voiceOnly,
      }),
      media: this.media,
      layout: { ...tiles, choice: page.choice },
      people,
      hands: people.filter(({ handPosition }) => handPosition !== null).sort((a, b) => (a.handPosition ?? 0) - (b.handPosition ?? 0)),
      waiting: waitingView(roster),
      knock: this.knock,
      chat: this.chat.view(roster, this.panel === "chat"),
      rights: hostRights(role),
      notices: this.notices.get(),
      panel: this.panel,
      soundBlocked: this.playout.blocked,
      log: this.log,
    });
    if (!inside) return;
    tiling.turn({ page: tiles.page });
    this.watch();
    clearTimeout(this.orderTimer);
    const due = tiling.nextChange(now);
    if (due !== null) this.orderTimer = setTimeout(() => this.draw(), due - now);
  }

  private watch(): void {
    const inside = this.roster?.inside;
    const wishes = inside ? this.tiling.wishes(this.view.get().layout, inside) : null;
    if (wishes) this.session?.watch(wishes);
  }

  private device(kind: "microphone" | "camera") {
    return { options: this.capture.options[kind], chosen: this.capture.chosen(kind), error: this.capture.error(kind) };
  }

  private makeActions(): MeetingActions {
    return meetingActions({
      view: this.view,
      capture: this.capture,
      playout: this.playout,
      notices: this.notices,
      chat: this.chat,
      session: () => this.session,
      roster: () => this.roster,
      page: () => this.tiling.page,
      turnPage: (change) => {
        this.tiling.turn(change);
        this.draw();
      },
      show: (panel) => {
        this.panel = panel;
        this.draw();
      },
      keepLog: (log) => {
        this.log = log;
        this.draw();
      },
      seen: (tile, height) => {
        if (this.tiling.seen(tile, height)) this.watch();
      },
      join: (passcode) => this.join(passcode),
      rejoin: () => {
        if (this.phase.kind === "out" && this.phase.mayRejoin) this.toDoor(null);
      },
      leave: (why) => this.leave(why),
      turn: (button, on) => this.turn(button, on),
      send: (command) => this.send(command),
      ask: (command) => this.ask(command),
    });
  }
}

/** Whether an event may have turned off sources of this participant. */
function isAbout(id: ParticipantId, event: Event): boolean {
  if (event.kind === "updated") return event.participant.id === id;
  return event.kind === "turned-off" && event.participants.includes(id);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof CommandError && error.code !== "closed") return { code: error.code, retryAfter: error.retryAfter };
  if (error instanceof RestError) return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
  return { code: "internal", retryAfter: null };
}
