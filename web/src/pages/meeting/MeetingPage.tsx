/** Makes the meeting that an address leads to, and draws it. */
import { useEffect, useState } from "react";
import { createMeeting } from "../../state/meeting";
import { useStore } from "../../state/react";
import { entryOf } from "../../state/route";
import type { Entry, MeetingModel } from "../../state/types";
import { NotFound } from "../NotFound";
import { addRecent } from "../recent";
import { useModel } from "../useModel";
import { Loading, PhaseView } from "./PhaseView";

export default function MeetingPage() {
  const [entry] = useState(() => entryOf(location));
  return entry ? <Made entry={entry} /> : <NotFound />;
}

function Made({ entry }: { entry: Entry }) {
  const model = useModel(createMeeting, entry);
  return model ? <Running model={model} entry={entry} /> : <Loading />;
}

function Running({ model, entry }: { model: MeetingModel; entry: Entry }) {
  const view = useStore(model.view);
  const inside = view.phase.kind === "in";
  const { meeting } = view;
  useEffect(() => {
    if (!inside || !meeting) return;
    addRecent({ address: location.pathname + location.hash, title: meeting.title, number: meeting.number, at: Date.now() });
  }, [inside, meeting]);
  return <PhaseView view={view} actions={model.actions} entry={entry} />;
}
