/** Makes the viewer that an address leads to, and draws it. */
import { useStore } from "../../state/react";
import { createWatch } from "../../state/watch";
import type { WatchModel } from "../../state/watch-types";
import { Loading } from "../meeting/PhaseView";
import { useModel } from "../useModel";
import { Watch } from "./Watch";

export default function WatchPage({ id }: { id: string }) {
  const model = useModel(createWatch, id);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: WatchModel }) {
  const view = useStore(model.view);
  return <Watch view={view} place={model.place} actions={model.actions} />;
}
