/** Gives a recording another title. */
import { useTranslation } from "react-i18next";
import type { RecordingSummary } from "../../client/recordings";
import type { RecordingsActions } from "../../state/recordings";
import { TextDialog } from "../../ui/TextDialog";

const TITLE_MAX = 200;

export function RenameRecording({ one, actions, close }: { one: RecordingSummary; actions: RecordingsActions; close: () => void }) {
  const { t } = useTranslation();
  return (
    <TextDialog
      title={t("recordings.renameTitle")}
      label={t("recordings.titleLabel")}
      text={one.title}
      maxLength={TITLE_MAX}
      save={(title) => actions.change(one.id, { title })}
      close={close}
    />
  );
}
