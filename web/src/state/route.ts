// How an address leads into a meeting. Secrets are in the fragment only: browsers send it nowhere.

import type { Entry } from "./types";

/** Nine digits out of what somebody typed or pasted; null where it is none. */
export function meetingNumber(text: string): string | null {
  const digits = text.replace(/[\s\-–.]/gu, "");
  return /^\d{9}$/.test(digits) ? digits : null;
}

/**
 * `/m/{id}#t={token}` is the link to share, `/m/{id}#h={secret}` the host's, `/m/{id}` alone relies on
 * the host's cookie; `/number/{number}` is a number.
 */
export function entryOf(address: { pathname: string; hash: string }): Entry | null {
  const [first = "", second = "", ...more] = address.pathname.split("/").filter(Boolean).map(decode);
  if (second === "" || more.length > 0) return null;
  if (first === "number") {
    const number = meetingNumber(second);
    return number === null ? null : { kind: "number", number };
  }
  if (first !== "m") return null;
  const fragment = new URLSearchParams(address.hash.replace(/^#/, ""));
  const token = fragment.get("t");
  const secret = fragment.get("h");
  if (token) return { kind: "link", meeting: second, token };
  return secret ? { kind: "host", meeting: second, secret } : { kind: "host", meeting: second };
}

/** What somebody pasted into "join": a link of this server's, or a number. */
export function pasted(text: string, origin = globalThis.location?.origin): string | null {
  const number = meetingNumber(text);
  if (number !== null) return `/number/${number}`;
  try {
    const url = new URL(text.trim(), origin);
    return url.origin === origin && entryOf(url) ? `${url.pathname}${url.hash}` : null;
  } catch {
    return null;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
