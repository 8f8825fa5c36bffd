/** Asks for the recordings, and draws their list. */
import { useEffect, useMemo } from "react";
import { createRecordings } from "../../state/recordings";
import { useStore } from "../../state/react";
import { Recordings } from "./Recordings";

export default function RecordingsPage() {
  const model = useMemo(() => createRecordings(), []);
  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  const view = useStore(model.view);
  return <Recordings view={view} actions={model.actions} />;
}
