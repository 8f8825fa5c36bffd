/** Who may watch a recording, and the link for others. */
import { Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import { type RecordingSummary, VISIBILITIES } from "../../client/recordings";
import { EXPIRIES, type RecordingsActions, type RecordingsView } from "../../state/recordings";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Select, TextField } from "../../ui/Field";
import { useCopy } from "../../ui/useCopy";
import { dayAndTime } from "../format";
import { useRefusalText } from "../refusals";
import styles from "./Recordings.module.css";

interface ShareProps {
  one: RecordingSummary;
  view: RecordingsView;
  actions: RecordingsActions;
  close: () => void;
}

export function ShareRecording({ one, view, actions, close }: ShareProps) {
  const { t, i18n } = useTranslation();
  const [copied, copy] = useCopy();
  const refusalText = useRefusalText();
  const link = view.link?.id === one.id ? view.link.url : null;
  const until = one.link_expires_at === null ? t("recordings.linkForever") : t("recordings.linkUntil", { date: dayAndTime(one.link_expires_at, i18n.language) });
  return (
    <Dialog isOpen onClose={close} title={t("recordings.shareTitle")}>
      <div className={styles.share}>
        <Select
          label={t("recordings.visibility")}
          choices={VISIBILITIES.map((id) => ({ id, name: t(`recordings.visible.${id}`) }))}
          value={one.visibility}
          placeholder={t("recordings.visibility")}
          onChange={(id) => {
            const visibility = VISIBILITIES.find((other) => other === id);
            if (visibility) actions.change(one.id, { visibility });
          }}
        />
        <p className={styles.shareHint}>{t(`recordings.visibilityHint.${one.visibility}`)}</p>
        {one.visibility === "link" && (
          <>
            <Select
              label={t("recordings.expires")}
              choices={EXPIRIES.map((id) => ({ id, name: t(`recordings.expiry.${id}`) }))}
              value={null}
              placeholder={until}
              onChange={(id) => {
                const expiry = EXPIRIES.find((other) => other === id);
                if (expiry) actions.setExpiry(one.id, expiry);
              }}
            />
            {link ? (
              <>
                <TextField label={t("recordings.linkLabel")} value={link} isReadOnly hint={t("recordings.linkOnce")} />
                <Button variant="primary" icon={<Copy aria-hidden="true" />} onPress={() => copy(link)}>
                  {copied === "copied" ? t("common.copied") : t("recordings.copyLink")}
                </Button>
                {copied === "failed" && <p role="alert">{t("common.copyFailed")}</p>}
              </>
            ) : (
              <>
                <Button variant="primary" onPress={() => actions.makeLink(one.id)}>
                  {t("recordings.makeLink")}
                </Button>
                <p className={styles.shareHint}>{t("recordings.newLinkHint")}</p>
              </>
            )}
          </>
        )}
        {view.refused && <p role="alert">{refusalText(view.refused)}</p>}
      </div>
    </Dialog>
  );
}
