// Broadcasts made in this browser as data: made, looked after, ended. The list is the browser's own, as its history is;
// whether each is live the server says.

import { broadcast, createBroadcast, endBroadcast, me, RestError } from "../client/rest";
import { forgetStreamKey, keepStreamKey } from "../client/stream-key";
import { remember, remembered } from "./remembered";
import { Store } from "./store";
import type { Readable, Refusal } from "./types";

const KEY = "broadcasts";
const KEPT = 50;
const AGAIN_MS = 5_000;

export interface OwnBroadcast {
  id: string;
  title: string;
  at: number;
}

export interface ListedBroadcast extends OwnBroadcast {
  /** `unknown` until the server has said. */
  state: "unknown" | "live" | "off" | "gone";
  viewers: number;
  watchUrl: string;
}

export interface BroadcastsView {
  list: readonly ListedBroadcast[];
  /** Null until the server has said. */
  mayCreate: boolean | null;
  making: boolean;
  refused: Refusal | null;
}

export interface BroadcastsActions {
  /** Gives the id of the new one; null where it was refused. */
  make: (title: string) => Promise<string | null>;
  end: (id: string) => void;
  forget: (id: string) => void;
}

export interface BroadcastsModel {
  view: Readable<BroadcastsView>;
  actions: BroadcastsActions;
  start: () => void;
  stop: () => void;
}

export function parseOwn(stored: string | null): OwnBroadcast[] {
  try {
    const read: unknown = JSON.parse(stored ?? "[]");
    return Array.isArray(read) ? read.filter(isOwn) : [];
  } catch {
    return [];
  }
}

function isOwn(value: unknown): value is OwnBroadcast {
  if (typeof value !== "object" || value === null) return false;
  const { id, title, at } = value as Partial<Record<keyof OwnBroadcast, unknown>>;
  // What is stored becomes part of an address.
  return typeof id === "string" && /^[\w-]+$/u.test(id) && typeof title === "string" && typeof at === "number";
}

export function createBroadcasts(): BroadcastsModel {
  const own = parseOwn(remembered(KEY));
  const unknown = (one: OwnBroadcast): ListedBroadcast => ({ ...one, state: "unknown", viewers: 0, watchUrl: `${location.origin}/w/${one.id}` });
  const view = new Store<BroadcastsView>({ list: own.map(unknown), mayCreate: null, making: false, refused: null });
  let timer: ReturnType<typeof setInterval> | undefined;

  const setList = (list: readonly ListedBroadcast[]) => {
    view.update((now) => ({ ...now, list }));
    remember(KEY, JSON.stringify(list.slice(0, KEPT).map(({ id, title, at }) => ({ id, title, at }))));
  };
  const change = (id: string, part: Partial<ListedBroadcast>) => view.update((now) => ({ ...now, list: now.list.map((one) => (one.id === id ? { ...one, ...part } : one)) }));
  const refuse = (error: unknown) => view.update((now) => ({ ...now, making: false, refused: refusalOf(error) }));
  const look = async (id: string) => {
    try {
      const { live, viewers, whep_url } = await broadcast(id);
      change(id, { state: live ? "live" : "off", viewers, watchUrl: whep_url.replace("/whep/", "/w/") });
    } catch (error) {
      if (error instanceof RestError && error.code === "not-found") change(id, { state: "gone", viewers: 0 });
    }
  };
  const lookAtAll = () => {
    if (document.hidden) return;
    for (const { id, state } of view.get().list) if (state !== "gone") void look(id);
  };
  const forget = (id: string) => {
    forgetStreamKey(id);
    setList(view.get().list.filter((one) => one.id !== id));
  };

  return {
    view,
    actions: {
      make: async (title) => {
        view.update((now) => ({ ...now, making: true, refused: null }));
        try {
          const made = await createBroadcast(title);
          const { rtmp_url: rtmpUrl, srt_url: srtUrl } = made;
          keepStreamKey(made.id, { key: made.stream_key, ...(rtmpUrl && { rtmpUrl }), ...(srtUrl && { srtUrl }) });
          setList([{ ...unknown({ id: made.id, title, at: Date.now() }), watchUrl: made.watch_url }, ...view.get().list]);
          view.update((now) => ({ ...now, making: false }));
          return made.id;
        } catch (error) {
          refuse(error);
          return null;
        }
      },
      end: (id) => void endBroadcast(id).then(() => forget(id), refuse),
      forget,
    },
    start: () => {
      me().then(
        ({ may_create }) => view.update((now) => ({ ...now, mayCreate: may_create })),
        (error: unknown) => refuse(error),
      );
      lookAtAll();
      timer = setInterval(lookAtAll, AGAIN_MS);
    },
    stop: () => clearInterval(timer),
  };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof RestError) return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
  return { code: "internal", retryAfter: null };
}
