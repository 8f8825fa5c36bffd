/** What the pages of the studio ask of its phases. */
import type { StudioPhase } from "../../state/studio-types";

/** Something is sent, or about to be. */
export function isOnAir(phase: StudioPhase): boolean {
  return phase.kind === "live" || phase.kind === "reconnecting" || phase.kind === "connecting";
}
