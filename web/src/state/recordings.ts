// The list of recordings as data: searched, shared, renamed, deleted.

import {
  changeRecording, deleteRecording, makeLink, type RecordingChange, recordings, type RecordingSummary,
} from "../client/recordings";
import { RestError } from "../client/rest";
import { Store } from "./store";
import type { Readable, Refusal } from "./types";

/** Typing is waited for so long. */
const SETTLED_MS = 250;
/** What runs or is being finished changes meanwhile. */
const AGAIN_MS = 5_000;
const DAY_MS = 86_400_000;

export const EXPIRIES = ["day", "week", "month", "never"] as const;
export type Expiry = (typeof EXPIRIES)[number];
const LASTS: Record<Expiry, number | null> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, never: null };

export interface RecordingsView {
  list: readonly RecordingSummary[];
  query: string;
  loading: boolean;
  /** There are older ones. */
  more: boolean;
  /** A link that was just made; the server shows it this once. */
  link: { id: string; url: string } | null;
  /** One was deleted. */
  deleted: boolean;
  refused: Refusal | null;
}

export interface RecordingsActions {
  search: (query: string) => void;
  more: () => void;
  change: (id: string, change: RecordingChange) => void;
  setExpiry: (id: string, expiry: Expiry) => void;
  makeLink: (id: string) => void;
  remove: (id: string) => void;
}

export interface RecordingsModel {
  view: Readable<RecordingsView>;
  actions: RecordingsActions;
  start: () => void;
  stop: () => void;
}

export interface RecordingsParts {
  list: typeof recordings;
  change: typeof changeRecording;
  link: typeof makeLink;
  remove: typeof deleteRecording;
  now: () => number;
}

const BROWSER_PARTS: RecordingsParts = { list: recordings, change: changeRecording, link: makeLink, remove: deleteRecording, now: () => Date.now() };

/** `list`: what is known already; it is shown without being asked for. */
export function createRecordings(parts: RecordingsParts = BROWSER_PARTS, list: readonly RecordingSummary[] = []): RecordingsModel {
  const view = new Store<RecordingsView>({ list, query: "", loading: list.length === 0, more: false, link: null, deleted: false, refused: null });
  let next: string | null = null;
  /** Answers to older questions come too late. */
  let asked = 0;
  let settle: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;

  const failed = (error: unknown) => {
    if (!(error instanceof RestError)) throw error;
    const refused: Refusal = { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
    view.update((now) => ({ ...now, loading: false, refused }));
  };
  const replace = (one: RecordingSummary) => view.update((now) => ({ ...now, list: now.list.map((other) => (other.id === one.id ? { ...other, ...one } : other)) }));

  const read = async (older: boolean) => {
    const question = ++asked;
    clearTimeout(again);
    view.update((now) => ({ ...now, loading: true }));
    try {
      const page = await parts.list(view.get().query.trim(), older ? next : null);
      if (question !== asked) return;
      next = page.next;
      view.update((now) => ({
        ...now,
        list: older ? [...now.list, ...page.recordings.filter(({ id }) => now.list.every((one) => one.id !== id))] : page.recordings,
        loading: false,
        more: page.next !== null,
        refused: null,
      }));
      watch();
    } catch (error) {
      if (question === asked) failed(error);
    }
  };

  /** Asks again while something is under way: for the newest, which are those. */
  const watch = () => {
    clearTimeout(again);
    const running = view.get().list.some(({ state, upload }) => (state !== "finished" && state !== "broken") || (upload?.bytes_left ?? 0) > 0);
    if (!running) return;
    again = setTimeout(() => {
      const question = asked;
      parts.list(view.get().query.trim(), null).then(
        (page) => {
          if (question !== asked) return;
          const known = new Set(view.get().list.map(({ id }) => id));
          for (const one of page.recordings) replace(one);
          const fresh = page.recordings.filter(({ id }) => !known.has(id));
          if (fresh.length > 0) view.update((now) => ({ ...now, list: [...fresh, ...now.list] }));
          watch();
        },
        // The list stands as it was; what is asked for next says what is wrong.
        () => watch(),
      );
    }, AGAIN_MS);
  };

  const attempt = async <T>(what: Promise<T>, done: (value: T) => void) => {
    try {
      done(await what);
      view.update((now) => ({ ...now, refused: null }));
    } catch (error) {
      failed(error);
    }
  };

  return {
    view,
    start: () => void read(false),
    stop: () => {
      asked += 1;
      clearTimeout(settle);
      clearTimeout(again);
    },
    actions: {
      search: (query) => {
        view.update((now) => ({ ...now, query }));
        clearTimeout(settle);
        settle = setTimeout(() => void read(false), SETTLED_MS);
      },
      more: () => void read(true),
      change: (id, change) => void attempt(parts.change(id, change), replace),
      setExpiry: (id, expiry) => {
        const lasts = LASTS[expiry];
        void attempt(parts.change(id, { link_expires_at: lasts === null ? null : parts.now() + lasts }), replace);
      },
      makeLink: (id) =>
        void attempt(parts.link(id), ({ url, expires_at }) =>
          view.update((now) => ({
            ...now,
            link: { id, url },
            list: now.list.map((one) => (one.id === id ? { ...one, visibility: "link", link_expires_at: expires_at } : one)),
          })),
        ),
      remove: (id) => {
        view.update((now) => ({ ...now, deleted: false }));
        void attempt(parts.remove(id), () => view.update((now) => ({ ...now, deleted: true, list: now.list.filter((one) => one.id !== id) })));
      },
    },
  };
}
