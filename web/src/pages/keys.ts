/** Keys that do something on a whole page. Knows what they do by name only. */
import { useEffect, useRef } from "react";

/** Keys belong to the field one writes in, the menu or dialog that is open, and the browser's own combinations. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return false;
  return target.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]') !== null;
}

/**
 * Calls the handler of what `keyOf` makes of a key, while `active`; null leaves the key to what has the focus. `early`:
 * before whatever has the focus hears of it.
 */
export function useKeys<Name extends string>(
  active: boolean,
  keyOf: (event: KeyboardEvent) => Name | null,
  handlers: Record<Name, () => void>,
  { early = false }: { early?: boolean } = {},
): void {
  const latest = useRef({ keyOf, handlers });
  useEffect(() => {
    latest.current = { keyOf, handlers };
  });
  useEffect(() => {
    if (!active) return;
    const down = (event: KeyboardEvent) => {
      const name = latest.current.keyOf(event);
      if (name === null) return;
      event.preventDefault();
      latest.current.handlers[name]();
    };
    document.addEventListener("keydown", down, early);
    return () => document.removeEventListener("keydown", down, early);
  }, [active, early]);
}
