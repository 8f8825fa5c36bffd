/** Beside the picture: what is sent, how viewers come, devices, and how it is sent. */
import { MonitorUp, QrCode as QrIcon, TriangleAlert } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { CORNERS } from "../../client/studio/compositor";
import type { StudioActions, StudioBroadcast, StudioView } from "../../state/studio-types";
import { Button } from "../../ui/Button";
import { CopyButton } from "../../ui/CopyButton";
import { Dialog } from "../../ui/Dialog";
import { Select } from "../../ui/Field";
import { QrCode } from "../../ui/QrCode";
import { Sparkline } from "../../ui/Sparkline";
import { Switch } from "../../ui/Switch";
import { DeviceSelect, RunningLevel } from "../meeting/DeviceParts";
import { follow } from "../router";
import { useBitrateWords } from "./bitrate";
import styles from "./StudioPanels.module.css";

const MINUTE = 60;

export function Panel({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <h2 id={id} className={styles.title}>
        {title}
      </h2>
      {children}
    </section>
  );
}

export function Sending({ view }: { view: StudioView }) {
  const { t } = useTranslation();
  const bitrate = useBitrateWords();
  const { sending, reconnects } = view;
  return (
    <Panel title={t("studio.sending")}>
      {sending ? (
        <>
          <div className={styles.rate}>
            <span className={styles.figure}>{bitrate(sending.kbps)}</span>
            <Sparkline values={sending.history} length={MINUTE} least={500} />
          </div>
          <dl className={styles.facts}>
            <Fact name={t("studio.size")} value={`${sending.width} × ${sending.height}`} />
            <Fact name={t("studio.frames")} value={t("studio.perSecond", { count: sending.framesPerSecond })} />
            <Fact name={t("studio.format")} value={sending.codec} />
          </dl>
        </>
      ) : (
        <p className={styles.hint}>{t("studio.connecting")}</p>
      )}
      {sending?.limited && (
        <p className={styles.limited}>
          <TriangleAlert aria-hidden="true" />
          {sending.limited === "cpu" ? t("studio.limitedCpu") : t("studio.limitedBandwidth")}
        </p>
      )}
      {reconnects > 0 && <p className={styles.hint}>{t("studio.reconnects", { count: reconnects })}</p>}
    </Panel>
  );
}

export function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd className="tabular">{value}</dd>
    </div>
  );
}

/** `children`: other ways to send. */
export function Invite({ broadcast, children }: { broadcast: StudioBroadcast; children?: ReactNode }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <Panel title={t("studio.share")}>
      <p className={styles.link}>{broadcast.watchUrl}</p>
      <div className={styles.row}>
        <CopyButton text={broadcast.watchUrl} words={t("studio.copyLink")} />
        <Button icon={<QrIcon aria-hidden="true" />} onPress={() => setOpen(true)}>
          {t("studio.qr")}
        </Button>
      </div>
      {children}
      <Dialog isOpen={open} onClose={() => setOpen(false)} title={t("studio.qrTitle")} size="s">
        <div className={styles.qr}>
          <QrCode text={broadcast.watchUrl} label={t("studio.qrLabel")} />
          <p className={styles.hint}>{t("studio.qrHint")}</p>
        </div>
      </Dialog>
    </Panel>
  );
}

/** The page on which one sends with another program. */
export function ToEncoder({ broadcast }: { broadcast: StudioBroadcast }) {
  const { t } = useTranslation();
  return (
    <a className={styles.encoder} href={`/broadcasts/${encodeURIComponent(broadcast.id)}`} onClick={follow}>
      <MonitorUp aria-hidden="true" />
      {t("studio.encoder")}
    </a>
  );
}

export function YourDevices({ view, actions }: { view: StudioView; actions: StudioActions }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("studio.devices")}>
      <DeviceSelect kind="camera" />
      <DeviceSelect kind="microphone" />
      <RunningLevel label={t("studio.level")} level={actions.level} />
      {view.screen.sound && (
        <div className={styles.level}>
          <span className={styles.levelName}>{t("studio.screenLevel")}</span>
          <RunningLevel label={t("studio.screenLevel")} level={actions.screenLevel} />
        </div>
      )}
      {view.source === "both" && (
        <Select
          label={t("studio.corner")}
          choices={CORNERS.map((id) => ({ id, name: t(`studio.corners.${id}`) }))}
          value={view.corner}
          placeholder={t("studio.corner")}
          onChange={(id) => {
            const corner = CORNERS.find((one) => one === id);
            if (corner) actions.setCorner(corner);
          }}
        />
      )}
    </Panel>
  );
}

const QUALITIES = ["1080", "720", "540"] as const;

export function Settings({ view, actions, onAir }: { view: StudioView; actions: StudioActions; onAir: boolean }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("studio.settings")}>
      <Select
        label={t("studio.quality")}
        choices={QUALITIES.map((id) => ({ id, name: t(`studio.qualities.${id}`) }))}
        value={view.quality}
        placeholder={t("studio.quality")}
        onChange={(id) => {
          const quality = QUALITIES.find((one) => one === id);
          if (quality) actions.setQuality(quality);
        }}
      />
      <Select
        label={t("studio.codec")}
        choices={view.codecs.map((id) => ({ id, name: t(`studio.codecs.${id}`) }))}
        value={view.codec}
        placeholder={t("studio.codec")}
        isDisabled={onAir}
        onChange={(id) => {
          const codec = view.codecs.find((one) => one === id);
          if (codec) actions.setCodec(codec);
        }}
      />
      <Switch label={t("studio.simulcast")} hint={t("studio.simulcastHint")} isSelected={view.simulcast} onChange={actions.setSimulcast} isDisabled={onAir} />
      {onAir && <p className={styles.hint}>{t("studio.later")}</p>}
    </Panel>
  );
}
