/** The bar over the picture: where one is, and what one can do. */
import { Captions, CaptionsOff, History, Maximize, Minimize, Pause, PictureInPicture2, Play, RotateCcw, Settings, Volume1, Volume2, VolumeX } from "lucide-react";
import type { CSSProperties } from "react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useStore } from "../../state/react";
import type { Readable } from "../../state/types";
import type { WatchActions, WatchPlace, WatchView, WatchWay } from "../../state/watch-types";
import { IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Menu, MenuChoice } from "../../ui/Menu";
import slider from "../../ui/Slider.module.css";
import { Toolbar } from "../../ui/Toolbar";
import { duration } from "../format";
import type { FullScreen } from "../meeting/hooks";
import { useDragged } from "../useDragged";
import styles from "./WatchControls.module.css";

interface ControlsProps {
  /** Nobody uses it. */
  idle: boolean;
  view: WatchView;
  place: Readable<WatchPlace | null>;
  actions: WatchActions;
  whole: FullScreen;
  small: (() => void) | null;
}

const WAYS: readonly WatchWay[] = ["fast", "steady"];
const SKIP_S = 10;

export function WatchControls({ idle, view, place, actions, whole, small }: ControlsProps) {
  const { t } = useTranslation();
  const at = useStore(place);
  const shown = at === null || at.live ? t("watch.positionLive") : `−${duration((at.to - at.at) * 1000)}`;
  const silent = view.muted || view.soundBlocked || view.volume === 0;
  return (
    <div className={cx(styles.bar, idle && styles.idle)}>
      {at && <Position at={at} actions={actions} />}
      <Toolbar label={t("watch.controls")} className={styles.row}>
        <IconButton label={view.paused ? t("watch.play") : t("watch.pause")} icon={view.paused ? <Play /> : <Pause />} variant="over-video" onPress={actions.toggle} />
        {at && <IconButton label={t("watch.keys.back")} icon={<RotateCcw />} variant="over-video" className={styles.roomy} onPress={() => actions.skip(-SKIP_S)} />}
        {at?.further && <IconButton label={t("watch.further")} icon={<History />} variant="over-video" onPress={actions.goFurther} />}
        <IconButton
          label={silent ? t("watch.sound") : t("watch.mute")}
          icon={silent ? <VolumeX /> : view.volume < 0.5 ? <Volume1 /> : <Volume2 />}
          variant="over-video"
          onPress={() => (view.soundBlocked ? actions.hear() : actions.setMuted(!view.muted))}
        />
        <input
          type="range"
          className={styles.volume}
          aria-label={t("watch.volume")}
          min={0}
          max={100}
          step={5}
          value={silent ? 0 : Math.round(view.volume * 100)}
          onChange={(event) => actions.setVolume(Number(event.target.value) / 100)}
        />
        {at && (
          <AriaButton className={styles.live ?? ""} data-live={at.live || undefined} onPress={actions.toLive} aria-label={at.live ? shown : `${t("watch.toLive")}, ${shown}`}>
            <span className={styles.dot} aria-hidden="true" />
            {shown}
          </AriaButton>
        )}
        <span className={styles.gap} />
        {view.captions !== null && (
          <IconButton
            label={view.captions ? t("watch.captionsOff") : t("watch.captionsOn")}
            icon={view.captions ? <Captions /> : <CaptionsOff />}
            variant="over-video"
            onPress={() => actions.setCaptions(!view.captions)}
          />
        )}
        {(view.mayChoose || view.variants.length > 1) && <Choices view={view} actions={actions} />}
        {small && <IconButton label={t("watch.small")} icon={<PictureInPicture2 />} variant="over-video" className={styles.roomy} onPress={small} />}
        {whole.possible && (
          <IconButton
            label={whole.on ? t("meeting.exitFullScreen") : t("watch.fullScreen")}
            icon={whole.on ? <Minimize /> : <Maximize />}
            variant="over-video"
            onPress={whole.toggle}
          />
        )}
      </Toolbar>
    </div>
  );
}

function Choices({ view, actions }: Pick<ControlsProps, "view" | "actions">) {
  const { t } = useTranslation();
  const auto = view.variant === -1 && view.height > 0 ? t("watch.autoAt", { height: view.height }) : t("watch.auto");
  const named = ({ height, kbps }: WatchView["variants"][number]) => (height > 0 ? t("watch.variant", { height }) : t("watch.variantRate", { kbps }));
  return (
    <Menu
      label={t("watch.settings")}
      placement="top end"
      trigger={<IconButton label={t("watch.settings")} icon={<Settings />} variant="over-video" />}
    >
      {view.variants.length > 1 && (
        <MenuChoice
          title={t("watch.quality")}
          choices={[{ id: "-1", name: auto }, ...view.variants.map((variant) => ({ id: String(variant.id), name: named(variant) }))]}
          chosen={String(view.variant)}
          onChoose={(id) => actions.setVariant(Number(id))}
        />
      )}
      {view.mayChoose && <MenuChoice title={t("watch.way")} choices={WAYS.map((id) => ({ id, name: t(`watch.ways.${id}`) }))} chosen={view.way} onChoose={actions.setWay} />}
    </Menu>
  );
}

function Position({ at, actions }: { at: WatchPlace; actions: WatchActions }) {
  const { t } = useTranslation();
  const [dragged, drag] = useDragged(actions.seek);
  const shown = Math.max(at.from, Math.min(at.to, dragged ?? (at.live ? at.to : at.at)));
  const behind = at.to - shown;
  const spoken = dragged === null && at.live ? t("watch.positionLive") : t("watch.behind", { time: duration(behind * 1000) });
  return (
    <div className={cx(slider.position, styles.position)} style={{ "--at": (shown - at.from) / Math.max(0.1, at.to - at.from) } as CSSProperties}>
      <div className={slider.rail} aria-hidden="true">
        <span className={slider.played} />
      </div>
      <input
        type="range"
        className={slider.range}
        aria-label={t("watch.position")}
        aria-valuetext={spoken}
        min={at.from}
        max={at.to}
        step={0.5}
        value={shown}
        onChange={(event) => drag(Number(event.target.value))}
      />
      {dragged !== null && (
        <span className={styles.hint} aria-hidden="true">
          {`−${duration(behind * 1000)}`}
        </span>
      )}
    </div>
  );
}
