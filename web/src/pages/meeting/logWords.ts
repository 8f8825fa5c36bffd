/** An entry of the moderation log in words: what was done, and what exactly. Knows no component. */
import type { TFunction } from "i18next";
import { en } from "../../i18n/en";
import type { LogEntry } from "../../state/types";

type Action = keyof typeof en.log.action;
const isKnown = (action: string): action is Action => action in en.log.action;

/** What somebody did, to stand behind the name. */
export function deed(t: TFunction, { action, detail, onName }: LogEntry): string {
  const on = onName ?? "";
  const exactly = detail && exact(t, action, on, detail);
  if (exactly) return exactly;
  return isKnown(action) ? t(`log.action.${action}`, { on, action }) : t("log.action.other", { action });
}

function exact(t: TFunction, action: string, on: string, detail: NonNullable<LogEntry["detail"]>): string | null {
  switch (detail.kind) {
    case "source":
      return t(`log.${action === "mute" ? "mute" : "ask"}.${detail.source}`, { on });
    case "role":
      return t(`log.role.${detail.role}`, { on });
    case "name":
      return t("log.rename", { on, name: detail.name });
    case "spotlight":
      return t(`log.spotlight.${detail.on ? "on" : "off"}`, { on });
    case "recording":
      return t(`log.recording.${detail.why}`);
    case "mark":
      return t("log.marked", { text: detail.text });
    case "policy": {
      const [first] = detail.changes;
      if (action === "mute-all" && first) return t(`log.muteAll.${first.on ? "on" : "off"}`);
      const changes = detail.changes.map((change) => t(`log.change.${change.field}.${change.on ? "on" : "off"}`));
      return t("log.policy", { changes: changes.join(t("common.separator")) });
    }
    default:
      // A newer server knows more.
      return null;
  }
}
