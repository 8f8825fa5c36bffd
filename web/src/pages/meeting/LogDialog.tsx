/** The moderation log, newest first. */
import { ScrollText } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../ui/Dialog";
import { EmptyState } from "../../ui/Panel";
import { timeOfDay } from "../format";
import { useScreen } from "./context";
import { deed } from "./logWords";
import styles from "./Dialogs.module.css";

export function LogDialog() {
  const { t, i18n } = useTranslation();
  const { view, actions } = useScreen();
  const entries = view.log ?? [];
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
              <span>{t("log.entry", { by: entry.byName ?? t("log.server"), what: deed(t, entry) })}</span>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
