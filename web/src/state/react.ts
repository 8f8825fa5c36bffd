// Ties a store to a component. The only file beside the pages that knows React.

import { useSyncExternalStore } from "react";
import type { Readable } from "./types";

/** The store's value; the component is drawn again when it changes. */
export function useStore<T>(store: Readable<T>): T {
  return useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.get(),
  );
}
