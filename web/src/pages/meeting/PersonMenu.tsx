/** What may be done to one person, as items of a menu. */
import {
  Activity,
  Ban,
  Crown,
  DoorClosed,
  Ear,
  Hand,
  type LucideIcon,
  MessageSquare,
  Mic,
  MicOff,
  MonitorOff,
  Pencil,
  Pin,
  PinOff,
  Shield,
  Star,
  StarOff,
  User,
  UserMinus,
  Video,
  VideoOff,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { PersonAction, PersonView } from "../../state/types";
import { MenuItem } from "../../ui/Menu";
import { useLocal, useScreen } from "./context";

const ICONS: Record<PersonAction, LucideIcon> = {
  mute: MicOff,
  "ask-to-unmute": Mic,
  "stop-camera": VideoOff,
  "ask-to-start-camera": Video,
  "stop-screen": MonitorOff,
  "lower-hand": Hand,
  spotlight: Star,
  unspotlight: StarOff,
  pin: Pin,
  unpin: PinOff,
  chat: MessageSquare,
  rename: Pencil,
  "make-co-host": Shield,
  "make-host": Crown,
  "make-attendee": User,
  "make-listener": Ear,
  "send-to-waiting-room": DoorClosed,
  remove: UserMinus,
  ban: Ban,
};

export function PersonItems({ person, source = "camera" }: { person: PersonView; source?: "camera" | "screen" }) {
  const { t } = useTranslation();
  const { actions } = useScreen();
  const { openDialog, writeTo } = useLocal();
  const run = (action: PersonAction) => {
    switch (action) {
      case "chat":
        writeTo({ kind: "one", participant: person.id });
        return;
      case "rename":
        openDialog({ kind: "rename", person: person.id, name: person.name });
        return;
      case "remove":
      case "ban":
      case "make-host":
        openDialog({ kind: action, person: person.id, name: person.name });
        return;
      default:
        actions.act(person.id, action);
    }
  };
  const items = person.actions.map((action) => {
    const Icon = ICONS[action];
    return (
      <MenuItem
        key={action}
        icon={<Icon aria-hidden="true" />}
        tone={action === "remove" || action === "ban" ? "danger" : undefined}
        onAction={() => run(action)}
      >
        {t(`people.action.${action}`)}
      </MenuItem>
    );
  });
  return (
    <>
      <MenuItem icon={<Activity aria-hidden="true" />} onAction={() => openDialog({ kind: "connection", person: person.id, source })}>
        {t("network.details")}
      </MenuItem>
      {items}
    </>
  );
}
