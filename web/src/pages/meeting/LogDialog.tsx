/** The moderation log, newest first. */
import { ScrollText } from "lucide-react";
import { useTranslation } from "react-i18next";
import { en } from "../../i18n/en";
import type { LogEntry } from "../../state/types";
import { Dialog } from "../../ui/Dialog";
import { EmptyState } from "../../ui/Panel";
import { timeOfDay } from "../format";
import { useScreen } from "./context";
import styles from "./Dialogs.module.css";

type Action = keyof typeof en.log.action;
const isKnown = (action: string): action is Action => action in en.log.action;

export function LogDialog() {
  const { t, i18n } = useTranslation();
  const { view, actions } = useScreen();
  const entries = view.log ?? [];
  const words = (entry: LogEntry) =>
    t("log.entry", {
      by: entry.byName ?? t("log.server"),
      what: isKnown(entry.action)
        ? t(`log.action.${entry.action}`, { on: entry.onName ?? "", action: entry.action })
        : t("log.action.other", { action: entry.action }),
    });
  return (
    <Dialog isOpen onClose={() => actions.openPanel(null)} title={t("log.title")} size="l">
      {entries.length === 0 ? (
        <EmptyState icon={<ScrollText />} title={view.log ? t("log.empty") : t("app.loading")}>
          {t("log.emptyHint")}
        </EmptyState>
      ) : (
        <ol className={styles.log}>
          {[...entries].reverse().map((entry, index) => (
            <li key={index} className={styles.logRow}>
              <time className={styles.logTime} dateTime={new Date(entry.at).toISOString()}>
                {timeOfDay(entry.at, i18n.language)}
              </time>
              <span>
                {words(entry)}
                {entry.detail && <span className={styles.logDetail}> · {entry.detail}</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
