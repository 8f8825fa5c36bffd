/** The meeting itself: bar, pictures, panel, controls, and what comes over them. */
import { AudioLines, CircleDot, MicOff, Volume2, WifiOff } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Audience, LayoutView, TileView } from "../../state/types";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Banner, Notice } from "../../ui/Notices";
import { useRememberedSwitch } from "../../ui/remember";
import { useNow, useTitle } from "../format";
import { ChatPanel } from "./ChatPanel";
import { LocalContext, type OpenDialog, useScreen } from "./context";
import { Controls } from "./Controls";
import { MeetingDialogs } from "./Dialogs";
import { useFullScreen, useKnockSound, useShortcuts, useWakeLock } from "./hooks";
import { LogDialog } from "./LogDialog";
import { MeetingBar } from "./MeetingBar";
import styles from "./MeetingScreen.module.css";
import { NoticeArea } from "./NoticeArea";
import { PeoplePanel } from "./PeoplePanel";
import { RecordingSign } from "./Recording";
import { SettingsDialog } from "./SettingsDialog";
import { SharePanel } from "./SharePanel";
import { Stage } from "./Stage";

export function MeetingScreen() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const [dialog, openDialog] = useState<OpenDialog | null>(null);
  const [chatTo, setChatTo] = useState<Audience | null>(null);
  const [singleKeys] = useRememberedSwitch("single-keys");
  const [sounds] = useRememberedSwitch("knock-sound");
  const fullScreen = useFullScreen();
  const { own, panel, layout } = view;
  useWakeLock(true);
  useKnockSound(view.knock, sounds);

  const title = `${view.meeting?.title || t("meeting.untitled")} · ${t("app.title")}`;
  useTitle(view.waiting.length > 0 ? t("meeting.waitingTitle", { count: view.waiting.length, title }) : title);

  const toggle = (wanted: "people" | "chat") => actions.openPanel(panel === wanted ? null : wanted);
  useShortcuts(
    singleKeys && dialog === null,
    {
      m: () => own && actions.setMicrophone(!own.microphone.on),
      v: () => own && actions.setCamera(!own.camera.on),
      s: () => own && actions.setScreen(!own.screen.on),
      h: () => own && actions.setHand(!own.handRaised),
      p: () => toggle("people"),
      c: () => toggle("chat"),
      l: () => actions.setLayout(layout.mode === "grid" ? "speaker" : "grid"),
      i: () => {
        const tile = tileInFocus(layout) ?? (own && { participant: own.id, source: "camera" as const });
        if (tile) openDialog({ kind: "connection", person: tile.participant, source: tile.source });
      },
      r: () => view.rights.record && openDialog({ kind: "record" }),
      b: () => view.rights.record && view.recording && openDialog({ kind: "mark" }),
      f: fullScreen.toggle,
      q: () => openDialog({ kind: "leave" }),
      "?": () => openDialog({ kind: "shortcuts" }),
      ArrowLeft: () => layout.page > 0 && actions.setPage(layout.page - 1),
      ArrowRight: () => layout.page < layout.pages - 1 && actions.setPage(layout.page + 1),
    },
    (on) => {
      // Whoever is unmuted already stays so; only a press that unmuted ends by muting.
      if (own && own.microphone.on !== on) actions.setMicrophone(on);
    },
  );

  const local = useMemo(
    () => ({
      openDialog,
      chatTo,
      writeTo: (to: Audience) => {
        setChatTo(to);
        actions.openPanel("chat");
      },
    }),
    [chatTo, actions],
  );
  const side = panel === "people" || panel === "chat" || panel === "share";

  return (
    <LocalContext value={local}>
      <div className={cx(styles.screen, side && styles.withPanel)}>
        <div className={styles.bar}>
          <MeetingBar fullScreen={fullScreen} />
        </div>
        <main className={styles.stage} tabIndex={-1}>
          <Stage />
          <div className={styles.sign}>
            <RecordingSign />
          </div>
          <div className={styles.over}>
            <Trouble />
            <NoticeArea />
          </div>
        </main>
        {side && (
          <div className={styles.panel}>
            {panel === "people" && <PeoplePanel />}
            {panel === "chat" && <ChatPanel />}
            {panel === "share" && <SharePanel />}
          </div>
        )}
        <footer className={styles.controls}>
          <Controls fullScreen={fullScreen} />
        </footer>
      </div>
      {panel === "settings" && <SettingsDialog />}
      {panel === "log" && <LogDialog />}
      <MeetingDialogs open={dialog} close={() => openDialog(null)} onSuspend={() => openDialog({ kind: "suspend" })} />
    </LocalContext>
  );
}

/** The tile that holds the focus; the first large one where none does. */
function tileInFocus(layout: LayoutView): TileView | undefined {
  const key = document.activeElement?.closest("[data-tile]")?.getAttribute("data-tile");
  return [...layout.stage, ...layout.tiles].find((tile) => tile.key === key) ?? layout.stage[0];
}

/** What is wrong now, or needs a click, for as long as it lasts. */
function Trouble() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { phase, own } = view;
  return (
    <>
      {phase.kind === "reconnecting" && <Reconnecting until={phase.until} />}
      {phase.kind === "in" && view.media === "restoring" && <Banner icon={<WifiOff />}>{t("meeting.restoring")}</Banner>}
      {view.recording?.trouble && view.rights.record && (
        <Notice icon={<CircleDot />} tone="warn">
          {t(`record.trouble.${view.recording.trouble}`)}
        </Notice>
      )}
      {view.soundBlocked && (
        <Notice
          icon={<Volume2 />}
          tone="warn"
          actions={
            <Button size="s" variant="primary" onPress={() => actions.unblockSound()}>
              {t("meeting.hear")}
            </Button>
          }
        >
          {t("meeting.soundBlocked")}
        </Notice>
      )}
      {own?.speakingWhileMuted && (
        <Notice
          icon={<MicOff />}
          tone="warn"
          actions={
            !own.microphone.hindrance && (
              <Button size="s" variant="primary" onPress={() => actions.setMicrophone(true)}>
                {t("meeting.unmute")}
              </Button>
            )
          }
        >
          {t("meeting.mutedSpeaking")}
        </Notice>
      )}
      {own?.voiceOnly && (
        <Notice
          icon={<AudioLines />}
          actions={
            <Button size="s" onPress={() => actions.setVoiceOnly(false)}>
              {t("meeting.voiceOnlyOff")}
            </Button>
          }
        >
          {t("meeting.voiceOnlyOn")}
        </Notice>
      )}
    </>
  );
}

function Reconnecting({ until }: { until: number }) {
  const { t } = useTranslation();
  const now = useNow();
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <Banner icon={<WifiOff />} tone="danger">
      <span aria-hidden="true" className="tabular">
        {t("meeting.reconnectingUntil", { seconds })}
      </span>
      <span className="visually-hidden">{t("meeting.reconnecting")}</span>
    </Banner>
  );
}
