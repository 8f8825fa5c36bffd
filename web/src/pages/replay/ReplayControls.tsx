/** Under the pictures of a replay: the bar, and what one can do. */
import { ChevronFirst, ChevronLast, Maximize, Minimize, Pause, Play, RotateCcw, RotateCw, Volume1, Volume2, VolumeX } from "lucide-react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { SPEEDS } from "../../client/replay/player";
import { useStore } from "../../state/react";
import type { Readable } from "../../state/types";
import { cx } from "../../ui/cx";
import { Menu, MenuChoice } from "../../ui/Menu";
import toolbarStyles from "../../ui/Toolbar.module.css";
import { Control, Toolbar } from "../../ui/Toolbar";
import { duration } from "../format";
import type { FullScreen } from "../meeting/hooks";
import { useReplay } from "./context";
import { ReplayBar } from "./ReplayBar";
import styles from "./ReplayControls.module.css";

const SKIP_S = 10;

export function ReplayControls({ fullScreen, position }: { fullScreen: FullScreen; position: Readable<number> }) {
  const { t } = useTranslation();
  const { view, actions } = useReplay();
  const { player } = view;
  const silent = player.muted || player.volume === 0;
  const speeds = SPEEDS.map((rate) => ({ id: String(rate), name: t("replay.speedTimes", { rate }) }));
  return (
    <div className={styles.controls}>
      <ReplayBar />
      <Toolbar label={t("replay.controls")} className={styles.row}>
        <Control label={player.playing ? t("replay.pause") : t("replay.play")} icon={player.playing ? <Pause /> : <Play />} onPress={actions.toggle} />
        <Control label={t("replay.back")} icon={<RotateCcw />} onPress={() => actions.skip(-SKIP_S)} />
        <Control label={t("replay.forward")} icon={<RotateCw />} onPress={() => actions.skip(SKIP_S)} />
        <Control label={t("replay.previousChapter")} icon={<ChevronFirst />} onPress={() => actions.toChapter(-1)} className={styles.roomy} />
        <Control label={t("replay.nextChapter")} icon={<ChevronLast />} onPress={() => actions.toChapter(1)} className={styles.roomy} />
        <Time position={position} />
        {player.live !== null && <Live live={player.live && player.playing} goLive={actions.goLive} />}
        <span className={styles.gap} />
        <Control label={silent ? t("replay.unmute") : t("replay.mute")} icon={silent ? <VolumeX /> : player.volume < 0.5 ? <Volume1 /> : <Volume2 />} onPress={actions.toggleMuted} />
        <input
          type="range"
          className={styles.volume}
          data-own-arrows
          aria-label={t("replay.volume")}
          min={0}
          max={100}
          step={5}
          value={player.muted ? 0 : Math.round(player.volume * 100)}
          onChange={(event) => actions.setVolume(Number(event.target.value) / 100)}
        />
        <Menu
          label={t("replay.speed")}
          placement="top"
          trigger={
            <AriaButton aria-label={`${t("replay.speed")}: ${t("replay.speedTimes", { rate: player.rate })}`} className={cx(toolbarStyles.control, toolbarStyles.worded, styles.speed)}>
              {t("replay.speedTimes", { rate: player.rate })}
            </AriaButton>
          }
        >
          <MenuChoice title={t("replay.speed")} choices={speeds} chosen={String(player.rate)} onChoose={(id) => actions.setRate(Number(id))} />
        </Menu>
        {fullScreen.possible && (
          <Control
            label={fullScreen.on ? t("meeting.exitFullScreen") : t("replay.fullScreen")}
            icon={fullScreen.on ? <Minimize /> : <Maximize />}
            onPress={fullScreen.toggle}
            className={styles.roomy}
          />
        )}
      </Toolbar>
    </div>
  );
}

/** Where the recording goes on: whether one sees what happens now, and the way there. */
function Live({ live, goLive }: { live: boolean; goLive: () => void }) {
  const { t } = useTranslation();
  return (
    // It stays where it is, and keeps the focus, when one is there.
    <AriaButton className={cx(toolbarStyles.control, toolbarStyles.worded, styles.live)} data-live={live || undefined} aria-disabled={live || undefined} onPress={() => !live && goLive()}>
      <span className={styles.dot} aria-hidden="true" />
      {live ? t("replay.live") : t("replay.goLive")}
    </AriaButton>
  );
}

function Time({ position }: { position: Readable<number> }) {
  const { view } = useReplay();
  const at = useStore(position);
  // Screen readers have the same from the slider.
  return (
    <span className={styles.time} aria-hidden="true">
      {`${duration(at * 1000)} / ${duration(view.player.duration * 1000)}`}
    </span>
  );
}
