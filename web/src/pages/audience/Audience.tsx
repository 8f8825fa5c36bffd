/** Joins the audience of a broadcast and draws it: on the page of those who watch, and in the studio. */
import { type AudienceModel, createAudience } from "../../state/audience";
import { useStore } from "../../state/react";
import { useModel } from "../useModel";
import { AudiencePanel } from "./AudiencePanel";

export function Audience({ broadcast }: { broadcast: string }) {
  const model = useModel(createAudience, broadcast);
  return model && <Running model={model} />;
}

function Running({ model }: { model: AudienceModel }) {
  return <AudiencePanel view={useStore(model.view)} actions={model.actions} />;
}
