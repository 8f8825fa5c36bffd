/** Small choices that stay on this device. Knows not what they mean. */
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`symposia.${key}`);
  } catch {
    return null;
  }
}

/** `null` forgets. Where storage is forbidden nothing is remembered, and nothing breaks. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`symposia.${key}`);
    else localStorage.setItem(`symposia.${key}`, value);
  } catch {
    // See above.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRemembered(key: string): string | null {
  return useSyncExternalStore(subscribe, () => remembered(key));
}

/** A switch that is on unless it was turned off. */
export function useRememberedSwitch(key: string): [boolean, (on: boolean) => void] {
  const on = useRemembered(key) !== "off";
  return [on, (next) => remember(key, next ? null : "off")];
}
