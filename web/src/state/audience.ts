// What viewers of a broadcast write and like, as data: what is shown, what waits for a moderator, what was refused.

import {
  type AudienceRules, type AudienceSocket, type Comment, type CommentRefusal, type CommentRules, commentRules, joinAudience, judgeComment, LIKES_AT_ONCE, type Mute,
  muteAuthor, mutes, setCommentRules, type ToViewer, unmute,
} from "../client/audience";
import { RestError } from "../client/rest";
import { remember, remembered } from "./remembered";
import { Store } from "./store";
import type { Readable, Refusal } from "./types";

/** Comments that a page keeps. */
const KEPT = 200;
/** Likes are sent together. */
const LIKES_EVERY_MS = 500;
const NAME_KEY = "symposia.audience.name";

export interface AudienceView {
  /** `over`: nothing more comes. */
  state: "connecting" | "open" | "away" | "over";
  /** Oldest first; for moderators with those that are held. */
  comments: readonly Comment[];
  likes: number;
  rules: AudienceRules;
  /** The account's; null where the viewer chooses one. */
  account: string | null;
  /** As it was typed the last time. */
  name: string;
  moderator: boolean;
  muted: boolean;
  /** Of the own comment under way. */
  sending: boolean;
  /** The last one waits for a moderator. */
  held: boolean;
  refused: { code: CommentRefusal; retryAfter: number | null } | null;
  /** Of a moderator's deed. */
  failed: Refusal | null;
}

export interface AudienceActions {
  /** Whether the server took it. */
  write: (name: string, text: string) => Promise<boolean>;
  like: () => void;
  show: (id: number) => void;
  remove: (id: number) => void;
  /** Its author writes no more, and then it goes; it stays where that failed. */
  mute: (id: number) => void;
  rules: () => Promise<CommentRules | null>;
  setRules: (rules: CommentRules) => Promise<boolean>;
  mutes: () => Promise<Mute[] | null>;
  unmute: (id: number) => Promise<boolean>;
}

export interface AudienceModel {
  view: Readable<AudienceView>;
  actions: AudienceActions;
  close: () => void;
}

export interface AudienceParts {
  join: typeof joinAudience;
  judge: typeof judgeComment;
  mute: typeof muteAuthor;
  rules: typeof commentRules;
  setRules: typeof setCommentRules;
  mutes: typeof mutes;
  unmute: typeof unmute;
}

const BROWSER_PARTS: AudienceParts = { join: joinAudience, judge: judgeComment, mute: muteAuthor, rules: commentRules, setRules: setCommentRules, mutes, unmute };

export function createAudience(broadcast: string, parts: AudienceParts = BROWSER_PARTS): AudienceModel {
  const view = new Store<AudienceView>({
    state: "connecting", comments: [], likes: 0, rules: { open: true, hold: false, slow: 0 }, account: null, name: remembered(NAME_KEY) ?? "",
    moderator: false, muted: false, sending: false, held: false, refused: null, failed: null,
  });
  /** Clicked and not sent yet; they show at once. */
  let liked = 0;
  /** As the server counts. */
  let likes = 0;
  let last = 0;
  /** Of the comment under way. */
  let answered: (taken: boolean) => void = () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const change = (part: Partial<AudienceView>) => view.update((now) => ({ ...now, ...part }));
  const hear = (message: ToViewer) => {
    switch (message.type) {
      case "welcome":
        likes = message.likes;
        view.update((now) => ({
          ...now, account: message.name ?? null, moderator: message.moderator, muted: message.muted, rules: message.rules, comments: message.comments, likes: likes + liked,
          sending: false, refused: now.refused?.code === "muted" && !message.muted ? null : now.refused,
        }));
        break;
      case "news":
        if (message.likes !== undefined) likes = message.likes;
        view.update((now) => ({ ...now, comments: changed(now.comments, message.comments ?? [], message.deleted ?? []), likes: likes + liked, rules: message.rules ?? now.rules }));
        break;
      case "taken":
        if (message.id === last) {
          change({ sending: false, held: message.held, refused: null });
          answered(true);
        }
        break;
      case "refused":
        if (message.id === last) {
          change({ sending: false, held: false, muted: view.get().muted || message.code === "muted", refused: { code: message.code, retryAfter: message.retryAfter ?? null } });
          answered(false);
        }
        break;
    }
  };
  const socket: AudienceSocket = parts.join(broadcast, {
    message: hear,
    state: (state) => {
      change({ state, ...(state === "open" ? {} : { sending: false }) });
      if (state !== "open") answered(false);
    },
  });
  const sendLikes = () => {
    timer = undefined;
    const count = Math.min(liked, LIKES_AT_ONCE);
    // What cannot be sent now is sent when the way is open again.
    if (count > 0 && socket.say({ type: "like", count })) {
      liked -= count;
      // Until the server has said what it is now.
      likes += count;
    }
    if (liked > 0) timer = setTimeout(sendLikes, LIKES_EVERY_MS);
  };
  const moderate = async <T>(what: Promise<T>): Promise<T | null> => {
    try {
      const done = await what;
      change({ failed: null });
      return done;
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      change({ failed: { code: error.code as Refusal["code"], retryAfter: error.retryAfter } });
      return null;
    }
  };
  const done = (what: Promise<void>) => moderate(what.then(() => true)).then((did) => did === true);

  return {
    view,
    actions: {
      write: (name, text) => {
        const { account } = view.get();
        last += 1;
        const sent = socket.say({ type: "comment", id: last, text, ...(account === null && { name }) });
        if (account === null) remember(NAME_KEY, name);
        change({ name, sending: sent, held: false, refused: null });
        answered(false);
        return sent ? new Promise((done) => (answered = done)) : Promise.resolve(false);
      },
      like: () => {
        liked += 1;
        view.update((now) => ({ ...now, likes: now.likes + 1 }));
        timer ??= setTimeout(sendLikes, LIKES_EVERY_MS);
      },
      show: (id) => void moderate(parts.judge(broadcast, id, "shown")),
      remove: (id) => void moderate(parts.judge(broadcast, id, "deleted")),
      mute: (id) => void moderate(parts.mute(broadcast, id).then(() => parts.judge(broadcast, id, "deleted"))),
      rules: () => moderate(parts.rules(broadcast)),
      setRules: (rules) => moderate(parts.setRules(broadcast, rules)).then((set) => set !== null),
      mutes: () => moderate(parts.mutes(broadcast)),
      unmute: (id) => done(parts.unmute(broadcast, id)),
    },
    close: () => {
      clearTimeout(timer);
      if (liked > 0) socket.say({ type: "like", count: Math.min(liked, LIKES_AT_ONCE) });
      socket.close();
    },
  };
}

/** New ones take the place of what is known of them; all in the order of their numbers, the newest so many. */
export function changed(known: readonly Comment[], fresh: readonly Comment[], deleted: readonly number[]): readonly Comment[] {
  if (fresh.length === 0 && deleted.length === 0) return known;
  const all = new Map(known.map((one) => [one.id, one]));
  for (const one of fresh) all.set(one.id, one);
  for (const id of deleted) all.delete(id);
  return [...all.values()].sort((one, other) => one.id - other.id).slice(-KEPT);
}
