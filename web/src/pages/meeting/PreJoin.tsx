/** Before joining: name, devices, and a button that says what will happen. */
import { TriangleAlert } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { NAME_MAX } from "../../client/protocol";
import type { Entry, Phase } from "../../state/types";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { meetingNumber, useTitle } from "../format";
import { useRefusalText } from "../refusals";
import { useScreen } from "./context";
import { DeviceChoices, DeviceHelp } from "./DeviceParts";
import styles from "./Door.module.css";
import { Preview } from "./Preview";
import { RecordedNote } from "./Recording";

interface PreJoinProps {
  phase: Extract<Phase, { kind: "prejoin" }>;
  entry: Entry;
}

export function PreJoin({ phase, entry }: PreJoinProps) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const [passcode, setPasscode] = useState("");
  const [sent, setSent] = useState("");
  const [tried, setTried] = useState(false);
  const refusalText = useRefusalText();
  useTitle(`${t("prejoin.pageTitle")} · ${t("app.title")}`);

  const nameError = tried && !view.name.trim() ? t("prejoin.nameMissing") : undefined;
  // The server does not tell a wrong number from a wrong passcode, so that nobody can guess either.
  const wrong = phase.refused?.code === "wrong-number-or-passcode" && entry.kind === "number";
  const refusal = wrong && !sent ? t("prejoin.numberWrong", { number: meetingNumber(entry.number) }) : phase.refused && refusalText(phase.refused);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!view.name.trim() || phase.joining) return;
    setSent(passcode.trim());
    actions.join(phase.askPasscode && passcode.trim() ? passcode.trim() : undefined);
  };
  const { microphone, camera } = view.prejoin;
  const coming =
    microphone.on && camera.on ? "willBoth" : microphone.on ? "willMicrophone" : camera.on ? "willCamera" : "willNothing";
  const verb = entry.kind === "host" ? "startHost" : entry.kind === "number" ? "ask" : "join";
  const where = view.meeting?.title || view.door?.title || (entry.kind === "number" ? t("prejoin.byNumber", { number: meetingNumber(entry.number) }) : null);

  return (
    <Page>
      <div className={styles.door}>
        <section className={styles.left} aria-label={t("prejoin.preview")}>
          <Preview />
          {camera.error && <DeviceHelp kind="camera" cause={camera.error} />}
          {microphone.error && (microphone.error !== camera.error || microphone.error === "none") && <DeviceHelp kind="microphone" cause={microphone.error} />}
        </section>
        <form className={styles.right} onSubmit={submit} noValidate>
          <div>
            {where && <p className={styles.where}>{where}</p>}
            <h1 className={styles.title}>{entry.kind === "host" ? t("prejoin.titleHost") : t("prejoin.title")}</h1>
            {/* Seen before the button, which stays in sight on phones; spoken as soon as it becomes true. */}
            <div className={styles.told} role="status">
              {view.door?.recording && <RecordedNote planned={view.door.recording === "planned"} />}
            </div>
          </div>
          {refusal && (
            <p className={styles.refused} role="alert">
              <TriangleAlert aria-hidden="true" />
              {refusal}
            </p>
          )}
          <TextField
            label={t("prejoin.name")}
            value={view.name}
            onChange={(name) => actions.setName(name)}
            maxLength={NAME_MAX}
            autoComplete="name"
            error={nameError}
            size="l"
            name="name"
          />
          {phase.askPasscode && (
            <TextField
              label={t("prejoin.passcode")}
              hint={t("prejoin.passcodeHint")}
              value={passcode}
              onChange={setPasscode}
              autoComplete="off"
              autoFocus
              size="l"
              name="passcode"
            />
          )}
          <DeviceChoices />
          <div className={styles.go}>
            <Button type="submit" variant="primary" size="l" wide isPending={phase.joining}>
              {phase.joining ? t("prejoin.joining") : t(`prejoin.${verb}`)}
            </Button>
            <p className={styles.will}>
              {t(`prejoin.${coming}`)} {entry.kind !== "host" && t("prejoin.willWait")}
            </p>
            {/* In a tab of its own: what was written here stays. */}
            <a className={styles.test} href="/test" target="_blank" rel="noopener">
              {t("test.link")}
            </a>
          </div>
        </form>
      </div>
    </Page>
  );
}
