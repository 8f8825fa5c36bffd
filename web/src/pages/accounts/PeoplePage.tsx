/** Asks for the people of the server, and draws their list. */
import { useEffect, useMemo } from "react";
import { createPeople } from "../../state/accounts";
import { useStore } from "../../state/react";
import { People } from "./People";

export default function PeoplePage() {
  const model = useMemo(() => createPeople(), []);
  useEffect(() => model.start(), [model]);
  return <People view={useStore(model.view)} actions={model.actions} />;
}
