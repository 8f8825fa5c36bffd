/** The rules of comments, and who may not write. Knows not how they are kept. */
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { CommentRules, Mute } from "../../client/audience";
import type { AudienceActions } from "../../state/audience";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Select, TextField } from "../../ui/Field";
import { Switch } from "../../ui/Switch";
import styles from "./AudiencePanel.module.css";

const SLOWS = [0, 5, 15, 30, 60, 300, 600] as const;
/** Between two words, in either language. */
const BETWEEN = /[,，、;；\n]/u;

export function ModerationDialog({ actions, close }: { actions: AudienceActions; close: () => void }) {
  const { t } = useTranslation();
  const [rules, setRules] = useState<CommentRules | null>(null);
  const [words, setWords] = useState("");
  const [muted, setMuted] = useState<readonly Mute[]>([]);
  const [saving, setSaving] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    void Promise.all([actions.rules(), actions.mutes()]).then(([found, mutes]) => {
      if (gone) return;
      setRules(found);
      setWords(found?.words.join(", ") ?? "");
      setMuted(mutes ?? []);
      setFailed(found === null);
    });
    return () => {
      gone = true;
    };
  }, [actions]);
  const change = (part: Partial<CommentRules>) => setRules((now) => now && { ...now, ...part });
  const save = async () => {
    if (!rules) return;
    setSaving(true);
    const saved = await actions.setRules({ ...rules, words: words.split(BETWEEN).map((word) => word.trim()).filter((word) => word !== "") });
    setSaving(false);
    setFailed(!saved);
    if (saved) close();
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void save();
  };
  const unmute = async (id: number) => {
    if (await actions.unmute(id)) setMuted((now) => now.filter((one) => one.id !== id));
  };
  const slows = rules && !SLOWS.some((slow) => slow === rules.slow) ? [...SLOWS, rules.slow] : SLOWS;
  return (
    <Dialog
      isOpen
      onClose={close}
      title={t("audience.moderate")}
      footer={
        <Button variant="primary" onPress={() => void save()} isPending={saving} isDisabled={!rules}>
          {t("audience.save")}
        </Button>
      }
    >
      <form className={styles.form} onSubmit={onSubmit}>
        {failed && (
          <p className={styles.failed} role="alert">
            {t("audience.saveFailed")}
          </p>
        )}
        {rules && (
          <>
            <Switch label={t("audience.open")} hint={t("audience.openHint")} isSelected={rules.open} onChange={(open) => change({ open })} />
            <Switch label={t("audience.hold")} hint={t("audience.holdHint")} isSelected={rules.hold} onChange={(hold) => change({ hold })} />
            <Select
              label={t("audience.slow")}
              choices={slows.map((slow) => ({ id: String(slow), name: slow === 0 ? t("audience.slowOff") : t("audience.slowFor", { count: slow }) }))}
              value={String(rules.slow)}
              onChange={(slow) => change({ slow: Number(slow) })}
              placeholder={t("audience.slow")}
            />
            <TextField label={t("audience.words")} hint={t("audience.wordsHint")} value={words} onChange={setWords} autoComplete="off" />
          </>
        )}
        <h3 className={styles.mutedTitle}>{t("audience.muted")}</h3>
        {muted.length === 0 ? (
          <p className={styles.none}>{t("audience.nobodyMuted")}</p>
        ) : (
          <ul className={styles.mutes}>
            {muted.map((one) => (
              <li key={one.id}>
                <bdi>{one.name}</bdi>
                <Button size="s" onPress={() => void unmute(one.id)} aria-label={t("audience.unmuteOf", { name: one.name })}>
                  {t("audience.unmute")}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </form>
    </Dialog>
  );
}
