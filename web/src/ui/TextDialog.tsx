/** Asks for one line of text, which may not be empty. Knows no meeting. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { TextField } from "./Field";

interface TextDialogProps {
  title: string;
  label: string;
  hint?: string | undefined;
  /** What stands there at first. */
  text: string;
  maxLength: number;
  save: (text: string) => void;
  close: () => void;
}

export function TextDialog({ title, label, hint, text, maxLength, save, close }: TextDialogProps) {
  const { t } = useTranslation();
  const [value, setValue] = useState(text);
  const trimmed = value.trim();
  const done = () => {
    if (!trimmed) return;
    save(trimmed);
    close();
  };
  return (
    <Dialog
      isOpen
      onClose={close}
      size="s"
      title={title}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          <Button variant="primary" onPress={done} isDisabled={!trimmed}>
            {t("common.save")}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done();
        }}
      >
        <TextField label={label} hint={hint} value={value} onChange={setValue} maxLength={maxLength} autoFocus />
      </form>
    </Dialog>
  );
}
