/** Makes the replay that an address leads to, and draws it. */
import { createReplay } from "../../state/replay/model";
import type { ReplayModel } from "../../state/replay/types";
import { useStore } from "../../state/react";
import { Loading } from "../meeting/PhaseView";
import { useModel } from "../useModel";
import { Replay } from "./Replay";

function open(id: string): ReplayModel {
  const token = location.hash.slice(1) || null;
  // The cookie has taken its place: nobody shall copy the secret from the address.
  return createReplay(id, token, () => history.replaceState(history.state, "", location.pathname));
}

export default function ReplayPage({ id }: { id: string }) {
  const model = useModel(open, id);
  return model ? <Running model={model} /> : <Loading />;
}

function Running({ model }: { model: ReplayModel }) {
  const view = useStore(model.view);
  return <Replay view={view} position={model.position} previews={model.previews} actions={model.actions} />;
}
