/** Meetings this browser was in. Kept on the device, as its own history is. */
import { remember, remembered } from "../ui/remember";

export interface Recent {
  address: string;
  title: string;
  number: string;
  at: number;
}

const KEY = "recent";
const KEPT = 4;

export function parseRecent(stored: string | null): Recent[] {
  try {
    const list: unknown = JSON.parse(stored ?? "[]");
    return Array.isArray(list) ? list.filter(isRecent) : [];
  } catch {
    return [];
  }
}

function isRecent(value: unknown): value is Recent {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof Recent, unknown>>;
  // Only addresses of our own: what is stored becomes a link.
  return (
    typeof entry.address === "string" &&
    /^\/(m|number)\//u.test(entry.address) &&
    typeof entry.title === "string" &&
    typeof entry.number === "string" &&
    typeof entry.at === "number"
  );
}

export function addRecent(entry: Recent): void {
  const others = parseRecent(remembered(KEY)).filter((other) => other.number !== entry.number);
  remember(KEY, JSON.stringify([entry, ...others].slice(0, KEPT)));
}

export const RECENT_KEY = KEY;
