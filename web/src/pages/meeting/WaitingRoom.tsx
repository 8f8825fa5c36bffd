/** Behind the door: what is happening, and a way out. */
import { EyeOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Mark } from "../../ui/Logo";
import { Banner } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { duration, useNow, useTitle } from "../format";
import { useScreen } from "./context";
import { DeviceChoices, DeviceHelp } from "./DeviceParts";
import styles from "./Door.module.css";
import { Preview } from "./Preview";
import { RecordedNote } from "./Recording";

interface WaitingRoomProps {
  since: number;
  hostPresent: boolean;
  recorded: boolean;
  reconnecting?: boolean;
}

export function WaitingRoom({ since, hostPresent, recorded, reconnecting }: WaitingRoomProps) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const now = useNow();
  useTitle(`${t("waiting.pageTitle")} · ${t("app.title")}`);
  return (
    <Page>
      {reconnecting && <Banner>{t("meeting.reconnecting")}</Banner>}
      <div className={styles.door}>
        <section className={styles.left} aria-label={t("prejoin.preview")}>
          <Preview />
          {view.prejoin.camera.error && <DeviceHelp kind="camera" cause={view.prejoin.camera.error} />}
        </section>
        <section className={styles.right}>
          <Mark className={styles.mark} live />
          <div className={styles.status} role="status">
            {view.meeting?.title && <p className={styles.where}>{view.meeting.title}</p>}
            <h1 className={styles.title}>{t("waiting.title")}</h1>
            <p className={styles.text}>{hostPresent ? t("waiting.host") : t("waiting.noHost")}</p>
          </div>
          <p className={styles.facts}>
            <Badge tone={hostPresent ? "accent" : "neutral"}>{hostPresent ? t("waiting.hostPresent") : t("waiting.hostAbsent")}</Badge>
            <span className="tabular">{t("waiting.since", { time: duration(now - since) })}</span>
          </p>
          {/* Spoken as soon as it becomes true. */}
          <div role="status">{recorded && <RecordedNote />}</div>
          <DeviceChoices />
          <p className={styles.facts}>
            <EyeOff aria-hidden="true" size={16} />
            {t("waiting.privacy")}
          </p>
          <Button onPress={() => actions.cancel()}>{t("waiting.leave")}</Button>
        </section>
      </div>
    </Page>
  );
}
