/** Looks after the broadcasts made in this browser, and draws their list. */
import { useEffect, useMemo } from "react";
import { createBroadcasts } from "../../state/broadcasts";
import { useStore } from "../../state/react";
import { Broadcasts } from "./Broadcasts";

export default function BroadcastsPage() {
  const model = useMemo(() => createBroadcasts(), []);
  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  const view = useStore(model.view);
  return <Broadcasts view={view} actions={model.actions} />;
}
