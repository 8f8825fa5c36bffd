/** A recording, played: bar, pictures, controls, and beside them chapters and chat. Knows not where it comes from. */
import { CircleAlert, CirclePause, Download, LayoutGrid, LayoutPanelTop, PanelRightClose, PanelRightOpen, Share2, VolumeX } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { createRecordings, type RecordingsModel } from "../../state/recordings";
import type { ReplayActions, ReplayPreviews, ReplayView } from "../../state/replay/types";
import type { Readable } from "../../state/types";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Mark } from "../../ui/Logo";
import { Announcer, Banner } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { Preferences } from "../../ui/Preferences";
import { dayAndTime, duration, useTitle } from "../format";
import { useFullScreen } from "../meeting/hooks";
import { Loading } from "../meeting/PhaseView";
import { useRefusalText } from "../refusals";
import { follow, navigate } from "../router";
import { ReplayContext } from "./context";
import { useReplayKeys } from "./keys";
import styles from "./Replay.module.css";
import { ReplayControls } from "./ReplayControls";
import { ReplayDownload } from "./ReplayDownload";
import { ReplayPanel } from "./ReplayPanel";
import { ReplayShare } from "./ReplayShare";
import { ReplayShortcuts } from "./ReplayShortcuts";
import { ReplayListen } from "./ReplaySound";
import { ReplayStage } from "./ReplayStage";

interface ReplayProps {
  view: ReplayView;
  position: Readable<number>;
  previews: ReplayPreviews;
  actions: ReplayActions;
}

const SKIP_S = 10;
const STEP_S = 5;
const LOUDER = 0.1;

export function Replay(props: ReplayProps) {
  const { phase } = props.view;
  switch (phase.kind) {
    case "loading":
      return <Loading />;
    case "failed":
      return <Failed refusal={phase.refusal} />;
    case "ready":
      return (
        <ReplayContext value={props}>
          <Playing {...props} />
        </ReplayContext>
      );
  }
}

function Failed({ refusal }: { refusal: { code: string; retryAfter: number | null } }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  useTitle(`${t("replay.pageTitle")} · ${t("app.title")}`);
  return (
    <Page centred>
      <div className={styles.failed}>
        <span className={styles.failedIcon} aria-hidden="true">
          <CircleAlert />
        </span>
        <h1>{t("replay.failed")}</h1>
        <p>{refusal.code === "not-found" ? t("replay.failedHint") : refusalText(refusal)}</p>
        <Button variant="primary" size="l" onPress={() => navigate("/recordings")}>
          {t("replay.toList")}
        </Button>
      </div>
    </Page>
  );
}

function Playing({ view, position, actions }: ReplayProps) {
  const { t, i18n } = useTranslation();
  const [panel, setPanel] = useState(true);
  const [dialog, setDialog] = useState<"download" | "share" | "shortcuts" | "listen" | null>(null);
  // Made when it is first wanted; what was changed there is still so when it opens again.
  const [sharing, setSharing] = useState<RecordingsModel | null>(null);
  const fullScreen = useFullScreen();
  const { recording, player, layout } = view;
  const [wasRunning] = useState(player.live !== null);
  const title = recording?.title || t("replay.untitled");
  useTitle(`${title} · ${t("app.title")}`);
  const next = layout.choice === "grid" ? "speaker" : "grid";
  useReplayKeys(dialog === null, {
    play: actions.toggle,
    back: () => actions.skip(-SKIP_S),
    forward: () => actions.skip(SKIP_S),
    stepBack: () => actions.skip(-STEP_S),
    stepForward: () => actions.skip(STEP_S),
    louder: () => actions.setVolume(Math.min(1, player.volume + LOUDER)),
    quieter: () => actions.setVolume(Math.max(0, player.volume - LOUDER)),
    mute: actions.toggleMuted,
    fullScreen: fullScreen.toggle,
    slower: () => actions.stepRate(-1),
    faster: () => actions.stepRate(1),
    previousChapter: () => actions.toChapter(-1),
    nextChapter: () => actions.toChapter(1),
    layout: () => actions.setLayout(next),
    live: () => player.live !== null && actions.goLive(),
    help: () => setDialog("shortcuts"),
  });
  if (!recording) return null;
  const openDownload = () => {
    actions.readExports();
    setDialog("download");
  };
  const listen = () => {
    if (player.playing) actions.toggle();
    setDialog("listen");
  };
  const openShare = () => {
    setSharing(sharing ?? createRecordings(undefined, [recording]));
    setDialog("share");
  };
  return (
    <div className={cx(styles.screen, panel && styles.withPanel)}>
      <header className={styles.bar}>
        <a href="/" className={styles.home} onClick={follow}>
          <Mark className={styles.mark} />
          <span className="visually-hidden">{t("app.home")}</span>
        </a>
        <div className={styles.what}>
          <h1 className={styles.title}>{title}</h1>
          <p className={styles.facts}>
            <span>{dayAndTime(recording.started_at, i18n.language)}</span>
            <span className="tabular">{duration(player.duration * 1000)}</span>
            <State state={recording.state} />
          </p>
        </div>
        <div className={styles.end}>
          <IconButton
            label={t("replay.toLayout", { layout: t(`replay.layout.${next}`) })}
            icon={next === "grid" ? <LayoutGrid /> : <LayoutPanelTop />}
            placement="bottom"
            onPress={() => actions.setLayout(next)}
          />
          {recording.manage && <IconButton label={t("recordings.share")} icon={<Share2 />} placement="bottom" onPress={openShare} />}
          <IconButton label={t("replay.download")} icon={<Download />} placement="bottom" onPress={openDownload} />
          <IconButton
            label={panel ? t("replay.hidePanel") : t("replay.showPanel")}
            icon={panel ? <PanelRightClose /> : <PanelRightOpen />}
            placement="bottom"
            onPress={() => setPanel(!panel)}
            className={styles.panelButton}
          />
          <Preferences />
        </div>
      </header>
      <main className={styles.stage} tabIndex={-1}>
        <ReplayStage />
        <div className={styles.over}>
          {player.unplayable.length > 0 && (
            <Banner
              icon={<CircleAlert />}
              action={
                recording.mix && (
                  <Button size="s" onPress={listen}>
                    {t("replay.listen")}
                  </Button>
                )
              }
            >
              {t("replay.unplayableSome")}
            </Banner>
          )}
          {player.soundless && player.playing && <Banner icon={<VolumeX />}>{t("replay.soundless")}</Banner>}
          {view.gap && (
            <Banner
              icon={<CirclePause />}
              action={
                <Button size="s" onPress={() => actions.seek(view.gap?.to ?? 0)}>
                  {t("replay.skipGap")}
                </Button>
              }
            >
              {t(view.gap.why === "paused" ? "replay.gapPaused" : "replay.gapLost")}
            </Banner>
          )}
          {player.live && recording.state === "paused" && <Banner icon={<CirclePause />}>{t("replay.pausedNow")}</Banner>}
          {player.live && recording.state === "suspended" && <Banner icon={<CircleAlert />}>{t("replay.suspendedNow")}</Banner>}
          {recording.state === "broken" && <Banner icon={<CircleAlert />}>{t("replay.brokenHint")}</Banner>}
        </div>
      </main>
      <footer className={styles.controls}>
        <ReplayControls fullScreen={fullScreen} position={position} />
      </footer>
      {panel && (
        <div className={styles.panel}>
          <ReplayPanel />
        </div>
      )}
      <Announcer text={player.blocked ? t("replay.clickToPlay") : wasRunning && player.live === null ? t("replay.over") : ""} />
      {dialog === "download" && <ReplayDownload close={() => setDialog(null)} />}
      {dialog === "listen" && <ReplayListen close={() => setDialog(null)} />}
      {dialog === "share" && sharing && <ReplayShare model={sharing} close={() => setDialog(null)} />}
      {dialog === "shortcuts" && <ReplayShortcuts live={player.live !== null} close={() => setDialog(null)} />}
    </div>
  );
}

function State({ state }: { state: NonNullable<ReplayView["recording"]>["state"] }) {
  const { t } = useTranslation();
  switch (state) {
    case "finished":
      return null;
    case "broken":
      return <Badge tone="warn">{t("replay.broken")}</Badge>;
    case "finishing":
      return <Badge>{t("replay.finishing")}</Badge>;
    case "recording":
      return <Badge tone="danger">{t("replay.running")}</Badge>;
    case "paused":
    case "suspended":
      return <Badge tone="warn">{t(`record.sign.${state}`)}</Badge>;
  }
}
