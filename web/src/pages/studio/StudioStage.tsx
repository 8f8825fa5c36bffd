/** What viewers see, and the controls under it. */
import { Camera, MonitorUp, PictureInPicture2, Radio as OnAir, Square, VideoOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudioActions, StudioSource, StudioView } from "../../state/studio-types";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { ConfirmDialog } from "../../ui/Dialog";
import { Segments } from "../../ui/Segments";
import { Toolbar } from "../../ui/Toolbar";
import { Picture } from "../../ui/VideoTile";
import { DeviceHelp } from "../meeting/DeviceParts";
import { CameraSwitch, MicrophoneSwitch } from "../meeting/DeviceSwitch";
import { isOnAir } from "./phases";
import styles from "./StudioStage.module.css";
import { useStudioKeys } from "./keys";

const ICONS = { camera: Camera, screen: MonitorUp, both: PictureInPicture2 };
const SOURCES: readonly StudioSource[] = ["camera", "screen", "both"];

export function StudioStage({ view, actions }: { view: StudioView; actions: StudioActions }) {
  const { t } = useTranslation();
  const [ending, setEnding] = useState(false);
  const { camera, microphone, screen, phase } = view;
  const onAir = isOnAir(phase);
  const share = () => actions.setSource(view.source === "camera" ? (camera.on ? "both" : "screen") : "camera");
  useStudioKeys(!ending, {
    m: () => actions.setMicrophone(!microphone.on),
    v: () => actions.setCamera(!camera.on),
    s: () => screen.error !== "unsupported" && share(),
  });
  const segments = SOURCES.map((id) => {
    const Icon = ICONS[id];
    return { id, name: t(`studio.sourceHint.${id}`), icon: <Icon aria-hidden="true" />, hindrance: id !== "camera" && screen.error === "unsupported" ? t("studio.screenUnsupported") : undefined };
  });
  return (
    <section className={styles.stage} aria-label={onAir ? t("studio.outgoing") : t("studio.preview")}>
      <div className={cx(styles.frame, phase.kind === "live" && styles.onAir)}>
        {view.picture ? (
          <Picture stream={view.picture} className={styles.video ?? ""} label={onAir ? t("studio.outgoing") : t("studio.preview")} />
        ) : (
          <p className={styles.nothing}>
            <VideoOff aria-hidden="true" />
            {camera.busy ? t("prejoin.cameraStarting") : t("studio.nothing")}
          </p>
        )}
      </div>
      {camera.error && <DeviceHelp kind="camera" cause={camera.error} words={camera.error === "none" ? t("studio.noCamera") : undefined} />}
      {microphone.error && (microphone.error !== camera.error || microphone.error === "none") && (
        <DeviceHelp kind="microphone" cause={microphone.error} words={microphone.error === "none" ? t("studio.noMicrophone") : undefined} />
      )}
      {screen.error && screen.error !== "cancelled" && screen.error !== "unsupported" && (
        <p className={styles.wrong} role="alert">
          {t(`devices.cause.screen.${screen.error}`)}
        </p>
      )}
      <div className={styles.bar}>
        <Segments label={t("studio.source")} segments={segments} chosen={view.source} onChoose={actions.setSource} className={styles.sources} />
        <Toolbar label={t("studio.controls")} className={styles.tools}>
          <MicrophoneSwitch device={microphone} words="studio" turn={actions.setMicrophone} />
          <CameraSwitch device={camera} words="studio" turn={actions.setCamera} />
        </Toolbar>
        {onAir ? (
          <Button variant="danger" size="l" icon={<Square aria-hidden="true" />} className={styles.go} onPress={() => (phase.kind === "connecting" ? actions.end() : setEnding(true))}>
            {phase.kind === "connecting" ? t("common.cancel") : t("studio.end")}
          </Button>
        ) : (
          <Button variant="primary" size="l" icon={<OnAir aria-hidden="true" />} className={styles.go} onPress={actions.goLive}>
            {phase.kind === "ended" ? t("studio.again") : t("studio.goLive")}
          </Button>
        )}
      </div>
      <p className={styles.hint}>{t("studio.hiddenHint")}</p>
      <ConfirmDialog title={t("studio.endTitle")} isOpen={ending} onClose={() => setEnding(false)} onConfirm={actions.end} action={t("studio.end")}>
        <p>{t("studio.endText")}</p>
      </ConfirmDialog>
    </section>
  );
}
