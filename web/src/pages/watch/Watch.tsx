/** A broadcast, watched: the picture, what is to be said of it, and the player's controls. Knows not how it comes. */
import { Info, Radio, Volume2 } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../../state/react";
import type { Readable } from "../../state/types";
import type { WatchActions, WatchPlace, WatchView } from "../../state/watch-types";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Dialog } from "../../ui/Dialog";
import { KeyList, type KeyRow } from "../../ui/KeyList";
import { Mark } from "../../ui/Logo";
import { Page } from "../../ui/Page";
import { useTitle } from "../format";
import { useWakeLock } from "../meeting/hooks";
import { useRefusalText } from "../refusals";
import { canBeSmall, toggleSmall, useWatchKeys, useWhole } from "./hooks";
import { WatchControls } from "./WatchControls";
import styles from "./Watch.module.css";

interface WatchProps {
  view: WatchView;
  place: Readable<WatchPlace | null>;
  actions: WatchActions;
  /** Stands beside the picture, or under it where there is no room. */
  aside?: ReactNode;
}

const SKIP_S = 10;
const STEP_S = 5;
const LOUDER = 0.1;
/** Controls that nobody uses go away after so long. */
const IDLE_MS = 3_000;

export function Watch({ view, place, actions, aside }: WatchProps) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const whole = useWhole(frame);
  const [help, setHelp] = useState(false);
  const [awake, wake] = useAwake();
  const { phase, moved } = view;
  const title = view.title || t("watch.title");
  const playing = phase.kind === "playing";
  const idle = !awake && playing && !view.paused;
  const shown = playing || phase.kind === "reconnecting" || (phase.kind === "ended" && phase.again);
  useTitle(`${title} · ${t("watch.pageTitle")}`);
  useWakeLock(playing && !view.paused);
  useEffect(() => {
    actions.attach(video.current);
    return () => actions.attach(null);
  }, [actions]);
  const keyed = (action: () => void) => () => {
    wake();
    action();
  };
  useWatchKeys(!help, {
    play: keyed(actions.toggle),
    back: keyed(() => actions.skip(-SKIP_S)),
    forward: keyed(() => actions.skip(SKIP_S)),
    stepBack: keyed(() => actions.skip(-STEP_S)),
    stepForward: keyed(() => actions.skip(STEP_S)),
    louder: keyed(() => actions.setVolume(Math.min(1, view.volume + LOUDER))),
    quieter: keyed(() => actions.setVolume(Math.max(0, view.volume - LOUDER))),
    mute: keyed(() => (view.soundBlocked ? actions.hear() : actions.setMuted(!view.muted))),
    fullScreen: whole.toggle,
    live: keyed(actions.toLive),
    captions: keyed(() => view.captions !== null && actions.setCaptions(!view.captions)),
    help: () => setHelp(true),
  });
  return (
    <Page>
      <div className={cx(styles.watch, Boolean(aside) && styles.together)}>
        <div className={styles.head}>
          <h1 className={styles.title}>{title}</h1>
          {playing && <LiveMark place={place} />}
          {playing && view.delay !== null && <span className={styles.delay}>{t("watch.delay", { seconds: view.delay.toFixed(1) })}</span>}
        </div>
        <div
          ref={frame}
          className={cx(styles.player, whole.on && styles.whole, idle && styles.idle)}
          onPointerMove={wake}
          onPointerDown={wake}
          onFocus={wake}
        >
          <video ref={video} className={styles.video} playsInline aria-label={t("watch.video")} onClick={() => matchMedia("(hover: hover)").matches && playing && actions.toggle()} />
          <Words view={view} />
          {view.soundBlocked && playing && (
            <Button variant="primary" size="l" icon={<Volume2 aria-hidden="true" />} className={styles.hear} onPress={actions.hear}>
              {t("meeting.hear")}
            </Button>
          )}
          {shown && (
            <WatchControls idle={idle} view={view} place={place} actions={actions} whole={whole} small={canBeSmall() ? () => toggleSmall(video.current) : null} />
          )}
        </div>
        {moved && (
          <p className={styles.moved} role="status">
            <Info aria-hidden="true" />
            {t(`watch.moved.${moved}`)}
          </p>
        )}
        <div>
          <Button variant="quiet" size="s" className={styles.help} onPress={() => setHelp(true)}>
            {t("watch.shortcuts")}
          </Button>
        </div>
        {aside && <div className={styles.aside}>{aside}</div>}
      </div>
      {help && <Shortcuts close={() => setHelp(false)} />}
    </Page>
  );
}

function LiveMark({ place }: { place: Readable<WatchPlace | null> }) {
  const { t } = useTranslation();
  const at = useStore(place);
  if (at && !at.live) return <Badge>{t("watch.notLive")}</Badge>;
  return (
    <Badge tone="danger" icon={<Radio aria-hidden="true" />}>
      {t("watch.live")}
    </Badge>
  );
}

/** What is said in place of a picture, or over the last one. */
function Words({ view: { phase } }: { view: WatchView }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const hint = () => {
    switch (phase.kind) {
      case "waiting":
        return t("watch.waitingHint");
      case "full":
        return t("watch.fullHint");
      case "ended":
        return phase.again ? t("watch.endedAgain") : t("watch.endedHint");
      case "failed":
        return refusalText(phase.refusal);
      case "connecting":
      case "playing":
      case "reconnecting":
        return null;
    }
  };
  const over = phase.kind === "failed" || phase.kind === "ended";
  const said = hint();
  return (
    <div className={styles.words} role="status">
      {phase.kind !== "playing" && (
        <>
          <Mark className={styles.mark} live={!over} />
          <p className={styles.say}>{t(`watch.${phase.kind}`)}</p>
          {said && <p className={styles.hint}>{said}</p>}
        </>
      )}
    </div>
  );
}

function Shortcuts({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const rows: KeyRow[] = [
    [["K"], t("watch.keys.play")],
    [["J"], t("watch.keys.back")],
    [["L"], t("watch.keys.forward")],
    [["←", "→"], t("watch.keys.step")],
    [["↑", "↓"], t("watch.keys.louder")],
    [["M"], t("watch.keys.mute")],
    [["End"], t("watch.keys.live")],
    [["F"], t("watch.keys.fullScreen")],
    [["C"], t("watch.keys.captions")],
    [["?"], t("watch.keys.help")],
  ];
  return (
    <Dialog isOpen onClose={close} title={t("watch.shortcuts")} isText>
      <KeyList rows={rows} />
    </Dialog>
  );
}

/** Whether somebody used the player a moment ago. */
function useAwake(): [boolean, () => void] {
  const [awake, setAwake] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [wake] = useState(() => () => {
    setAwake(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setAwake(false), IDLE_MS);
  });
  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, [wake]);
  return [awake, wake];
}
