/** Makes what an encoder's streamer sees of the broadcast that an address leads to, and draws it. */
import { createEncoder, type EncoderModel } from "../../state/encoder";
import { useStore } from "../../state/react";
import { createPreview } from "../../state/watch";
import { Loading } from "../meeting/PhaseView";
import { useModel } from "../useModel";
import { Encoder } from "./Encoder";
import { Preview } from "./Preview";

export default function EncoderPage({ id }: { id: string }) {
  const model = useModel(createEncoder, id);
  return model ? <Running model={model} id={id} /> : <Loading />;
}

function Running({ model, id }: { model: EncoderModel; id: string }) {
  const view = useStore(model.view);
  const preview = useModel(createPreview, id);
  return <Encoder view={view} actions={model.actions} preview={preview && <Preview model={preview} />} />;
}
