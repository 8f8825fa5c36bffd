/** The sound of everybody as one file: to listen to where the tracks cannot be played, and to take away. */
import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../ui/Dialog";
import { sizeWords } from "../format";
import { useReplay } from "./context";
import styles from "./ReplayDownload.module.css";

export function ReplaySound() {
  const { t, i18n } = useTranslation();
  const { view } = useReplay();
  const mix = view.recording?.mix;
  if (!mix) return null;
  return (
    <section className={styles.section}>
      <h3>{t("replay.sound")}</h3>
      <p className={styles.hint}>{t("replay.soundHint")}</p>
      <div className={styles.item}>
        <audio className={styles.sound} controls preload="none" src={mix.url} aria-label={t("replay.sound")} />
        <span className={styles.words}>
          <span className={styles.facts}>{sizeWords(mix.bytes, i18n.language)}</span>
        </span>
        <a className={styles.get} href={`${mix.url}?download=1`} download aria-label={t("replay.soundGet")}>
          <Download aria-hidden="true" />
        </a>
      </div>
    </section>
  );
}

export function ReplayListen({ close }: { close: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog isOpen onClose={close} title={t("replay.listen")}>
      <ReplaySound />
    </Dialog>
  );
}
