/** Makes what a page shows, and closes it with the page. Knows no page. */
import { useEffect, useState } from "react";

/** What `make` makes of `from`; null until then. Both are the same each time. */
export function useModel<From, Model extends { close: () => void }>(make: (from: From) => Model, from: From): Model | null {
  const [model, setModel] = useState<Model | null>(null);
  useEffect(() => {
    let made: Model | null = null;
    // Not at once: React's strict mode mounts twice, and connections, devices and a link's secret are good for one.
    const timer = setTimeout(() => {
      made = make(from);
      setModel(made);
    });
    return () => {
      clearTimeout(timer);
      made?.close();
    };
  }, [make, from]);
  return model;
}
