/** A broadcast, sent from the browser: what viewers see, what is sent, and who watches. Knows not how it is sent. */
import { CircleAlert, Radio as OnAir, TriangleAlert, Users } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudioActions, StudioPhase, StudioView } from "../../state/studio-types";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { Announcer } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { Troubles } from "../encoder/Troubles";
import { duration, useNow, useTitle } from "../format";
import { Audience } from "../audience/Audience";
import { DevicesContext } from "../meeting/context";
import { useWakeLock } from "../meeting/hooks";
import { Loading } from "../meeting/PhaseView";
import { useRefusalText } from "../refusals";
import { Failed, ToList } from "./Parts";
import { isOnAir } from "./phases";
import { Invite, Sending, Settings, ToEncoder, YourDevices } from "./StudioPanels";
import { StudioStage } from "./StudioStage";
import styles from "./Studio.module.css";

interface StudioProps {
  view: StudioView;
  actions: StudioActions;
}

export function Studio({ view, actions }: StudioProps) {
  const { t } = useTranslation();
  const { phase, broadcast } = view;
  const title = broadcast?.title || t("studio.untitled");
  useTitle(`${phase.kind === "live" ? "● " : ""}${title} · ${t("studio.pageTitle")}`);
  useWakeLock(isOnAir(phase));
  useBeforeLeaving(isOnAir(phase));
  switch (phase.kind) {
    case "loading":
      return <Loading />;
    case "failed":
      return <Failed refusal={phase.refusal} />;
    case "key":
      return <AskKey wrong={phase.wrong} title={title} give={actions.giveKey} />;
    case "preview":
    case "connecting":
    case "live":
    case "reconnecting":
    case "ended":
      return (
        <DevicesContext value={{ devices: view.devices, actions }}>
          <Running view={view} actions={actions} title={title} />
        </DevicesContext>
      );
  }
}

function Running({ view, actions, title }: StudioProps & { title: string }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const { phase, broadcast } = view;
  const onAir = isOnAir(phase);
  const said =
    phase.kind === "live" ? t("studio.live") : phase.kind === "reconnecting" ? `${t("studio.reconnecting")}. ${t("studio.reconnectingText")}` : phase.kind === "ended" ? t("studio.ended") : "";
  return (
    <Page actions={<ToList />}>
      <div className={styles.studio}>
        <header className={styles.head}>
          <h1 className={styles.title}>{title}</h1>
          <Status phase={phase} />
          {onAir && (
            <span className={styles.viewers}>
              <Users aria-hidden="true" />
              {t("studio.viewers", { count: view.viewers })}
            </span>
          )}
        </header>
        {phase.kind === "preview" && phase.refusal && (
          <p className={styles.refused} role="alert">
            <TriangleAlert aria-hidden="true" />
            {refusalText(phase.refusal)}
          </p>
        )}
        {view.taken && phase.kind !== "connecting" && (
          <p className={styles.note} role="status">
            <CircleAlert aria-hidden="true" />
            {t("studio.taken")}
          </p>
        )}
        {view.taken && view.push && <Troubles troubles={view.push.troubles} />}
        {phase.kind === "reconnecting" && (
          <p className={styles.note} role="status">
            <CircleAlert aria-hidden="true" />
            {t("studio.reconnectingText")}
          </p>
        )}
        {view.plainWhileHidden && (
          <p className={styles.note} role="status">
            <CircleAlert aria-hidden="true" />
            {t("studio.hidden")}
          </p>
        )}
        <div className={styles.columns}>
          <StudioStage view={view} actions={actions} />
          <div className={styles.side}>
            {view.broadcast && (
              <div className={styles.audience}>
                <Audience broadcast={view.broadcast.id} />
              </div>
            )}
            {onAir && <Sending view={view} />}
            {broadcast && <Invite broadcast={broadcast}>{!onAir && <ToEncoder broadcast={broadcast} />}</Invite>}
            <YourDevices view={view} actions={actions} />
            <Settings view={view} actions={actions} onAir={onAir} />
          </div>
        </div>
        <Announcer text={said} />
      </div>
    </Page>
  );
}

function Status({ phase }: { phase: StudioPhase }) {
  const { t } = useTranslation();
  switch (phase.kind) {
    case "live":
      return (
        <Badge tone="danger" icon={<OnAir aria-hidden="true" />}>
          <LiveClock since={phase.since} />
        </Badge>
      );
    case "reconnecting":
      return <Badge tone="warn">{t("studio.reconnecting")}</Badge>;
    case "connecting":
      return <Badge tone="accent">{t("studio.connecting")}</Badge>;
    case "ended":
      return (
        <>
          <Badge>{t("studio.ended")}</Badge>
          <span className={styles.quiet}>{t("studio.endedText", { time: duration(phase.lasted) })}</span>
        </>
      );
    case "preview":
      return (
        <>
          <Badge tone="accent">{t("studio.ready")}</Badge>
          <span className={styles.quiet}>{t("studio.readyText")}</span>
        </>
      );
    case "loading":
    case "key":
    case "failed":
      return null;
  }
}

/** The clock alone is drawn each second. */
function LiveClock({ since }: { since: number }) {
  const { t } = useTranslation();
  const now = useNow();
  return <span className="tabular">{t("studio.liveFor", { time: duration(now - since) })}</span>;
}

function AskKey({ wrong, title, give }: { wrong: boolean; title: string; give: (key: string) => void }) {
  const { t } = useTranslation();
  const [key, setKey] = useState("");
  const [touched, setTouched] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    give(key);
  };
  return (
    <Page centred actions={<ToList />}>
      <form className={styles.ask} onSubmit={submit} noValidate>
        <p className={styles.where}>{title}</p>
        <h1 className={styles.title}>{t("studio.keyTitle")}</h1>
        <p className={styles.lead}>{t("studio.keyLead")}</p>
        <TextField
          label={t("studio.key")}
          hint={t("studio.keyHint")}
          type="password"
          autoComplete="off"
          autoFocus
          size="l"
          value={key}
          onChange={(text) => {
            setKey(text);
            setTouched(true);
          }}
          error={wrong && !touched ? t("studio.keyWrong") : undefined}
        />
        <Button type="submit" variant="primary" size="l" wide isDisabled={!key.trim()}>
          {t("studio.keyGive")}
        </Button>
      </form>
    </Page>
  );
}

/** A tab that is closed by mistake ends the stream: the browser asks. */
function useBeforeLeaving(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [active]);
}
