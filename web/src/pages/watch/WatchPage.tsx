/** Makes the viewer that an address leads to, and draws it. */
import { useEffect, useState } from "react";
import { useStore } from "../../state/react";
import { createWatch } from "../../state/watch";
import type { WatchModel } from "../../state/watch-types";
import { Loading } from "../meeting/PhaseView";
import { Watch } from "./Watch";

export default function WatchPage({ id }: { id: string }) {
  const [model, setModel] = useState<WatchModel | null>(null);
  useEffect(() => {
    let made: WatchModel | null = null;
    // Not at once: React's strict mode mounts twice, and one connection is enough.
    const timer = setTimeout(() => {
      made = createWatch(id);
      setModel(made);
    });
    return () => {
      clearTimeout(timer);
      made?.close();
    };
  }, [id]);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: WatchModel }) {
  const view = useStore(model.view);
  return <Watch view={view} place={model.place} actions={model.actions} />;
}
