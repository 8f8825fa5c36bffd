/** Makes the replay that an address leads to, and draws it. */
import { useEffect, useState } from "react";
import { createReplay } from "../../state/replay/model";
import type { ReplayModel } from "../../state/replay/types";
import { useStore } from "../../state/react";
import { Loading } from "../meeting/PhaseView";
import { Replay } from "./Replay";

export default function ReplayPage({ id }: { id: string }) {
  const [model, setModel] = useState<ReplayModel | null>(null);
  useEffect(() => {
    let made: ReplayModel | null = null;
    // Not at once: React's strict mode mounts twice, and a link's secret is good for one cookie.
    const timer = setTimeout(() => {
      const token = location.hash.slice(1) || null;
      // The cookie has taken its place: nobody shall copy the secret from the address.
      made = createReplay(id, token, () => history.replaceState(history.state, "", location.pathname));
      setModel(made);
    });
    return () => {
      clearTimeout(timer);
      made?.close();
    };
  }, [id]);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: ReplayModel }) {
  const view = useStore(model.view);
  return <Replay view={view} position={model.position} previews={model.previews} actions={model.actions} />;
}
