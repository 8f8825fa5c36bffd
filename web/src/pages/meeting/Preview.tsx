/** Own picture before others see it, with the two buttons that decide what comes along. */
import { Mic, MicOff, Video, VideoOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Control } from "../../ui/Toolbar";
import { useScreen } from "./context";
import { Picture } from "../../ui/VideoTile";
import styles from "./Preview.module.css";

export function Preview() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { microphone, camera } = view.prejoin;
  return (
    <div className={styles.preview}>
      {view.preview ? (
        <Picture stream={view.preview} className={styles.video ?? ""} label={t("prejoin.preview")} />
      ) : (
        <p className={styles.off}>
          <VideoOff aria-hidden="true" />
          {camera.busy ? t("prejoin.cameraStarting") : t("prejoin.cameraOff")}
        </p>
      )}
      <div className={styles.controls}>
        <Control
          label={microphone.on ? t("meeting.mute") : t("meeting.unmute")}
          icon={microphone.on ? <Mic /> : <MicOff />}
          tone={microphone.on ? "normal" : "off"}
          busy={microphone.busy}
          alert={microphone.error !== null}
          onPress={() => actions.setMicrophone(!microphone.on)}
        />
        <Control
          label={camera.on ? t("meeting.cameraOff") : t("meeting.cameraOn")}
          icon={camera.on ? <Video /> : <VideoOff />}
          tone={camera.on ? "normal" : "off"}
          busy={camera.busy}
          alert={camera.error !== null}
          onPress={() => actions.setCamera(!camera.on)}
        />
      </div>
    </div>
  );
}
