/** How another program sends to a broadcast: addresses and the stream key, hidden until one looks at it. */
import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudioBroadcast } from "../../state/studio-types";
import { IconButton } from "../../ui/Button";
import { CopyButton } from "../../ui/CopyButton";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import styles from "./StudioPanels.module.css";

export function EncoderDialog({ broadcast, close }: { broadcast: StudioBroadcast; close: () => void }) {
  const { t } = useTranslation();
  const { whipUrl, streamKey, rtmpUrl, srtUrl } = broadcast;
  return (
    <Dialog isOpen onClose={close} title={t("studio.encoderTitle")} size="l">
      <div className={styles.ways}>
        <p className={styles.lead}>{t("studio.encoderLead")}</p>
        <section className={styles.way}>
          <h3 className={styles.wayTitle}>{t("studio.whip")}</h3>
          <p className={styles.hint}>{t("studio.whipHow")}</p>
          <Line label={t("studio.server")} text={whipUrl} copy={t("studio.copyServer")} />
          {streamKey ? <Line label={t("studio.token")} text={streamKey} copy={t("studio.copyKey")} secret /> : <p className={styles.hint}>{t("studio.noKey")}</p>}
        </section>
        {rtmpUrl && (
          <section className={styles.way}>
            <h3 className={styles.wayTitle}>{t("studio.rtmp")}</h3>
            <p className={styles.hint}>{t("studio.rtmpHow")}</p>
            <Line label={t("studio.server")} text={rtmpUrl} copy={t("studio.copyServer")} secret />
          </section>
        )}
        {srtUrl && (
          <section className={styles.way}>
            <h3 className={styles.wayTitle}>{t("studio.srt")}</h3>
            <p className={styles.hint}>{t("studio.srtHow")}</p>
            <Line label={t("studio.server")} text={srtUrl} copy={t("studio.copyServer")} secret />
          </section>
        )}
      </div>
    </Dialog>
  );
}

function Line({ label, text, copy, secret }: { label: string; text: string; copy: string; secret?: boolean }) {
  const { t } = useTranslation();
  // Whoever makes a broadcast may be sharing this very screen.
  const [shown, setShown] = useState(!secret);
  return (
    <div className={styles.line}>
      <TextField
        label={label}
        value={text}
        isReadOnly
        type={shown ? "text" : "password"}
        autoComplete="off"
        className={styles.lineText}
        action={secret && <IconButton label={shown ? t("studio.hide") : t("studio.show")} icon={shown ? <EyeOff /> : <Eye />} size="s" onPress={() => setShown(!shown)} />}
      />
      <CopyButton text={text} words={copy} />
    </div>
  );
}
