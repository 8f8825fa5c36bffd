// The watch page of a broadcast as data.

import { WhepPlayer } from "../client/whep";
import { Store } from "./store";
import type { Refusal, WatchModel, WatchView } from "./types";

export function createWatch(broadcast: string): WatchModel {
  const view = new Store<WatchView>({ phase: { kind: "connecting" }, stream: null, soundBlocked: false });
  const player = new WhepPlayer(`/whep/${encodeURIComponent(broadcast)}`, {
    state: (kind) => view.update((now) => ({ ...now, phase: { kind } })),
    stream: (stream) => view.update((now) => ({ ...now, stream })),
    failed: ({ code, retryAfter }) => {
      const refusal: Refusal = { code: code as Refusal["code"], retryAfter };
      view.update((now) => ({ ...now, phase: { kind: "failed", refusal }, stream: null }));
    },
  });
  const leave = () => player.close();
  window.addEventListener("pagehide", leave);
  player.start();
  return {
    view,
    setSoundBlocked: (soundBlocked) => view.update((now) => ({ ...now, soundBlocked })),
    close: () => {
      window.removeEventListener("pagehide", leave);
      player.close();
    },
  };
}
