// From an entry of the menu of a person to the command that it stands for.

import type { Command, ParticipantId, Role } from "../client/protocol";
import type { PersonAction } from "./types";

/** Entries that the server carries out without asking for more. */
export type ServerAction = Exclude<PersonAction, "pin" | "unpin" | "rename" | "chat">;

export function commandFor(action: ServerAction, participant: ParticipantId): Command {
  const role = (given: Role): Command => ({ do: "set-role", participant, role: given });
  switch (action) {
    case "mute":
      return { do: "mute", participant, source: "microphone" };
    case "ask-to-unmute":
      return { do: "ask-to-unmute", participant, source: "microphone" };
    case "stop-camera":
      return { do: "mute", participant, source: "camera" };
    case "ask-to-start-camera":
      return { do: "ask-to-unmute", participant, source: "camera" };
    case "stop-screen":
      return { do: "mute", participant, source: "screen" };
    case "lower-hand":
      return { do: "lower-hand", participant };
    case "spotlight":
      return { do: "set-spotlight", participant, on: true };
    case "unspotlight":
      return { do: "set-spotlight", participant, on: false };
    case "make-co-host":
      return role("co-host");
    case "make-host":
      return role("host");
    case "make-attendee":
      return role("attendee");
    case "make-listener":
      return role("listener");
    case "send-to-waiting-room":
      return { do: "send-to-waiting-room", participant };
    case "remove":
      return { do: "remove", participant, ban: false };
    case "ban":
      return { do: "remove", participant, ban: true };
  }
}
