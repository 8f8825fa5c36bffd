/** Tells how tall an element is on the screen, in device pixels. Knows no video. */
import { type RefObject, useEffect, useRef } from "react";

/** A page in the background still counts as seen for so long: a glance at another tab costs no key frame. */
const HIDDEN_AFTER_MS = 4_000;

/** Calls `onSeen` with the height whenever it changes, and with 0 while the element is off the screen or gone. */
export function useSeen(target: RefObject<HTMLElement | null>, onSeen: ((height: number) => void) | undefined): void {
  const latest = useRef(onSeen);
  useEffect(() => {
    latest.current = onSeen;
  });
  const wanted = onSeen !== undefined;
  useEffect(() => {
    const element = target.current;
    if (!element || !wanted) return;
    let height = 0;
    let visible = false;
    let awake = document.visibilityState === "visible";
    let said = -1;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = () => {
      const now = visible && awake ? height : 0;
      if (now === said) return;
      said = now;
      latest.current?.(now);
    };
    const size = new ResizeObserver((entries) => {
      const box = entries[entries.length - 1]?.contentRect;
      if (box) height = Math.round(box.height * window.devicePixelRatio);
      say();
    });
    const sight = new IntersectionObserver((entries) => {
      visible = entries[entries.length - 1]?.isIntersecting ?? false;
      say();
    });
    const wake = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        awake = true;
        say();
      } else {
        timer = setTimeout(() => {
          awake = false;
          say();
        }, HIDDEN_AFTER_MS);
      }
    };
    size.observe(element);
    sight.observe(element);
    document.addEventListener("visibilitychange", wake);
    return () => {
      clearTimeout(timer);
      size.disconnect();
      sight.disconnect();
      document.removeEventListener("visibilitychange", wake);
      if (said !== 0) latest.current?.(0);
    };
  }, [target, wanted]);
}
