// A broadcast that another program sends to, as data: where it sends to, what arrives, and what is wrong with it. Knows no
// page.

import type { Push } from "../client/push";
import { broadcast, RestError, type ShownBroadcast } from "../client/rest";
import { keepStreamKey, keptStreamKey, type StreamKey } from "../client/stream-key";
import { refusalOf } from "./refusal";
import { Store } from "./store";
import type { StudioBroadcast } from "./studio-types";
import type { Readable, Refusal } from "./types";

/** What is wrong is known after 2.5 s, and shall be read within three. */
const LOOK_MS = 400;
/** Where the server does not answer, or nobody looks at the page. */
const SELDOM_MS = 3_000;
const SAMPLE_MS = 1_000;
/** A minute of samples. */
const KEPT = 60;

export type EncoderPhase = { kind: "loading" } | { kind: "ready" } | { kind: "failed"; refusal: Refusal };

export interface EncoderView {
  phase: EncoderPhase;
  broadcast: StudioBroadcast | null;
  live: boolean;
  viewers: number;
  /** What arrives by RTMP; null where nothing does, or one may not see it. */
  push: Push | null;
  /** Bits a second of the last minute, oldest first. */
  history: readonly number[];
  /** The server does not answer: what is shown was so. */
  away: boolean;
}

export interface EncoderActions {
  giveKey: (key: string) => void;
}

export interface EncoderModel {
  view: Readable<EncoderView>;
  actions: EncoderActions;
  close: () => void;
}

/** How others push and watch. */
export function studioBroadcast({ id, title, whep_url }: ShownBroadcast, key: StreamKey | null): StudioBroadcast {
  const base = whep_url.slice(0, whep_url.lastIndexOf("/whep/"));
  return {
    id,
    title,
    watchUrl: `${base}/w/${id}`,
    whipUrl: `${base}/whip/${id}`,
    rtmpUrl: key?.rtmpUrl ?? null,
    srtUrl: key?.srtUrl ?? null,
    streamKey: key?.key ?? null,
  };
}

/** All bits a second of a push. */
export function bitrateOf({ video, audio }: Push): number {
  return (video?.bits_per_second ?? 0) + (audio?.bits_per_second ?? 0);
}

export function createEncoder(id: string): EncoderModel {
  const view = new Store<EncoderView>({ phase: { kind: "loading" }, broadcast: null, live: false, viewers: 0, push: null, history: [], away: false });
  let key = keptStreamKey(id);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let looking = false;
  let sampledAt = 0;
  const show = (change: Partial<EncoderView>) => {
    if (!closed) view.update((now) => ({ ...now, ...change }));
  };
  const sample = (push: Push | null): readonly number[] => {
    const { history } = view.get();
    if (!push) return [];
    if (Date.now() - sampledAt < SAMPLE_MS) return history;
    sampledAt = Date.now();
    return [...history, bitrateOf(push)].slice(-KEPT);
  };
  const look = async () => {
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    let next = LOOK_MS;
    try {
      const said = await broadcast(id, key?.key);
      const push = said.publisher ?? null;
      show({ phase: { kind: "ready" }, broadcast: studioBroadcast(said, key), live: said.live, viewers: said.viewers, push, history: sample(push), away: false });
    } catch (error) {
      const known = view.get().broadcast !== null;
      const gone = error instanceof RestError && error.code === "not-found";
      if (gone || !known) show({ phase: { kind: "failed", refusal: refusalOf(error) } });
      if (gone) return;
      show({ away: known });
      next = SELDOM_MS;
    } finally {
      looking = false;
    }
    if (!closed) timer = setTimeout(() => void look(), document.hidden ? SELDOM_MS : next);
  };
  const onVisible = () => {
    if (!document.hidden && view.get().phase.kind === "ready") void look();
  };
  document.addEventListener("visibilitychange", onVisible);
  void look();
  return {
    view,
    actions: {
      giveKey: (given) => {
        const trimmed = given.trim();
        if (!trimmed) return;
        key = { key: trimmed };
        keepStreamKey(id, key);
        const { broadcast: shown } = view.get();
        show({ broadcast: shown && { ...shown, streamKey: trimmed } });
      },
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    },
  };
}
