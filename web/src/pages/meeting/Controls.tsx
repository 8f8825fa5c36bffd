/** The row of controls: oneself in the middle, the meeting at the end. */
import {
  AudioLines,
  Hand,
  Keyboard,
  MessageSquare,
  Mic,
  MicOff,
  MonitorUp,
  MonitorX,
  MoreHorizontal,
  PhoneOff,
  ScrollText,
  Settings,
  ShieldCheck,
  Users,
  UserPlus,
  Video,
  VideoOff,
  Maximize,
  Minimize,
} from "lucide-react";
import { Button as AriaButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { DeviceKind, OwnSource, Panel } from "../../state/types";
import { Count } from "../../ui/Badge";
import { cx } from "../../ui/cx";
import { Menu, MenuChoice, MenuItem, MenuLine } from "../../ui/Menu";
import toolbarStyles from "../../ui/Toolbar.module.css";
import { Control, SplitControl, Toolbar } from "../../ui/Toolbar";
import { useLocal, useScreen } from "./context";
import styles from "./Controls.module.css";
import { useDeviceChoices } from "./DeviceParts";
import { type FullScreen, useMedia } from "./hooks";
import { RecordingItems } from "./Recording";

export function Controls({ fullScreen }: { fullScreen: FullScreen }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { openDialog } = useLocal();
  const { own } = view;
  if (!own) return null;
  const { microphone, camera, screen } = own;
  const toggle = (panel: Panel) => actions.openPanel(view.panel === panel ? null : panel);
  const waiting = view.waiting.length;
  const peopleLabel =
    waiting > 0
      ? t("meeting.peopleWaiting", { people: view.people.length, count: waiting })
      : t("meeting.peopleCount", { count: view.people.length });
  const chatLabel = view.chat.unread > 0 ? t("meeting.chatUnread", { count: view.chat.unread }) : t("meeting.chat");
  const why = (source: OwnSource) => (!source.on && source.hindrance ? t(`meeting.hindrance.${source.hindrance}`) : undefined);

  return (
    <Toolbar label={t("meeting.controls")} className={styles.controls}>
      <div className={styles.own}>
        <SplitControl
          label={microphone.on ? t("meeting.mute") : t("meeting.unmute")}
          icon={microphone.on ? <Mic /> : <MicOff />}
          tone={microphone.on ? "normal" : "off"}
          busy={microphone.busy}
          hindrance={why(microphone)}
          alert={microphone.error !== null}
          onPress={() => actions.setMicrophone(!microphone.on)}
          menuLabel={t("meeting.microphoneMenu")}
          menu={
            <>
              <DeviceItems kind="microphone" />
              {view.devices.speaker.options.length > 0 && <DeviceItems kind="speaker" />}
            </>
          }
          className={styles.split}
        />
        <SplitControl
          label={camera.on ? t("meeting.cameraOff") : t("meeting.cameraOn")}
          icon={camera.on ? <Video /> : <VideoOff />}
          tone={camera.on ? "normal" : "off"}
          busy={camera.busy}
          hindrance={why(camera)}
          alert={camera.error !== null}
          onPress={() => actions.setCamera(!camera.on)}
          menuLabel={t("meeting.cameraMenu")}
          menu={<DeviceItems kind="camera" />}
          className={styles.split}
        />
        <SplitControl
          label={screen.on ? t("meeting.stopShare") : t("meeting.share")}
          icon={screen.on ? <MonitorX /> : <MonitorUp />}
          tone={screen.on ? "active" : "normal"}
          busy={screen.busy}
          hindrance={why(screen)}
          onPress={() => actions.setScreen(!screen.on)}
          menuLabel={t("meeting.shareMenu")}
          menu={<ShareItems />}
          className={cx(styles.roomy, styles.split)}
        />
        <Control
          label={
            own.handRaised
              ? own.handPosition === null
                ? t("meeting.lowerHand")
                : t("meeting.lowerHandAt", { position: own.handPosition })
              : t("meeting.raiseHand")
          }
          icon={<Hand />}
          tone={own.handRaised ? "hand" : "normal"}
          badge={own.handPosition !== null && <Count value={own.handPosition} tone="neutral" />}
          onPress={() => actions.setHand(!own.handRaised)}
        />
        <Control
          label={own.voiceOnly ? t("meeting.voiceOnlyOff") : t("meeting.voiceOnly")}
          icon={<AudioLines />}
          tone={own.voiceOnly ? "active" : "normal"}
          onPress={() => actions.setVoiceOnly(!own.voiceOnly)}
          className={styles.roomy}
        />
        <MoreMenu fullScreen={fullScreen} />
      </div>
      <div className={styles.shared}>
        <Control
          label={peopleLabel}
          icon={<Users />}
          tone={view.panel === "people" ? "active" : "normal"}
          pressed={view.panel === "people"}
          badge={waiting > 0 ? <Count value={waiting} /> : <Count value={view.people.length} tone="neutral" />}
          onPress={() => toggle("people")}
          className={styles.wide}
        />
        <Control
          label={chatLabel}
          icon={<MessageSquare />}
          tone={view.panel === "chat" ? "active" : "normal"}
          pressed={view.panel === "chat"}
          badge={<Count value={view.chat.unread} />}
          onPress={() => toggle("chat")}
        />
        <Control
          label={t("meeting.invite")}
          icon={<UserPlus />}
          tone={view.panel === "share" ? "active" : "normal"}
          pressed={view.panel === "share"}
          onPress={() => toggle("share")}
          className={styles.roomy}
        />
        <Control label={t("meeting.leave")} icon={<PhoneOff />} tone="danger" word={t("leave.leave")} onPress={() => openDialog({ kind: "leave" })} />
      </div>
    </Toolbar>
  );
}

function DeviceItems({ kind }: { kind: DeviceKind }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const device = view.devices[kind];
  const choices = useDeviceChoices(device.options, kind);
  const title = choices.length > 0 ? t(`devices.${kind}`) : t(`devices.missing.${kind}`);
  return <MenuChoice title={title} choices={choices} chosen={device.chosen} onChoose={(id) => actions.chooseDevice(kind, id)} />;
}

/** What the shared screen shows: can be changed while it is shared. */
function ShareItems() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const choices = (["text", "motion"] as const).map((id) => ({ id, name: t(`meeting.shareMode.${id}`) }));
  return <MenuChoice title={t("meeting.shareMode.title")} choices={choices} chosen={view.own?.shareMode ?? null} onChoose={actions.setShareMode} />;
}

/** As in the style sheet: where some controls have no room beside the others. */
const CROWDED = "(max-width: 44rem), (max-height: 30rem) and (min-aspect-ratio: 1 / 1)";

function MoreMenu({ fullScreen }: { fullScreen: FullScreen }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { openDialog } = useLocal();
  const { own } = view;
  const crowded = useMedia(CROWDED);
  const layouts = (["auto", "grid", "speaker"] as const).map((id) => ({ id, name: t(`meeting.layout.${id}`) }));
  if (!own) return null;
  const shareHindrance = !own.screen.on && own.screen.hindrance ? t(`meeting.hindrance.${own.screen.hindrance}`) : undefined;
  return (
    <Menu
      label={t("meeting.more")}
      placement="top"
      trigger={
        <AriaButton aria-label={t("meeting.more")} className={cx(toolbarStyles.control)}>
          <MoreHorizontal />
        </AriaButton>
      }
    >
      {crowded && (
        <>
          <MenuItem
            icon={own.screen.on ? <MonitorX aria-hidden="true" /> : <MonitorUp aria-hidden="true" />}
            isDisabled={shareHindrance !== undefined}
            note={shareHindrance}
            onAction={() => actions.setScreen(!own.screen.on)}
          >
            {own.screen.on ? t("meeting.stopShare") : t("meeting.share")}
          </MenuItem>
          {own.screen.on && (
            <>
              <ShareItems />
              <MenuLine />
            </>
          )}
          <MenuItem icon={<AudioLines aria-hidden="true" />} onAction={() => actions.setVoiceOnly(!own.voiceOnly)}>
            {own.voiceOnly ? t("meeting.voiceOnlyOff") : t("meeting.voiceOnly")}
          </MenuItem>
          <MenuItem icon={<Users aria-hidden="true" />} onAction={() => actions.openPanel("people")}>
            {t("meeting.people")}
          </MenuItem>
          <MenuItem icon={<UserPlus aria-hidden="true" />} onAction={() => actions.openPanel("share")}>
            {t("meeting.invite")}
          </MenuItem>
          <MenuLine />
        </>
      )}
      <MenuChoice title={t("meeting.view")} choices={layouts} chosen={view.layout.choice} onChoose={(id) => actions.setLayout(id)} />
      <MenuLine />
      {view.rights.record && <RecordingItems />}
      {view.rights.setPolicy && (
        <MenuItem icon={<ShieldCheck aria-hidden="true" />} onAction={() => openDialog({ kind: "rules" })}>
          {t("policy.title")}
        </MenuItem>
      )}
      {view.rights.readLog && (
        <MenuItem
          icon={<ScrollText aria-hidden="true" />}
          onAction={() => {
            actions.readLog();
            actions.openPanel("log");
          }}
        >
          {t("meeting.log")}
        </MenuItem>
      )}
      <MenuItem icon={<Settings aria-hidden="true" />} onAction={() => actions.openPanel("settings")}>
        {t("meeting.settings")}
      </MenuItem>
      {fullScreen.possible && (
        <MenuItem icon={fullScreen.on ? <Minimize aria-hidden="true" /> : <Maximize aria-hidden="true" />} onAction={fullScreen.toggle}>
          {fullScreen.on ? t("meeting.exitFullScreen") : t("meeting.fullScreen")}
        </MenuItem>
      )}
      <MenuItem icon={<Keyboard aria-hidden="true" />} onAction={() => openDialog({ kind: "shortcuts" })}>
        {t("meeting.shortcuts")}
      </MenuItem>
    </Menu>
  );
}

