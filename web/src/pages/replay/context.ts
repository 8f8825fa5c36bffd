/** What the parts of the replay page share. */
import { createContext, useContext } from "react";
import type { ReplayActions, ReplayPreviews, ReplayView } from "../../state/replay/types";
import type { Readable } from "../../state/types";

export interface ReplayShared {
  view: ReplayView;
  position: Readable<number>;
  previews: ReplayPreviews;
  actions: ReplayActions;
}

export const ReplayContext = createContext<ReplayShared | null>(null);

export function useReplay(): ReplayShared {
  const shared = useContext(ReplayContext);
  if (!shared) throw new Error("outside of a replay");
  return shared;
}
