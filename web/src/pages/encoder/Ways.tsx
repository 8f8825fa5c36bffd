/** Where another program sends to: addresses, and the stream key, hidden until one looks at it. */
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudioBroadcast } from "../../state/studio-types";
import { Button, IconButton } from "../../ui/Button";
import { CopyButton } from "../../ui/CopyButton";
import { TextField } from "../../ui/Field";
import { Segments } from "../../ui/Segments";
import styles from "./Ways.module.css";

type Way = "rtmp" | "whip" | "srt";

export function Ways({ broadcast, giveKey }: { broadcast: StudioBroadcast; giveKey: (key: string) => void }) {
  const { t } = useTranslation();
  const { whipUrl, rtmpUrl, srtUrl, streamKey } = broadcast;
  const there: Way[] = [...(rtmpUrl ? (["rtmp"] as const) : []), "whip", ...(srtUrl ? (["srt"] as const) : [])];
  const [chosen, setChosen] = useState<Way | null>(null);
  const way = chosen ?? there[0] ?? "whip";
  return (
    <div className={styles.ways}>
      {there.length > 1 && <Segments label={t("encoder.way")} segments={there.map((id) => ({ id, name: t(`encoder.ways.${id}`) }))} chosen={way} onChoose={setChosen} className={styles.choice} />}
      {way === "rtmp" && rtmpUrl && (
        <>
          <Line label={t("encoder.server")} text={serverOf(rtmpUrl, streamKey)} copy={t("studio.copyServer")} />
          {streamKey && <Line label={t("studio.key")} text={streamKey} copy={t("studio.copyKey")} secret />}
        </>
      )}
      {way === "whip" && (
        <>
          <Line label={t("encoder.server")} text={whipUrl} copy={t("studio.copyServer")} />
          {streamKey ? <Line label={t("encoder.token")} text={streamKey} copy={t("studio.copyKey")} secret /> : <GiveKey give={giveKey} />}
        </>
      )}
      {way === "srt" && srtUrl && <Line label={t("encoder.server")} text={srtUrl} copy={t("studio.copyServer")} secret />}
      <ol className={styles.steps}>
        {(["first", "second", "third"] as const).map((step) => (
          <li key={step}>{t(`encoder.steps.${way}.${step}`)}</li>
        ))}
      </ol>
      {streamKey && <p className={styles.hint}>{t("encoder.keyOnce")}</p>}
    </div>
  );
}

/** Programs ask for server and key; ours is both in one. */
function serverOf(url: string, key: string | null): string {
  return key !== null && url.endsWith(`/${key}`) ? url.slice(0, -key.length - 1) : url;
}

function GiveKey({ give }: { give: (key: string) => void }) {
  const { t } = useTranslation();
  const [key, setKey] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    give(key);
  };
  return (
    <form className={styles.give} onSubmit={submit} noValidate>
      <TextField label={t("studio.key")} hint={t("encoder.noKey")} type="password" autoComplete="off" value={key} onChange={setKey} />
      <Button type="submit" isDisabled={!key.trim()}>
        {t("encoder.giveKey")}
      </Button>
    </form>
  );
}

function Line({ label, text, copy, secret }: { label: string; text: string; copy: string; secret?: boolean }) {
  const { t } = useTranslation();
  // Whoever makes a broadcast may be sharing this very screen.
  const [shown, setShown] = useState(!secret);
  return (
    <div className={styles.line}>
      <TextField
        label={label}
        value={text}
        isReadOnly
        type={shown ? "text" : "password"}
        autoComplete="off"
        className={styles.lineText}
        action={secret && <IconButton label={shown ? t("studio.hide") : t("studio.show")} icon={shown ? <EyeOff /> : <Eye />} size="s" onPress={() => setShown(!shown)} />}
      />
      <CopyButton text={text} words={copy} />
    </div>
  );
}
