/** A broadcast, watched. Plain: one picture, sound, full screen. */
import { Maximize, Minimize, Radio, Volume2, VolumeX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { WatchView } from "../state/types";
import { Badge } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Mark } from "../ui/Logo";
import { Page } from "../ui/Page";
import { useTitle } from "./format";
import { useFullScreen } from "./meeting/hooks";
import { useRefusalText } from "./refusals";
import styles from "./Watch.module.css";

interface WatchProps {
  view: WatchView;
  onSoundBlocked: (blocked: boolean) => void;
}

export function Watch({ view, onSoundBlocked }: WatchProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const fullScreen = useFullScreen();
  const [muted, setMuted] = useState(false);
  const { phase } = view;
  useTitle(`${t("watch.pageTitle")} · ${t("app.title")}`);
  const words =
    phase.kind === "connecting"
      ? t("watch.connecting")
      : phase.kind === "waiting"
        ? t("watch.waiting")
        : phase.kind === "full"
          ? t("watch.full")
          : phase.kind === "reconnecting"
            ? t("watch.reconnecting")
            : phase.kind === "failed"
              ? t("watch.failed")
              : "";
  return (
    <Page>
      <div className={styles.watch}>
        <div className={styles.head}>
          <h1 className={styles.title}>{t("watch.title")}</h1>
          {phase.kind === "playing" && (
            <Badge tone="danger" icon={<Radio aria-hidden="true" />}>
              {t("watch.live")}
            </Badge>
          )}
        </div>
        <div className={styles.player}>
          <LiveVideo stream={view.stream} muted={muted || view.soundBlocked} onSoundBlocked={onSoundBlocked} label={t("watch.video")} />
          <div className={styles.words} role="status">
            {words && (
              <>
                <Mark className={styles.mark} live={phase.kind !== "failed"} />
                <p className={styles.say}>{words}</p>
                {phase.kind === "waiting" && <p className={styles.hint}>{t("watch.waitingHint")}</p>}
                {phase.kind === "full" && <p className={styles.hint}>{t("watch.fullHint")}</p>}
                {phase.kind === "failed" && <p className={styles.hint}>{refusalText(phase.refusal)}</p>}
              </>
            )}
          </div>
          {view.soundBlocked && phase.kind === "playing" && (
            <Button variant="primary" size="l" icon={<Volume2 aria-hidden="true" />} className={styles.hear} onPress={() => onSoundBlocked(false)}>
              {t("meeting.hear")}
            </Button>
          )}
          {phase.kind === "playing" && (
            <div className={styles.controls}>
              <IconButton
                label={muted || view.soundBlocked ? t("watch.sound") : t("watch.mute")}
                icon={muted || view.soundBlocked ? <VolumeX /> : <Volume2 />}
                variant="over-video"
                onPress={() => {
                  if (view.soundBlocked) onSoundBlocked(false);
                  else setMuted(!muted);
                }}
              />
              {fullScreen.possible && (
                <IconButton
                  label={fullScreen.on ? t("meeting.exitFullScreen") : t("watch.fullScreen")}
                  icon={fullScreen.on ? <Minimize /> : <Maximize />}
                  variant="over-video"
                  onPress={fullScreen.toggle}
                />
              )}
            </div>
          )}
        </div>
      </div>
    </Page>
  );
}

interface LiveVideoProps {
  stream: MediaStream | null;
  muted: boolean;
  label: string;
  onSoundBlocked: (blocked: boolean) => void;
}

function LiveVideo({ stream, muted, label, onSoundBlocked }: LiveVideoProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    const element = video.current;
    if (!element || !stream) return;
    element.muted = muted;
    element.play().catch((error: unknown) => {
      // Without a click the browser plays silent pictures only.
      if (error instanceof DOMException && error.name === "NotAllowedError" && !muted) onSoundBlocked(true);
    });
  }, [stream, muted, onSoundBlocked]);
  return <video ref={video} className={styles.video} playsInline aria-label={label} />;
}
