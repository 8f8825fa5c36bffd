/** Copies text and says for a moment whether it worked. Knows no button. */
import { useCallback, useEffect, useState } from "react";

const SHOWN_MS = 2_500;

export function useCopy(): ["idle" | "copied" | "failed", (text: string) => void] {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = useCallback((text: string) => {
    // There is no clipboard on a page without HTTPS.
    const done = (navigator.clipboard as Clipboard | undefined)?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    done.then(
      () => setState("copied"),
      () => setState("failed"),
    );
  }, []);
  return [state, copy];
}
