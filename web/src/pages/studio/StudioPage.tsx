/** Makes the studio that an address leads to, and draws it. */
import { useEffect, useState } from "react";
import { useStore } from "../../state/react";
import { createStudio } from "../../state/studio";
import type { StudioModel } from "../../state/studio-types";
import { Loading } from "../meeting/PhaseView";
import { Studio } from "./Studio";

export default function StudioPage({ id }: { id: string }) {
  const [model, setModel] = useState<StudioModel | null>(null);
  useEffect(() => {
    let made: StudioModel | null = null;
    // Not at once: React's strict mode mounts twice, and devices are opened once.
    const timer = setTimeout(() => {
      made = createStudio(id);
      setModel(made);
    });
    return () => {
      clearTimeout(timer);
      made?.close();
    };
  }, [id]);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: StudioModel }) {
  const view = useStore(model.view);
  return <Studio view={view} actions={model.actions} />;
}
