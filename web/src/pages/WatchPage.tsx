/** Makes the viewer that an address leads to, and draws it. */
import { useEffect, useState } from "react";
import { useStore } from "../state/react";
import type { WatchModel } from "../state/types";
import { createWatch } from "../state/watch";
import { Loading } from "./meeting/PhaseView";
import { Watch } from "./Watch";

export default function WatchPage({ id }: { id: string }) {
  const [model, setModel] = useState<WatchModel | null>(null);
  useEffect(() => {
    const made = createWatch(id);
    setModel(made);
    return () => made.close();
  }, [id]);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: WatchModel }) {
  const view = useStore(model.view);
  return <Watch view={view} onSoundBlocked={model.setSoundBlocked} />;
}
