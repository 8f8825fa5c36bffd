/** How others come: link, number, QR code. */
import { Check, Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { Announcer } from "../../ui/Notices";
import { SidePanel } from "../../ui/Panel";
import { QrCode } from "../../ui/QrCode";
import { useCopy } from "../../ui/useCopy";
import { meetingNumber } from "../format";
import { useScreen } from "./context";
import styles from "./SharePanel.module.css";

export function SharePanel() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { meeting } = view;
  return (
    <SidePanel title={t("share.title")} onClose={() => actions.openPanel(null)}>
      {meeting && (
        <div className={styles.share}>
          {meeting.joinUrl ? (
            <section>
              <h3 className={styles.heading}>{t("share.link")}</h3>
              <p className={styles.link}>{meeting.joinUrl}</p>
              <CopyButton text={meeting.joinUrl} words={t("share.copyLink")} primary />
              <p className={styles.hint}>{t("share.linkHint")}</p>
            </section>
          ) : (
            <p className={styles.hint}>{t("share.noLink")}</p>
          )}
          <section>
            <h3 className={styles.heading}>{t("share.number")}</h3>
            <p className={styles.number}>{meetingNumber(meeting.number)}</p>
            <CopyButton text={meetingNumber(meeting.number)} words={t("share.copyNumber")} />
            <p className={styles.hint}>{t("share.numberHint", { host: location.host })}</p>
          </section>
          {meeting.joinUrl && (
            <section>
              <h3 className={styles.heading}>{t("share.qr")}</h3>
              <div className={styles.qr}>
                <QrCode text={meeting.joinUrl} label={t("share.qrLabel")} />
              </div>
              <p className={styles.hint}>{t("share.qrHint")}</p>
            </section>
          )}
        </div>
      )}
    </SidePanel>
  );
}

function CopyButton({ text, words, primary }: { text: string; words: string; primary?: boolean }) {
  const { t } = useTranslation();
  const [state, copy] = useCopy();
  const said = state === "copied" ? t("common.copied") : state === "failed" ? t("common.copyFailed") : "";
  return (
    <>
      <Button
        variant={primary ? "primary" : "secondary"}
        wide
        icon={state === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
        onPress={() => copy(text)}
      >
        {state === "copied" ? t("common.copied") : words}
      </Button>
      {state === "failed" && <p className={styles.failed}>{said}</p>}
      <Announcer text={said} />
    </>
  );
}
