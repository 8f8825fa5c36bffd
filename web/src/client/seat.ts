// Remembers a seat over a reload of the page: in this tab only.

/** What it takes to return to a seat. */
export interface Seat {
  meeting: string;
  /** The seat's secret. */
  seat: string;
  /** The number of the last event seen. */
  lastEvent: number;
  /** Ids of commands rise on a seat also over a reload: a lower one would be answered from memory. */
  nextCommand: number;
}

const PREFIX = "symposia.seat.";

export function rememberSeat(key: string, seat: Seat, storage: Storage = sessionStorage): void {
  try {
    storage.setItem(PREFIX + key, JSON.stringify(seat));
  } catch {
    // Storage is full or forbidden: a reload then joins anew.
  }
}

export function forgetSeat(key: string, storage: Storage = sessionStorage): void {
  try {
    storage.removeItem(PREFIX + key);
  } catch {
    // See above.
  }
}

/** The seat of this tab, if it had one; the server knows whether it is still kept. */
export function rememberedSeat(key: string, storage: Storage = sessionStorage): Seat | null {
  try {
    const stored: unknown = JSON.parse(storage.getItem(PREFIX + key) ?? "null");
    if (!isStored(stored)) return null;
    const { meeting, seat, lastEvent, nextCommand } = stored;
    return { meeting, seat, lastEvent, nextCommand };
  } catch {
    return null;
  }
}

function isStored(value: unknown): value is Seat {
  if (typeof value !== "object" || value === null) return false;
  const { meeting, seat, lastEvent, nextCommand } = value as Record<string, unknown>;
  return (
    typeof meeting === "string" &&
    typeof seat === "string" &&
    typeof lastEvent === "number" &&
    typeof nextCommand === "number"
  );
}
