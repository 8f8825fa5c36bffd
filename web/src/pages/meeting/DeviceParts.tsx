/** Choosing and trying camera, microphone and speaker; help where one of them gives nothing. */
import { Camera, Mic, RotateCw, TriangleAlert, Volume2 } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceCause, DeviceKind, DeviceOption } from "../../state/types";
import { Button } from "../../ui/Button";
import { type Choice, Select } from "../../ui/Field";
import { LevelMeter } from "../../ui/LevelMeter";
import { useDevices } from "./context";
import styles from "./DeviceParts.module.css";

const ICONS = { microphone: Mic, camera: Camera, speaker: Volume2 };
/** As long as the three notes of the test. */
const TEST_MS = 1_600;

/** The browser's name of a device, or a numbered one while it hides them. */
export function useDeviceChoices(options: readonly DeviceOption[], kind: DeviceKind): Choice[] {
  const { t } = useTranslation();
  return options.map((option) => ({
    id: option.id,
    name: option.label || t(`devices.unnamed.${kind}`, { number: option.number }),
  }));
}

export function DeviceSelect({ kind }: { kind: DeviceKind }) {
  const { t } = useTranslation();
  const { devices, actions } = useDevices();
  const device = devices[kind];
  const choices = useDeviceChoices(device.options, kind);
  const Icon = ICONS[kind];
  return (
    <Select
      label={t(`devices.${kind}`)}
      icon={<Icon aria-hidden="true" />}
      choices={choices}
      value={device.chosen}
      onChange={(id) => actions.chooseDevice(kind, id)}
      placeholder={t(`devices.missing.${kind}`)}
    />
  );
}

/** The three choices with meter and test. */
export function DeviceChoices() {
  const { t } = useTranslation();
  const { devices, actions } = useDevices();
  return (
    <div className={styles.choices}>
      <DeviceSelect kind="camera" />
      <DeviceSelect kind="microphone" />
      <RunningLevel label={t("devices.level")} level={actions.level} />
      {devices.speaker.options.length > 0 ? (
        <div className={styles.speaker}>
          <DeviceSelect kind="speaker" />
          <SpeakerTest />
        </div>
      ) : (
        <SpeakerTest />
      )}
    </div>
  );
}

function SpeakerTest() {
  const { t } = useTranslation();
  const { actions } = useDevices();
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => setPlaying(false), TEST_MS);
    return () => clearTimeout(timer);
  }, [playing]);
  return (
    <>
      <Button
        icon={<Volume2 aria-hidden="true" />}
        onPress={() => {
          setPlaying(true);
          actions.testSpeaker();
        }}
      >
        {playing ? t("devices.testing") : t("devices.test")}
      </Button>
      <span className="visually-hidden" role="status">
        {playing ? t("devices.testHint") : ""}
      </span>
    </>
  );
}

/** Ten times a second is as fast as a meter needs to move. */
const METER_MS = 100;

/** A meter that moves. */
export function RunningLevel({ label, level }: { label: string; level: () => number }) {
  const [shown, setShown] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setShown(level()), METER_MS);
    return () => clearInterval(timer);
  }, [level]);
  return <LevelMeter level={shown} label={label} />;
}

interface DeviceHelpProps {
  kind: DeviceKind;
  cause: DeviceCause;
  /** What is wrong, where the usual words speak of a meeting. */
  words?: string | undefined;
}

/** What is wrong with a device, what to do, and a button that tries again. */
export function DeviceHelp({ kind, cause, words }: DeviceHelpProps): ReactNode {
  const { t } = useTranslation();
  const { devices, actions } = useDevices();
  if (cause === "cancelled") return null;
  return (
    <div className={styles.help} role="status">
      <TriangleAlert aria-hidden="true" />
      <div className={styles.helpText}>
        <p className={styles.helpTitle}>{words ?? t(`devices.cause.${kind}.${cause}`)}</p>
        {cause === "denied" && <p>{t(`devices.help.${devices.browser}`)}</p>}
      </div>
      {cause !== "none" && cause !== "unsupported" && (
        <Button size="s" icon={<RotateCw aria-hidden="true" />} onPress={() => actions.retryDevice(kind)}>
          {t("common.tryAgain")}
        </Button>
      )}
    </div>
  );
}
