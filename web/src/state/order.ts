// The order of tiles. People keep their places: who speaks off the page takes a place on it only
// after a while, and the one who gives it up is who was quiet longest. Told the time, holds no timer.

import type { Participant, ParticipantId } from "../client/protocol";

/** A speaker off the page gets a tile after so long. */
export const SWAP_AFTER_MS = 2_000;
/** Short pauses of speech do not count. */
const PAUSE_MS = 700;
/** The large tile of the speaker view changes no faster. */
export const STAGE_AFTER_MS = 1_000;
const STAGE_HOLD_MS = 2_000;

export class TileOrder {
  private order: ParticipantId[] = [];
  /** Since when somebody speaks, and when he was heard last. */
  private readonly voices = new Map<ParticipantId, { since: number; last: number }>();
  private speaking: ReadonlySet<ParticipantId> = new Set();
  private stage: { id: ParticipantId; since: number } | null = null;

  /**
   * Everybody in order: spotlight first, then as they came, speakers and cameras moved to the first
   * page of `pageSize` where they were off it. `self` keeps the first place of the grid.
   */
  update(
    people: readonly Participant[],
    speakers: readonly ParticipantId[],
    self: ParticipantId,
    pageSize: number,
    now: number,
  ): ParticipantId[] {
    const byId = new Map(people.map((person) => [person.id, person]));
    this.hear(speakers, byId, now);
    const known = this.order.filter((id) => byId.has(id));
    const came = people.map(({ id }) => id).filter((id) => !known.includes(id));
    this.order = [...known, ...came];
    const me = this.order.indexOf(self);
    if (me > 0) this.order.splice(0, 0, ...this.order.splice(me, 1));
    this.swap(byId, self, pageSize, now);
    const lit = this.order.filter((id) => byId.get(id)?.spotlight);
    return [...lit, ...this.order.filter((id) => !lit.includes(id))];
  }

  /** Whose picture is large in the speaker view: another than oneself where there is one. */
  speaker(people: readonly Participant[], self: ParticipantId, now: number): ParticipantId | null {
    const others = people.filter(({ id }) => id !== self);
    const there = this.stage && others.some(({ id }) => id === this.stage?.id) ? this.stage : null;
    const next = [...this.speaking].find((id) => id !== self && now - (this.voices.get(id)?.since ?? now) >= STAGE_AFTER_MS);
    if (there && (next === undefined || this.speaking.has(there.id) || now - there.since < STAGE_HOLD_MS)) return there.id;
    const first = this.order.find((id) => others.some((one) => one.id === id && one.camera)) ?? others[0]?.id;
    const chosen = next ?? first ?? self;
    this.stage = { id: chosen, since: now };
    return people.length === 0 ? null : chosen;
  }

  /** When the order may change without an event; null where it will not. */
  nextChange(pageSize: number, now: number): number | null {
    const dues = [...this.voices].flatMap(([id, { since }]) => {
      if (!this.speaking.has(id)) return [];
      return this.order.indexOf(id) >= pageSize ? [since + STAGE_AFTER_MS, since + SWAP_AFTER_MS] : [since + STAGE_AFTER_MS];
    });
    if (this.stage) dues.push(this.stage.since + STAGE_HOLD_MS);
    const due = Math.min(...dues.filter((one) => one > now));
    return Number.isFinite(due) ? due : null;
  }

  private hear(speakers: readonly ParticipantId[], byId: ReadonlyMap<ParticipantId, Participant>, now: number): void {
    for (const id of this.speaking) {
      const voice = this.voices.get(id);
      // Until a moment ago: he is told of no more.
      if (voice) voice.last = now;
    }
    this.speaking = new Set(speakers.filter((id) => byId.has(id)));
    for (const id of this.speaking) {
      const voice = this.voices.get(id);
      const goesOn = voice !== undefined && now - voice.last <= PAUSE_MS;
      this.voices.set(id, { since: goesOn ? voice.since : now, last: now });
    }
    for (const id of this.voices.keys()) if (!byId.has(id)) this.voices.delete(id);
  }

  private swap(byId: ReadonlyMap<ParticipantId, Participant>, self: ParticipantId, pageSize: number, now: number): void {
    if (this.order.length <= pageSize) return;
    const place = (id: ParticipantId) => this.order.indexOf(id);
    const off = this.order.slice(pageSize);
    const speaking = off.filter((id) => {
      const voice = this.voices.get(id);
      return voice !== undefined && this.speaking.has(id) && now - voice.since >= SWAP_AFTER_MS;
    });
    for (const id of speaking) {
      const leaver = this.quietest(byId, self, pageSize);
      if (leaver === null) return;
      this.exchange(place(id), place(leaver));
    }
    // A camera off the page takes the place of somebody without one who is quiet.
    const cameras = this.order.slice(pageSize).filter((id) => byId.get(id)?.camera);
    for (const id of cameras) {
      const leaver = this.order
        .slice(0, pageSize)
        .findLast((one) => one !== self && !byId.get(one)?.camera && !byId.get(one)?.spotlight && !this.speaking.has(one));
      if (leaver === undefined) return;
      this.exchange(place(id), place(leaver));
    }
  }

  /** Who on the first page was quiet longest, those without a camera before those with one. */
  private quietest(
    byId: ReadonlyMap<ParticipantId, Participant>,
    self: ParticipantId,
    pageSize: number,
  ): ParticipantId | null {
    const heard = (id: ParticipantId) => this.voices.get(id)?.last ?? 0;
    const candidates = this.order
      .slice(0, pageSize)
      .filter((id) => id !== self && !byId.get(id)?.spotlight && !this.speaking.has(id))
      .sort(
        (a, b) =>
          Number(byId.get(a)?.camera ?? false) - Number(byId.get(b)?.camera ?? false) ||
          heard(a) - heard(b) ||
          this.order.indexOf(b) - this.order.indexOf(a),
      );
    return candidates[0] ?? null;
  }

  private exchange(a: number, b: number): void {
    const [one, other] = [this.order[a], this.order[b]];
    if (one === undefined || other === undefined) return;
    this.order[a] = other;
    this.order[b] = one;
  }
}
