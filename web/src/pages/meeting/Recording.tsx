/** The recording of the meeting, as those in it see it: the sign, the menu's items, what asks before it begins and ends. */
import { Bookmark, CircleDot, CirclePause, CircleStop, Pause, Play } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MARK_MAX } from "../../client/protocol";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { MenuItem, MenuLine } from "../../ui/Menu";
import { TextDialog } from "../../ui/TextDialog";
import { duration, useNow } from "../format";
import { useLocal, useScreen } from "./context";
import styles from "./Recording.module.css";

/** That the meeting is recorded, for how long, and whether something is wrong: everybody sees it. */
export function RecordingSign() {
  const { view } = useScreen();
  return view.recording ? <Sign recording={view.recording} /> : null;
}

function Sign({ recording }: { recording: NonNullable<ReturnType<typeof useScreen>["view"]["recording"]> }) {
  const { t } = useTranslation();
  const now = useNow();
  const running = recording.state === "recording";
  const time = duration(recording.recordedMs + (running ? Math.max(0, now - recording.since) : 0));
  const state = t(`record.sign.${recording.state}`);
  return (
    <p className={styles.sign} data-state={recording.state}>
      {running ? <CircleDot aria-hidden="true" /> : <CirclePause aria-hidden="true" />}
      <span className={styles.word} aria-hidden="true">
        {state}
      </span>
      <span className={styles.time} aria-hidden="true">
        {time}
      </span>
      <span className="visually-hidden">{t("record.signTime", { state, time })}</span>
    </p>
  );
}

/** In the menu of the controls, for those who may. */
export function RecordingItems() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { openDialog } = useLocal();
  const { recording } = view;
  if (!recording) {
    return (
      <>
        <MenuItem icon={<CircleDot aria-hidden="true" />} onAction={() => openDialog({ kind: "record" })}>
          {t("record.start")}
        </MenuItem>
        <MenuLine />
      </>
    );
  }
  return (
    <>
      <MenuItem icon={<Bookmark aria-hidden="true" />} onAction={() => openDialog({ kind: "mark" })}>
        {t("record.mark")}
      </MenuItem>
      {recording.state === "paused" ? (
        <MenuItem icon={<Play aria-hidden="true" />} onAction={() => actions.record("resume")}>
          {t("record.resume")}
        </MenuItem>
      ) : (
        <MenuItem icon={<Pause aria-hidden="true" />} onAction={() => actions.record("pause")}>
          {t("record.pause")}
        </MenuItem>
      )}
      <MenuItem icon={<CircleStop aria-hidden="true" />} tone="danger" onAction={() => openDialog({ kind: "record" })}>
        {t("record.stop")}
      </MenuItem>
      <MenuLine />
    </>
  );
}

/** Asks before a recording begins; where one runs, what shall become of it. */
export function RecordDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { recording } = view;
  if (!recording) {
    return (
      <Dialog
        isOpen
        onClose={close}
        size="s"
        title={t("record.startTitle")}
        footer={
          <>
            <Button onPress={close}>{t("common.cancel")}</Button>
            <Button
              variant="primary"
              autoFocus
              onPress={() => {
                actions.record("start");
                close();
              }}
            >
              {t("record.start")}
            </Button>
          </>
        }
      >
        {t("record.startText")}
      </Dialog>
    );
  }
  const paused = recording.state === "paused";
  return (
    <Dialog
      isOpen
      onClose={close}
      size="s"
      title={t("record.stopTitle")}
      footer={
        <>
          <Button
            autoFocus
            onPress={() => {
              actions.record(paused ? "resume" : "pause");
              close();
            }}
          >
            {paused ? t("record.resume") : t("record.pause")}
          </Button>
          <Button
            variant="danger"
            onPress={() => {
              actions.record("stop");
              close();
            }}
          >
            {t("record.stop")}
          </Button>
        </>
      }
    >
      {t("record.stopText")}
    </Dialog>
  );
}

export function MarkDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { actions } = useScreen();
  return (
    <TextDialog
      title={t("record.markTitle")}
      label={t("record.markLabel")}
      hint={t("record.markHint")}
      text=""
      maxLength={MARK_MAX}
      save={(text) => actions.mark(text)}
      close={close}
    />
  );
}

/** At the door of a meeting that is recorded. */
export function RecordedNote({ planned = false }: { planned?: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={styles.note}>
      <CircleDot aria-hidden="true" />
      <p>
        <strong className={styles.noteTitle}>{t(planned ? "record.plannedTitle" : "record.consentTitle")}</strong>
        {t("record.consentText")}
      </p>
    </div>
  );
}
