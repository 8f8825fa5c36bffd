/** Gives the parts of the meeting page the view, what they may ask, and which dialog is open. */
import { createContext, useContext } from "react";
import type { Audience, MeetingActions, MeetingView, ParticipantId } from "../../state/types";

interface Screen {
  view: MeetingView;
  actions: MeetingActions;
}

export const ScreenContext = createContext<Screen | null>(null);

export function useScreen(): Screen {
  const screen = useContext(ScreenContext);
  if (!screen) throw new Error("outside a meeting page");
  return screen;
}

/** A dialog of the page itself; those that belong to a panel are in the view. */
export type OpenDialog =
  | { kind: "leave" | "shortcuts" | "rules" | "mute-all" | "suspend" | "record" | "mark" }
  | { kind: "connection"; person: ParticipantId; source: "camera" | "screen" }
  | { kind: "rename"; person: ParticipantId; name: string }
  | { kind: "remove" | "ban" | "make-host"; person: ParticipantId; name: string };

interface Local {
  openDialog: (dialog: OpenDialog | null) => void;
  /** To whom the chat's field writes. */
  chatTo: Audience | null;
  writeTo: (to: Audience) => void;
}

export const LocalContext = createContext<Local | null>(null);

export function useLocal(): Local {
  const local = useContext(LocalContext);
  if (!local) throw new Error("outside a meeting page");
  return local;
}
