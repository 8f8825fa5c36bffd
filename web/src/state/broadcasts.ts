// Broadcasts as data: those that the server lists, made, given new keys, ended. What this tab alone has are their keys.

import { broadcasts, createBroadcast, endBroadcast, type ListedBroadcast, me, newStreamKey, RestError } from "../client/rest";
import { forgetStreamKey, keepStreamKey } from "../client/stream-key";
import { Store } from "./store";
import type { Readable, Refusal } from "./types";

export type { ListedBroadcast };

const AGAIN_MS = 5_000;

export interface BroadcastsView {
  /** Newest first. */
  list: readonly ListedBroadcast[];
  /** Nothing was said yet. */
  loading: boolean;
  /** There are older ones. */
  more: boolean;
  /** Those of others are among them. */
  mayAdministrate: boolean;
  /** Null until the server has said. */
  mayCreate: boolean | null;
  making: boolean;
  refused: Refusal | null;
}

export interface BroadcastsActions {
  /** Gives the id of the new one; null where it was refused. */
  make: (title: string) => Promise<string | null>;
  /** Whoever sends with the key before it is cut; whether there is a new one, which this tab has then. */
  renewKey: (id: string) => Promise<boolean>;
  end: (id: string) => void;
  more: () => void;
}

export interface BroadcastsModel {
  view: Readable<BroadcastsView>;
  actions: BroadcastsActions;
  start: () => void;
  stop: () => void;
}

export interface BroadcastsParts {
  me: typeof me;
  list: typeof broadcasts;
  make: typeof createBroadcast;
  renewKey: typeof newStreamKey;
  end: typeof endBroadcast;
  hidden: () => boolean;
}

const BROWSER_PARTS: BroadcastsParts = {
  me, list: broadcasts, make: createBroadcast, renewKey: newStreamKey, end: endBroadcast, hidden: () => document.hidden,
};

export function createBroadcasts(parts: BroadcastsParts = BROWSER_PARTS): BroadcastsModel {
  const view = new Store<BroadcastsView>({ list: [], loading: true, more: false, mayAdministrate: false, mayCreate: null, making: false, refused: null });
  let next: string | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  /** Answers to questions from before a change come too late. */
  let asked = 0;

  /** What is refused is a look of our own: the next one that is answered takes that back. What was refused of a deed stays. */
  let looked = false;
  /** Who asks is still to be asked. */
  let nobody = false;

  const refuse = (error: unknown, ofLook = false) => {
    looked = ofLook;
    view.update((now) => ({ ...now, loading: false, making: ofLook && now.making, refused: refusalOf(error) }));
  };
  const askWho = () => {
    nobody = false;
    parts.me().then(
      ({ may_create, may_administrate }) => view.update((now) => ({ ...now, mayCreate: may_create, mayAdministrate: may_administrate })),
      (error: unknown) => {
        nobody = true;
        refuse(error, true);
      },
    );
  };
  /** The newest take the place of what is known of them; those between them that are gone were ended. */
  const lookAgain = async () => {
    if (parts.hidden()) return;
    const question = ++asked;
    try {
      const page = await parts.list(null);
      if (question !== asked) return;
      const last = page.broadcasts.at(-1);
      view.update((now) => {
        const older = page.next === null || last === undefined ? [] : now.list.filter((one) => one.created_at <= last.created_at && page.broadcasts.every(({ id }) => id !== one.id));
        return { ...now, list: [...page.broadcasts, ...older], loading: false, more: older.length > 0 ? now.more : page.next !== null, refused: looked ? null : now.refused };
      });
      looked = false;
      if (nobody) askWho();
      if (next === null || !view.get().more) next = page.next;
    } catch (error) {
      // The list stands as it was where the network is away.
      if (question === asked && (view.get().loading || !(error instanceof RestError && error.code === "unreachable"))) refuse(error, true);
    }
  };
  const change = async (what: () => Promise<void>): Promise<boolean> => {
    view.update((now) => ({ ...now, refused: null }));
    try {
      await what();
      asked += 1;
      return true;
    } catch (error) {
      refuse(error);
      return false;
    }
  };

  return {
    view,
    actions: {
      make: async (title) => {
        view.update((now) => ({ ...now, making: true }));
        let id: string | null = null;
        await change(async () => {
          const { rtmp_url: rtmpUrl, srt_url: srtUrl, ...made } = await parts.make(title);
          keepStreamKey(made.id, { key: made.stream_key, ...(rtmpUrl && { rtmpUrl }), ...(srtUrl && { srtUrl }) });
          id = made.id;
          view.update((now) => ({ ...now, making: false }));
        });
        return id;
      },
      renewKey: (id) =>
        change(async () => {
          const { stream_key: key, rtmp_url: rtmpUrl } = await parts.renewKey(id);
          keepStreamKey(id, { key, ...(rtmpUrl && { rtmpUrl }) });
        }),
      end: (id) =>
        void change(async () => {
          await parts.end(id);
          forgetStreamKey(id);
          view.update((now) => ({ ...now, list: now.list.filter((one) => one.id !== id) }));
        }),
      more: () =>
        void change(async () => {
          if (next === null) return;
          const page = await parts.list(next);
          next = page.next;
          view.update((now) => ({
            ...now,
            list: [...now.list, ...page.broadcasts.filter(({ id }) => now.list.every((one) => one.id !== id))],
            more: page.next !== null,
          }));
        }),
    },
    start: () => {
      askWho();
      void lookAgain();
      timer = setInterval(() => void lookAgain(), AGAIN_MS);
    },
    stop: () => {
      clearInterval(timer);
      asked += 1;
    },
  };
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof RestError) return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
  return { code: "internal", retryAfter: null };
}
