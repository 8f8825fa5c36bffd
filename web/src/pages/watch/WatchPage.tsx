/** Makes the viewer that an address leads to, and draws it. */
import { useStore } from "../../state/react";
import { createWatch } from "../../state/watch";
import type { WatchModel } from "../../state/watch-types";
import { Audience } from "../audience/Audience";
import { Loading } from "../meeting/PhaseView";
import { useModel } from "../useModel";
import { Watch } from "./Watch";

export default function WatchPage({ id }: { id: string }) {
  const model = useModel(createWatch, id);
  return model ? <Running model={model} id={id} /> : <Loading />;
}

function Running({ model, id }: { model: WatchModel; id: string }) {
  const view = useStore(model.view);
  // Where there is nothing to watch there is nothing to comment on.
  const aside = view.phase.kind === "failed" ? null : <Audience broadcast={id} />;
  return <Watch view={view} place={model.place} actions={model.actions} aside={aside} />;
}
