/** Gives a recording another title. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RecordingSummary } from "../../client/recordings";
import type { RecordingsActions } from "../../state/recordings";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";

const TITLE_MAX = 200;

export function RenameRecording({ one, actions, close }: { one: RecordingSummary; actions: RecordingsActions; close: () => void }) {
  const { t } = useTranslation();
  const [title, setTitle] = useState(one.title);
  const save = () => {
    if (!title.trim()) return;
    actions.change(one.id, { title: title.trim() });
    close();
  };
  return (
    <Dialog
      isOpen
      onClose={close}
      size="s"
      title={t("recordings.renameTitle")}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          <Button variant="primary" onPress={save} isDisabled={!title.trim()}>
            {t("common.save")}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TextField label={t("recordings.titleLabel")} value={title} onChange={setTitle} maxLength={TITLE_MAX} autoFocus />
      </form>
    </Dialog>
  );
}
