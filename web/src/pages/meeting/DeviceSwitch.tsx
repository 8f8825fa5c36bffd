/** The button that turns one's own microphone or camera on and off. */
import { Mic, MicOff, Video, VideoOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { DeviceCause } from "../../state/types";
import { Control } from "../../ui/Toolbar";

interface DeviceSwitchProps {
  device: { on: boolean; busy: boolean; error: DeviceCause | null };
  /** Before a meeting, or in the studio, where there is no other mute. */
  words: "meeting" | "studio";
  turn: (on: boolean) => void;
}

export function MicrophoneSwitch({ device: { on, busy, error }, words, turn }: DeviceSwitchProps) {
  const { t } = useTranslation();
  return (
    <Control
      label={on ? t(`${words}.mute`) : t(`${words}.unmute`)}
      icon={on ? <Mic /> : <MicOff />}
      tone={on ? "normal" : "off"}
      busy={busy}
      alert={error !== null}
      onPress={() => turn(!on)}
    />
  );
}

export function CameraSwitch({ device: { on, busy, error }, words, turn }: DeviceSwitchProps) {
  const { t } = useTranslation();
  return (
    <Control
      label={on ? t(`${words}.cameraOff`) : t(`${words}.cameraOn`)}
      icon={on ? <Video /> : <VideoOff />}
      tone={on ? "normal" : "off"}
      busy={busy}
      alert={error !== null}
      onPress={() => turn(!on)}
    />
  );
}
