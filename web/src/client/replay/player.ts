// Plays a recording: all of its sources at one place, led by a sound. Waits for what is not here yet, but for no picture
// longer than anybody likes. Knows no people and no page.

import { bytesOf, type RecordingTrack, segmentsOf } from "../recordings";
import { Clock } from "./clock";
import { type Source, sourcesOf } from "./index";
import { Lane, type LaneParts } from "./lane";
import { BROWSER_MEDIA, type MediaParts, type Playable } from "./media";
import { HARD_SKEW } from "./sync";

const LOOK_EVERY_MS = 50;
/** A sound needs a moment until it is heard; a device that never begins keeps nobody waiting. */
const SOUND_BEGINS_MS = 300;
/** A picture that is late joins later. */
const PICTURES_WAIT_MS = 700;
/** Sounds as long as that, where others are here. */
const SOUNDS_WAIT_MS = 5_000;
/** Voices at once: more nobody understands, and browsers have no more elements. */
const VOICES = 16;
/** What will be heard within this time is fetched, what was heard longer ago is closed (seconds). */
const SOON = 20;
const AGO = 8;
/** What is watched while it is recorded is so far behind what is written: until one is told again, and has fetched it. */
const BEHIND_S = 4;
/** Who is no further behind that sees it live, and comes back to it: so much faster, between these two. */
const LIVE_S = 6;
const CATCHES_UP = 1.05;
const [FAR_S, NEAR_S] = [1.5, 0.5];
/** Where nothing more is told of, the replay waits until there is so much of it (seconds). */
const ENOUGH_S = 1;

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

export interface PlayerState {
  /** What was asked for; at the end it is back to false. */
  playing: boolean;
  /** It would play, or stand elsewhere, but for what is still to come. */
  waiting: boolean;
  /** Seconds; of a recording that goes on: what can be watched so far. */
  duration: number;
  /** It goes on: whether one is at what comes now. Null where it is over. */
  live: boolean | null;
  rate: number;
  /** 0 to 1. */
  volume: number;
  muted: boolean;
  /** This device plays no sound at all. */
  soundless: boolean;
  /** The browser wants a click first. */
  blocked: boolean;
  /** The server refused some of it: it may be deleted. */
  gone: boolean;
  /** Sources that have a picture now, and those whose codec this browser lacks. */
  showing: readonly string[];
  unplayable: readonly string[];
}

export interface PlayerParts extends Omit<LaneParts, "media"> {
  media: MediaParts;
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  every(milliseconds: number, look: () => void): () => void;
}

export const BROWSER_PLAYER: PlayerParts = {
  media: BROWSER_MEDIA,
  segments: segmentsOf,
  bytes: bytesOf,
  now: () => performance.now(),
  every(milliseconds, look) {
    const timer = setInterval(look, milliseconds);
    return () => clearInterval(timer);
  },
  wait: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const ended = () => {
        clearTimeout(timer);
        reject(new DOMException("aborted", "AbortError"));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", ended);
        resolve();
      }, milliseconds);
      signal.addEventListener("abort", ended, { once: true });
    }),
};

export class ReplayPlayer {
  private readonly lanes = new Map<string, Lane>();
  /** Pictures that are on the page. */
  private wanted = new Set<string>();
  /** Sources whose elements are there. */
  private readonly open = new Set<string>();
  private readonly clock = new Clock();
  private readonly stop: () => void;
  private duration = 0;
  /** Of a recording that goes on: how much is written, and when that was told. Null where it is over. */
  private told: { written: number; at: number } | null = null;
  /** It caught up with what is told. */
  private starved = false;
  /** As it was chosen; the clock may be a little faster. */
  private rate = 1;
  private catching = false;
  private playing = false;
  private volume = 1;
  private muted = false;
  private blocked = false;
  private soundless = false;
  private gone = false;
  /** Since when the sounds were told to play, but are not heard yet: the clock and the pictures begin with them. */
  private beginning: number | null = null;
  /** Since when something is waited for; null while nothing is. */
  private waitingSince: number | null = null;
  /** What was waited for in vain: it joins when it comes. */
  private readonly late = new Set<Lane>();
  private state: PlayerState;

  constructor(
    private readonly changed: () => void,
    private readonly parts: PlayerParts = BROWSER_PLAYER,
  ) {
    this.state = this.tell();
    this.stop = parts.every(LOOK_EVERY_MS, () => this.look());
  }

  /** What there is; again where a recording goes on: then with how much of it is written. */
  load(tracks: readonly RecordingTrack[], durationMs: number, writtenMs: number | null = null): void {
    this.duration = writtenMs === null ? durationMs / 1000 : this.end();
    this.told = writtenMs === null ? null : { written: writtenMs / 1000, at: this.parts.now() };
    this.duration = this.end();
    for (const source of sourcesOf(tracks, (type) => this.parts.media.playable(type))) {
      const known = this.lanes.get(source.key);
      if (known) known.grow(source);
      else this.lanes.set(source.key, this.lane(source));
    }
    this.look();
  }

  get(): PlayerState {
    return this.state;
  }

  source(key: string): Source | null {
    return this.lanes.get(key)?.source ?? null;
  }

  /** What was captured before this can be asked for (seconds). */
  edge(): number {
    return this.told?.written ?? Infinity;
  }

  position(): number {
    return Math.min(this.clock.now(this.parts.now()), this.end());
  }

  /** How far one can watch. It never becomes less, and goes on by itself between two times that one is told. */
  private end(): number {
    const { told, duration } = this;
    if (!told) return duration;
    const passed = (this.parts.now() - told.at) / 1000;
    return Math.max(duration, Math.min(told.written, told.written - BEHIND_S + passed));
  }

  /** The element with a source's picture, for the page to put somewhere; null while there is none. */
  picture(key: string): Playable | null {
    return this.wanted.has(key) ? (this.lanes.get(key)?.element ?? null) : null;
  }

  /** Which pictures are on the page. */
  want(keys: readonly string[]): void {
    // Nothing that plays stands still for what is only now looked at.
    for (const key of this.clock.isRunning ? keys : []) {
      const lane = this.lanes.get(key);
      if (lane && !this.wanted.has(key)) this.late.add(lane);
    }
    this.wanted = new Set(keys);
    this.look();
  }

  play(): void {
    if (!this.told && this.position() >= this.duration) this.seek(0);
    this.playing = true;
    this.blocked = false;
    this.look();
  }

  pause(): void {
    this.playing = false;
    this.look();
  }

  /** To what is recorded now. */
  goLive(): void {
    this.seek(this.end());
    this.play();
  }

  seek(to: number): void {
    const position = Math.max(0, Math.min(to, this.end()));
    const now = this.parts.now();
    this.clock.run(now, false);
    this.clock.set(now, position);
    this.beginning = null;
    this.waitingSince = now;
    this.late.clear();
    for (const lane of this.lanes.values()) lane.jump(position);
    this.look();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.look();
  }

  setVolume(volume: number): void {
    this.volume = Math.max(0, Math.min(1, volume));
    this.muted = false;
    this.look();
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.look();
  }

  close(): void {
    this.stop();
    for (const lane of this.lanes.values()) lane.close();
    this.lanes.clear();
  }

  private lane(source: Lane["source"]): Lane {
    // What goes on has no end yet that an element could know.
    const duration = () => (this.told ? Infinity : this.duration);
    return new Lane(source, duration, () => this.edge(), this.parts, {
      blocked: () => {
        if (this.blocked) return;
        this.blocked = true;
        this.playing = false;
        this.look();
      },
      soundless: () => {
        this.soundless = true;
      },
      gone: () => {
        this.gone = true;
        this.look();
      },
    });
  }

  private look(): void {
    const now = this.parts.now();
    const at = this.position();
    const active = this.choose(at);
    if (!this.told && this.playing && at >= this.duration && this.duration > 0) this.playing = false;
    this.pace(at, now);
    const waits = this.awaits(active, at, now) || this.starves(at, now);
    const wanted = this.playing && !waits;
    const running = wanted && (this.clock.isRunning || this.begins(active, at, now));
    if (!wanted) this.beginning = null;
    if (running !== this.clock.isRunning) this.clock.run(now, running);
    const leader = running ? leaderOf(active, at) : null;
    if (leader?.element) this.clock.follow(now, leader.element.currentTime);
    const target = this.position();
    const volume = this.muted || this.soundless ? 0 : this.volume;
    for (const lane of active) {
      const first = this.beginning !== null && lane.source.kind === "audio";
      lane.look({ target, running: running || first, rate: this.clock.rate, leads: first || lane === leader, volume });
    }
    const state = this.tell();
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.changed();
  }

  /** The lanes that have an element: the pictures on the page, and who is heard now or soon. */
  private choose(at: number): Lane[] {
    const near = [...this.lanes.values()].filter((lane) => lane.source.kind === "audio" && lane.isDueWithin(at - AGO, at + SOON));
    const rank = (lane: Lane) => (lane.isDue(at) ? 0 : 2) + (this.open.has(lane.source.key) ? 0 : 1);
    const voices = near.sort((a, b) => rank(a) - rank(b)).slice(0, VOICES);
    const active = [...voices, ...[...this.wanted].flatMap((key) => this.lanes.get(key) ?? [])];
    const keys = new Set(active.map(({ source }) => source.key));
    for (const key of this.open) {
      if (keys.has(key)) continue;
      this.open.delete(key);
      this.lanes.get(key)?.shut();
    }
    for (const key of keys) this.open.add(key);
    return active;
  }

  /** Whether the clock may begin: where there are sounds, with the first that is heard. */
  private begins(active: readonly Lane[], at: number, now: number): boolean {
    const sounds = active.filter(({ source, element }) => source.kind === "audio" && element !== null).filter((lane) => lane.isDue(at));
    const heard = sounds.find((lane) => (lane.skew(at) ?? 0) > 0.001)?.element;
    this.beginning ??= now;
    if (sounds.length > 0 && !heard && now - this.beginning < SOUND_BEGINS_MS) return false;
    if (heard) this.clock.set(now, heard.currentTime);
    this.beginning = null;
    return true;
  }

  /** Whether the replay stands still for what is to come. */
  private awaits(active: readonly Lane[], at: number, now: number): boolean {
    const missing = active.filter((lane) => !lane.isReady(at, this.clock.isRunning || this.beginning !== null));
    for (const lane of this.late) if (!missing.includes(lane)) this.late.delete(lane);
    const awaited = missing.filter((lane) => !this.late.has(lane));
    if (awaited.length === 0) {
      this.waitingSince = null;
      return false;
    }
    this.waitingSince ??= now;
    const waited = now - this.waitingSince;
    const patient = awaited.filter(({ source }) => {
      if (source.kind === "video") return waited < PICTURES_WAIT_MS;
      return waited < SOUNDS_WAIT_MS || missing.length === active.length;
    });
    if (patient.length > 0) return true;
    for (const lane of awaited) this.late.add(lane);
    this.waitingSince = null;
    return false;
  }

  /** Nobody can watch faster than it happens, and who sees it live stays there after a moment's trouble. */
  private pace(at: number, now: number): void {
    const behind = this.told ? this.end() - at : 0;
    if (this.told && this.rate > 1 && behind <= 0) this.rate = 1;
    this.catching = this.rate === 1 && behind < LIVE_S && behind > (this.catching ? NEAR_S : FAR_S);
    const rate = this.rate * (this.catching ? CATCHES_UP : 1);
    if (rate !== this.clock.rate) this.clock.setRate(now, rate);
  }

  /** Whether it has played all that it was told of. */
  private starves(at: number, now: number): boolean {
    const { told } = this;
    const left = told ? told.written - at : Infinity;
    this.starved = left <= 0 || (this.starved && left < ENOUGH_S);
    if (this.starved) this.waitingSince ??= now;
    return this.starved;
  }

  private tell(): PlayerState {
    const at = this.position();
    const end = this.end();
    const keys = (of: (lane: Lane) => boolean) => [...this.lanes.values()].filter(of).map(({ source }) => source.key);
    const { playing, volume, muted, blocked, soundless, gone } = this;
    return {
      playing,
      waiting: this.waitingSince !== null,
      // A bar that grows does so by whole seconds.
      duration: this.told ? Math.floor(end) : end,
      live: this.told ? at >= end - LIVE_S : null,
      rate: this.rate,
      volume,
      muted,
      soundless,
      blocked,
      gone,
      showing: keys((lane) => lane.showing && lane.source.kind === "video"),
      unplayable: keys((lane) => lane.unplayable(at)),
    };
  }
}

/** The sound that the clock follows: one that plays, as long as it does. */
function leaderOf(active: readonly Lane[], at: number): Lane | null {
  return (
    active.find((lane) => {
      if (lane.source.kind !== "audio") return false;
      const skew = lane.skew(at);
      return skew !== null && Math.abs(skew) < HARD_SKEW;
    }) ?? null
  );
}
