/** Gives the parts of the meeting page the view, what they may ask, and which dialog is open. */
import { createContext, useContext } from "react";
import type { Audience, DevicesView, MeetingActions, MeetingView, ParticipantId } from "../../state/types";

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

interface Devices {
  devices: DevicesView;
  actions: Pick<MeetingActions, "chooseDevice" | "retryDevice" | "testSpeaker" | "level">;
}

/** For pages that use devices outside a meeting. */
export const DevicesContext = createContext<Devices | null>(null);

/** One's devices: those of the page around, or of the meeting. */
export function useDevices(): Devices {
  const [own, screen] = [useContext(DevicesContext), useContext(ScreenContext)];
  if (own) return own;
  if (!screen) throw new Error("outside a page with devices");
  return { devices: screen.view.devices, actions: screen.actions };
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
