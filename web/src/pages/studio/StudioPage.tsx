/** Makes the studio that an address leads to, and draws it. */
import { useStore } from "../../state/react";
import { createStudio } from "../../state/studio";
import type { StudioModel } from "../../state/studio-types";
import { Loading } from "../meeting/PhaseView";
import { useModel } from "../useModel";
import { Studio } from "./Studio";

export default function StudioPage({ id }: { id: string }) {
  const model = useModel(createStudio, id);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: StudioModel }) {
  const view = useStore(model.view);
  return <Studio view={view} actions={model.actions} />;
}
