/** How others come: link, number, QR code. */
import { useTranslation } from "react-i18next";
import { CopyButton } from "../../ui/CopyButton";
import { SidePanel } from "../../ui/Panel";
import { QrCode } from "../../ui/QrCode";
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
              <CopyButton text={meeting.joinUrl} words={t("share.copyLink")} primary wide />
              <p className={styles.hint}>{t("share.linkHint")}</p>
            </section>
          ) : (
            <p className={styles.hint}>{t("share.noLink")}</p>
          )}
          <section>
            <h3 className={styles.heading}>{t("share.number")}</h3>
            <p className={styles.number}>{meetingNumber(meeting.number)}</p>
            <CopyButton text={meetingNumber(meeting.number)} words={t("share.copyNumber")} wide />
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
