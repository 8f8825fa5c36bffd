/** What the meeting page does to the browser around it: wake lock, full screen, keys, the sound of a knock. */
import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import { isTaken } from "../keys";

/** Keeps the screen on while `active`; browsers give the lock up with the page in the background. */
export function useWakeLock(active: boolean): void {
  useEffect(() => {
    const wake = (navigator as Partial<Pick<Navigator, "wakeLock">>).wakeLock;
    if (!active || !wake) return;
    let lock: WakeLockSentinel | null = null;
    let gone = false;
    const take = () => {
      if (document.visibilityState !== "visible") return;
      wake.request("screen").then(
        (taken) => {
          if (gone) void taken.release();
          else lock = taken;
        },
        // A low battery refuses it; the screen then goes dark as it always does.
        () => undefined,
      );
    };
    take();
    document.addEventListener("visibilitychange", take);
    return () => {
      gone = true;
      document.removeEventListener("visibilitychange", take);
      void lock?.release();
    };
  }, [active]);
}

export interface FullScreen {
  possible: boolean;
  on: boolean;
  toggle: () => void;
}

export function useFullScreen(): FullScreen {
  const on = useSyncExternalStore(
    (listener) => {
      document.addEventListener("fullscreenchange", listener);
      return () => document.removeEventListener("fullscreenchange", listener);
    },
    () => document.fullscreenElement !== null,
  );
  const toggle = useCallback(() => {
    const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    done.catch(() => undefined);
  }, []);
  // iPhones have no full screen for pages.
  return { possible: document.fullscreenEnabled, on, toggle };
}

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Two short wooden taps, made here: no file, no licence, no request. */
function playKnock(context: AudioContext): void {
  for (const [at, pitch] of [
    [0, 330],
    [0.16, 290],
  ] as const) {
    const start = context.currentTime + at;
    const tone = new OscillatorNode(context, { type: "triangle", frequency: pitch });
    const loudness = new GainNode(context, { gain: 0 });
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.32, start + 0.006);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
    tone.frequency.exponentialRampToValueAtTime(pitch * 0.6, start + 0.2);
    tone.connect(loudness).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.24);
  }
}

/** Sounds whenever `knocks` rises, unless it is silenced. */
export function useKnockSound(knocks: number, audible: boolean): void {
  const heard = useRef(knocks);
  const context = useRef<AudioContext | null>(null);
  useEffect(() => {
    const rose = knocks > heard.current;
    heard.current = knocks;
    if (!rose || !audible) return;
    context.current ??= new AudioContext();
    const ready = context.current;
    void ready.resume().then(() => playKnock(ready), () => undefined);
  }, [knocks, audible]);
  useEffect(
    () => () => {
      void context.current?.close();
      context.current = null;
    },
    [],
  );
}

export type Key = "m" | "v" | "s" | "h" | "p" | "c" | "l" | "f" | "i" | "r" | "b" | "q" | "?" | "ArrowLeft" | "ArrowRight";

/** Calls the handler of a single key, while `active`. The space bar held down is `talk`. */
export function useShortcuts(active: boolean, handlers: Record<Key, () => void>, talk: (on: boolean) => void): void {
  const latest = useRef({ handlers, talk });
  useEffect(() => {
    latest.current = { handlers, talk };
  });
  useEffect(() => {
    if (!active) return;
    let talking = false;
    const down = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      // On a button the space bar presses the button.
      const free = event.target === document.body || (event.target instanceof Element && event.target.closest("button, a, [role]") === null);
      if (event.key === " " && free) {
        event.preventDefault();
        if (event.repeat || talking) return;
        talking = true;
        latest.current.talk(true);
        return;
      }
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const inToolbar = key.startsWith("Arrow") && event.target instanceof Element && event.target.closest('[role="toolbar"], [role="radiogroup"], aside') !== null;
      if (event.repeat || inToolbar || !(key in latest.current.handlers)) return;
      event.preventDefault();
      latest.current.handlers[key as Key]();
    };
    const stop = () => {
      if (!talking) return;
      talking = false;
      latest.current.talk(false);
    };
    const up = (event: KeyboardEvent) => {
      if (event.key === " ") stop();
    };
    document.addEventListener("keydown", down);
    document.addEventListener("keyup", up);
    window.addEventListener("blur", stop);
    return () => {
      stop();
      document.removeEventListener("keydown", down);
      document.removeEventListener("keyup", up);
      window.removeEventListener("blur", stop);
    };
  }, [active]);
}
