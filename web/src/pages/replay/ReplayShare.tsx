/** Who may watch the recording that plays: for its host, who may have no list of recordings. */
import { useStore } from "../../state/react";
import type { RecordingsModel } from "../../state/recordings";
import { ShareRecording } from "../recordings/ShareRecording";

export function ReplayShare({ model, close }: { model: RecordingsModel; close: () => void }) {
  const view = useStore(model.view);
  const [one] = view.list;
  return one ? <ShareRecording one={one} view={view} actions={model.actions} close={close} /> : null;
}
