/** What the pages ask over HTTP, with failures as values that a page can show. */
import { createMeeting, type MeetingWish, RestError, setUp as restSetUp, signIn as restSignIn } from "../client/rest";

export type Answer<T> = { ok: true; value: T } | { ok: false; code: string; retryAfter: number | null };

export async function answer<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await asked };
  } catch (error) {
    if (error instanceof RestError) return { ok: false, code: error.code, retryAfter: error.retryAfter };
    throw error;
  }
}

/** Makes a meeting; gives the address within this app at which its maker is host. */
export function startMeeting(wish: MeetingWish = {}): Promise<Answer<string>> {
  const made = createMeeting(wish).then((meeting) => {
    const { pathname, search, hash } = new URL(meeting.host_url, location.href);
    return pathname + search + hash;
  });
  return answer(made);
}

export interface Account {
  name: string;
  password: string;
}

export function signIn({ name, password }: Account): Promise<Answer<void>> {
  return answer(restSignIn(name, password));
}

/** `token` is the secret of the one-time link. */
export function setUp({ name, password }: Account, token: string): Promise<Answer<void>> {
  return answer(restSetUp(token, name, password));
}
