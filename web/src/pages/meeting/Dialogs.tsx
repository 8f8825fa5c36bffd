/** The dialogs of the meeting page: those that ask, and those that tell. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { NAME_MAX } from "../../client/protocol";
import { Button } from "../../ui/Button";
import { ConfirmDialog, Dialog } from "../../ui/Dialog";
import { KeyList, type KeyRow } from "../../ui/KeyList";
import { useRememberedSwitch } from "../../ui/remember";
import { Switch } from "../../ui/Switch";
import { TextDialog } from "../../ui/TextDialog";
import { ConnectionDialog } from "./ConnectionDialog";
import { type OpenDialog, useScreen } from "./context";
import styles from "./Dialogs.module.css";
import { MarkDialog, RecordDialog } from "./Recording";

interface DialogsProps {
  open: OpenDialog | null;
  close: () => void;
  onSuspend: () => void;
}

/** Each dialog is made anew when it opens, so that nothing of the last time is left in it. */
export function MeetingDialogs({ open, close, onSuspend }: DialogsProps) {
  const { t } = useTranslation();
  const { actions } = useScreen();
  if (!open) return null;
  switch (open.kind) {
    case "leave":
      return <LeaveDialog close={close} />;
    case "shortcuts":
      return <ShortcutsDialog close={close} />;
    case "rules":
      return <RulesDialog close={close} onSuspend={onSuspend} />;
    case "record":
      return <RecordDialog close={close} />;
    case "mark":
      return <MarkDialog close={close} />;
    case "mute-all":
      return <MuteAllDialog close={close} />;
    case "suspend":
      return (
        <ConfirmDialog
          isOpen
          onClose={close}
          title={t("people.confirm.suspendTitle")}
          action={t("people.confirm.suspendAction")}
          onConfirm={() => actions.suspendAll()}
        >
          {t("people.confirm.suspendText")}
        </ConfirmDialog>
      );
    case "connection":
      return <ConnectionDialog person={open.person} source={open.source} close={close} />;
    case "rename":
      return <RenameDialog person={open.person} name={open.name} close={close} />;
    case "remove":
    case "ban":
      return (
        <ConfirmDialog
          isOpen
          onClose={close}
          title={t(`people.confirm.${open.kind}Title`, { name: open.name })}
          action={t(`people.action.${open.kind}`)}
          onConfirm={() => actions.act(open.person, open.kind)}
        >
          {t(`people.confirm.${open.kind}Text`)}
        </ConfirmDialog>
      );
    case "make-host":
      return (
        <ConfirmDialog
          isOpen
          onClose={close}
          title={t("people.confirm.hostTitle", { name: open.name })}
          action={t("people.action.make-host")}
          onConfirm={() => actions.act(open.person, "make-host")}
        >
          {t("people.confirm.hostText")}
        </ConfirmDialog>
      );
  }
}

function LeaveDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const mayEnd = view.rights.end;
  return (
    <Dialog
      isOpen
      onClose={close}
      size="s"
      title={mayEnd ? t("leave.titleHost") : t("leave.title")}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          {mayEnd && (
            <Button variant="danger" onPress={() => actions.end()}>
              {t("leave.end")}
            </Button>
          )}
          <Button variant={mayEnd ? "primary" : "danger"} onPress={() => actions.leave()} autoFocus>
            {t("leave.leave")}
          </Button>
        </>
      }
    >
      {mayEnd ? t("leave.textHost") : t("leave.text")}
    </Dialog>
  );
}

function MuteAllDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const [mayUnmute, setMayUnmute] = useState(view.policy?.mayUnmute ?? true);
  return (
    <ConfirmDialog
      isOpen
      onClose={close}
      title={t("people.confirm.muteAllTitle")}
      action={t("people.muteAll")}
      onConfirm={() => actions.muteAll(mayUnmute)}
    >
      <p>{t("people.confirm.muteAllText")}</p>
      <Switch label={t("people.confirm.muteAllMayUnmute")} isSelected={mayUnmute} onChange={setMayUnmute} />
    </ConfirmDialog>
  );
}

function RenameDialog({ person, name, close }: { person: number; name: string; close: () => void }) {
  const { t } = useTranslation();
  const { actions } = useScreen();
  return (
    <TextDialog
      title={t("people.rename.title", { name })}
      label={t("people.rename.label")}
      text={name}
      maxLength={NAME_MAX}
      save={(next) => actions.rename(person, next)}
      close={close}
    />
  );
}

const ALLOWED = ["mayUnmute", "mayShowCamera", "mayShare", "mayChat", "mayRename"] as const;

function RulesDialog({ close, onSuspend }: { close: () => void; onSuspend: () => void }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { policy } = view;
  if (!policy) return null;
  return (
    <Dialog isOpen onClose={close} title={t("policy.title")}>
      <div className={styles.rules}>
        <Switch
          label={t("policy.waitingRoom")}
          hint={t("policy.waitingRoomHint")}
          isSelected={policy.waitingRoom}
          onChange={(waitingRoom) => actions.setPolicy({ waitingRoom })}
        />
        <Switch
          label={t("policy.locked")}
          hint={t("policy.lockedHint")}
          isSelected={policy.locked}
          onChange={(locked) => actions.setPolicy({ locked })}
        />
        <Switch label={t("policy.muteOnEntry")} isSelected={policy.muteOnEntry} onChange={(muteOnEntry) => actions.setPolicy({ muteOnEntry })} />
      </div>
      <div className={styles.rules} role="group" aria-label={t("policy.allowed")}>
        <h3 className={styles.heading}>{t("policy.allowed")}</h3>
        {ALLOWED.map((rule) => (
          <Switch key={rule} label={t(`policy.${rule}`)} isSelected={policy[rule]} onChange={(on) => actions.setPolicy({ [rule]: on })} />
        ))}
      </div>
      {view.rights.suspendAll && (
        <div className={styles.suspend}>
          <p>{t("policy.suspendHint")}</p>
          <Button variant="danger" onPress={onSuspend}>
            {t("policy.suspend")}
          </Button>
        </div>
      )}
    </Dialog>
  );
}

function ShortcutsDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [enabled] = useRememberedSwitch("single-keys");
  const rows: KeyRow[] = [
    [["M"], t("shortcuts.microphone")],
    [[t("shortcuts.space")], t("shortcuts.talk")],
    [["V"], t("shortcuts.camera")],
    [["S"], t("shortcuts.share")],
    [["H"], t("shortcuts.hand")],
    [["P"], t("shortcuts.people")],
    [["C"], t("shortcuts.chat")],
    [["L"], t("shortcuts.layout")],
    [["←", "→"], t("shortcuts.pages")],
    [["I"], t("shortcuts.connection")],
    [["R"], t("shortcuts.record")],
    [["B"], t("shortcuts.mark")],
    [["F"], t("shortcuts.fullScreen")],
    [["Q"], t("shortcuts.leave")],
    [["?"], t("shortcuts.help")],
  ];
  return (
    <Dialog isOpen onClose={close} title={t("shortcuts.title")} isText>
      <p>{enabled ? t("shortcuts.intro") : t("shortcuts.disabled")}</p>
      <KeyList rows={rows} />
    </Dialog>
  );
}
