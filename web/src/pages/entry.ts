/** What somebody typed or pasted to join: a number, a link, or one of another server. */
import { pasted } from "../state/route";

export type Typed = { kind: "go"; address: string } | { kind: "foreign" } | { kind: "bad" };

/** `origin` is this page's own; a link to another server is not followed from here. */
export function readTyped(text: string, origin: string): Typed {
  const typed = text.trim();
  // People copy addresses without their scheme.
  const scheme = origin.slice(0, origin.indexOf("//") + 2);
  const address = pasted(typed, origin) ?? pasted(scheme + typed, origin);
  if (address) return { kind: "go", address };
  return isLink(typed) && !typed.startsWith(`${origin}/`) ? { kind: "foreign" } : { kind: "bad" };
}

function isLink(typed: string): boolean {
  if (!/^https?:\/\//iu.test(typed)) return false;
  try {
    return /^\/(m|number)\/[^/]+/u.test(new URL(typed).pathname);
  } catch {
    return false;
  }
}
