// The stream keys of broadcasts made in this tab. A key lets its bearer publish: it is kept as long as the tab is, in
// no address and no log, and never beyond this machine.

const PREFIX = "symposia.stream-key.";

export interface StreamKey {
  key: string;
  /** Where the server takes them; they carry the key. */
  rtmpUrl?: string;
  srtUrl?: string;
}

export function keepStreamKey(broadcast: string, key: StreamKey, storage: Storage = sessionStorage): void {
  try {
    storage.setItem(PREFIX + broadcast, JSON.stringify(key));
  } catch {
    // The studio asks for it then.
  }
}

export function keptStreamKey(broadcast: string, storage: Storage = sessionStorage): StreamKey | null {
  try {
    const read: unknown = JSON.parse(storage.getItem(PREFIX + broadcast) ?? "null");
    if (typeof read !== "object" || read === null) return null;
    const { key, rtmpUrl, srtUrl } = read as Partial<Record<keyof StreamKey, unknown>>;
    if (typeof key !== "string" || key === "") return null;
    return { key, ...(typeof rtmpUrl === "string" && { rtmpUrl }), ...(typeof srtUrl === "string" && { srtUrl }) };
  } catch {
    return null;
  }
}

export function forgetStreamKey(broadcast: string, storage: Storage = sessionStorage): void {
  try {
    storage.removeItem(PREFIX + broadcast);
  } catch {
    // It was not kept.
  }
}
