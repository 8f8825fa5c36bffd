/** Own picture before others see it, with the two buttons that decide what comes along. */
import { VideoOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Picture } from "../../ui/VideoTile";
import { useScreen } from "./context";
import { CameraSwitch, MicrophoneSwitch } from "./DeviceSwitch";
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
        <MicrophoneSwitch device={microphone} words="meeting" turn={actions.setMicrophone} />
        <CameraSwitch device={camera} words="meeting" turn={actions.setCamera} />
      </div>
    </div>
  );
}
