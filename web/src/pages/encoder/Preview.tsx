/** What viewers see now, without sound. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../../state/react";
import type { WatchModel } from "../../state/watch-types";
import styles from "./Encoder.module.css";

export function Preview({ model: { view, actions } }: { model: WatchModel }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const { phase, delay, moved } = useStore(view);
  useEffect(() => {
    actions.attach(video.current);
    return () => actions.attach(null);
  }, [actions]);
  const playing = phase.kind === "playing";
  return (
    <>
      <video ref={video} className={styles.video} playsInline muted aria-label={t("encoder.preview")} />
      {!playing && <p className={styles.nothing}>{instead()}</p>}
      {playing && delay !== null && <span className={styles.delay}>{t("watch.delay", { seconds: delay.toFixed(1) })}</span>}
    </>
  );

  function instead(): string {
    if (moved === "unplayable" || phase.kind === "failed") return t("encoder.unplayable");
    return phase.kind === "waiting" || phase.kind === "ended" ? t("encoder.nothing") : t("encoder.previewComes");
  }
}
