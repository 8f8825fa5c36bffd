/** The page that tests the network between here and the server, and says in words what it is good for. */
import { Activity, Camera, Check, CircleAlert, Copy, Download, Loader, Minus, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type DeviceCause, DeviceError, openDevice } from "../client/devices";
import { remarksOf, STEPS, type TestFailure, type TestFigures, testNetwork, type TestStep, verdictOf } from "../client/network-test";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import { Page } from "../ui/Page";
import { useCopy } from "../ui/useCopy";
import { millisecondWords, rateWords, shareWords } from "./figures";
import { useTitle } from "./format";
import styles from "./NetworkTest.module.css";

export type TestState =
  | { kind: "ready" }
  | { kind: "running"; step: TestStep; figures: TestFigures | null }
  | { kind: "failed"; failure: TestFailure }
  | { kind: "done"; figures: TestFigures };

export type DevicesState = Record<"camera" | "microphone", DeviceCause | "works" | null>;

export default function NetworkTestPage() {
  const [state, setState] = useState<TestState>({ kind: "ready" });
  const [devices, setDevices] = useState<DevicesState | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async () => {
    running.current?.abort();
    const abort = (running.current = new AbortController());
    const update = (change: (state: TestState) => TestState) => !abort.signal.aborted && setState(change);
    update(() => ({ kind: "running", step: "server", figures: null }));
    const result = await testNetwork(
      {
        step: (step) => update((now) => (now.kind === "running" ? { ...now, step } : now)),
        figures: (figures) => update((now) => (now.kind === "running" ? { ...now, figures } : now)),
      },
      abort.signal,
    ).catch((): TestFailure => ({ code: "unreachable", retryAfter: null }));
    update(() => ("code" in result ? { kind: "failed", failure: result } : { kind: "done", figures: result }));
  };
  const tryDevices = async () => {
    const found: DevicesState = { camera: null, microphone: null };
    for (const kind of ["microphone", "camera"] as const) {
      found[kind] = await openDevice(kind, null).then(
        (track) => {
          track.stop();
          return "works" as const;
        },
        (error: unknown) => (error instanceof DeviceError ? error.cause : "unknown"),
      );
      setDevices({ ...found });
    }
  };
  return <NetworkTest state={state} devices={devices} onStart={() => void start()} onDevices={() => void tryDevices()} />;
}

interface NetworkTestProps {
  state: TestState;
  devices: DevicesState | null;
  onStart: () => void;
  onDevices: () => void;
}

export function NetworkTest({ state, devices, onStart, onDevices }: NetworkTestProps) {
  const { t } = useTranslation();
  useTitle(`${t("test.title")} · ${t("app.title")}`);
  const figures = state.kind === "running" || state.kind === "done" ? state.figures : null;
  return (
    <Page>
      <div className={styles.test}>
        <header>
          <h1 className={styles.title}>{t("test.title")}</h1>
          <p className={styles.lead}>{t("test.lead")}</p>
        </header>
        <div className={styles.verdict} aria-live="polite">
          {state.kind === "failed" && (
            <Verdict tone="bad" icon={<CircleAlert />} title={t(`test.failed.${state.failure.code}`)}>
              {state.failure.retryAfter !== null && t("test.retryAfter", { count: state.failure.retryAfter })}
            </Verdict>
          )}
          {state.kind === "done" && <Result figures={state.figures} />}
        </div>
        {state.kind !== "ready" && state.kind !== "failed" && <Steps state={state} />}
        <div className={styles.actions}>
          <Button variant={state.kind === "done" ? "secondary" : "primary"} size="l" icon={<Activity aria-hidden="true" />} isPending={state.kind === "running"} onPress={onStart}>
            {t(state.kind === "running" ? "test.running" : state.kind === "ready" ? "test.start" : "test.again")}
          </Button>
          <Button size="l" icon={<Camera aria-hidden="true" />} onPress={onDevices}>
            {t("test.devices")}
          </Button>
        </div>
        {devices && (
          <ul className={styles.devices} aria-live="polite">
            {(["microphone", "camera"] as const).map((kind) => {
              const found = devices[kind];
              return (
                found && (
                  <li key={kind} className={cx(styles.step, found === "works" ? styles.good : styles.bad)}>
                    {found === "works" ? <Check aria-hidden="true" /> : <TriangleAlert aria-hidden="true" />}
                    <span>{found === "works" ? t(`test.works.${kind}`) : `${t(`devices.${kind}`)}: ${t(`test.cause.${found}`)}`}</span>
                  </li>
                )
              );
            })}
          </ul>
        )}
        {figures && <Figures figures={figures} />}
        {state.kind === "done" && <Report figures={state.figures} />}
        <p className={styles.privacy}>{t("test.privacy")}</p>
      </div>
    </Page>
  );
}

function Verdict({ tone, icon, title, children }: { tone: "good" | "warn" | "bad"; icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <section className={cx(styles.card, styles[tone])}>
      <span className={styles.cardIcon} aria-hidden="true">
        {icon}
      </span>
      <div>
        <h2 className={styles.cardTitle}>{title}</h2>
        {children}
      </div>
    </section>
  );
}

function Result({ figures }: { figures: TestFigures }) {
  const { t } = useTranslation();
  const verdict = verdictOf(figures);
  const tone = verdict === "good" ? "good" : verdict === "small" || verdict === "sound" ? "warn" : "bad";
  return (
    <Verdict tone={tone} icon={tone === "good" ? <Check /> : tone === "warn" ? <TriangleAlert /> : <CircleAlert />} title={t(`test.verdict.${verdict}`)}>
      <p>{t(`test.advice.${verdict}`)}</p>
      {remarksOf(figures).map((remark) => (
        <p key={remark}>{t(`test.remark.${remark}`)}</p>
      ))}
    </Verdict>
  );
}

/** How a step went; null while it did not. */
function outcome(step: TestStep, figures: TestFigures | null): boolean | null {
  switch (step) {
    case "server":
      return figures ? figures.reachMs !== null : null;
    case "socket":
      return figures?.socket ?? null;
    case "media":
      return figures?.media ?? null;
    case "speed":
      return typeof figures?.upKbps === "number" ? true : null;
  }
}

function Steps({ state }: { state: Extract<TestState, { kind: "running" | "done" }> }) {
  const { t } = useTranslation();
  return (
    <ol className={styles.steps}>
      {STEPS.map((step) => {
        const now = state.kind === "running" && state.step === step;
        const well = now ? null : outcome(step, state.figures);
        return (
          <li key={step} className={cx(styles.step, well === true && styles.good, well === false && styles.bad)} aria-current={now ? "step" : undefined}>
            {now ? (
              <Loader aria-hidden="true" className={styles.turning} />
            ) : well === null ? (
              <Minus aria-hidden="true" />
            ) : well ? (
              <Check aria-hidden="true" />
            ) : (
              <TriangleAlert aria-hidden="true" />
            )}
            <span>
              {t(`test.step.${step}`)}
              {well !== null && <span className="visually-hidden">{t(well ? "test.wentWell" : "test.wentBadly")}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function useRows(figures: TestFigures): [name: string, value: string][] {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const row = (name: string, value: string | number | null, words: (value: number) => string): [string, string] => [
    name,
    value === null ? t("network.unknown") : typeof value === "string" ? value : words(value),
  ];
  const ms = (value: number) => millisecondWords(value, language);
  const rate = (value: number) => rateWords(value, t, language);
  const share = (value: number) => shareWords(value, language);
  return [
    row(t("test.figure.up"), figures.upKbps, rate),
    row(t("test.figure.down"), figures.downKbps, rate),
    row(t("network.figure.rtt"), figures.rttMs, ms),
    row(t("network.figure.jitter"), figures.jitterMs, ms),
    row(t("test.figure.lossUp"), figures.lossUp, share),
    row(t("test.figure.lossDown"), figures.lossDown, share),
    row(t("network.figure.transport"), figures.transport && figures.transport.toUpperCase(), String),
    row(t("test.figure.reach"), figures.reachMs, ms),
  ];
}

function Figures({ figures }: { figures: TestFigures }) {
  const { t } = useTranslation();
  return (
    <dl className={styles.figures} aria-label={t("test.figures")}>
      {useRows(figures).map(([name, value]) => (
        <div key={name} className={styles.figure}>
          <dt>{name}</dt>
          <dd className="tabular">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** For whoever helps: the figures and which browser it was, and nothing by which a person or a network is found. */
function Report({ figures }: { figures: TestFigures }) {
  const { t } = useTranslation();
  const [copied, copy] = useCopy();
  const rows = useRows(figures);
  const words = [t(`test.verdict.${verdictOf(figures)}`), ...remarksOf(figures).map((remark) => t(`test.remark.${remark}`)), ...rows.map(([name, value]) => `${name}: ${value}`)];
  const save = () => {
    const report = { kind: "symposia-network-test", verdict: verdictOf(figures), remarks: remarksOf(figures), ...figures, browser: navigator.userAgent };
    const address = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }));
    const link = document.createElement("a");
    Object.assign(link, { href: address, download: "symposia-network-test.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };
  return (
    <div className={styles.report}>
      <Button icon={copied === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />} onPress={() => copy(words.join("\n"))}>
        {copied === "copied" ? t("common.copied") : t("test.copy")}
      </Button>
      <Button icon={<Download aria-hidden="true" />} onPress={save}>
        {t("test.download")}
      </Button>
      {copied === "failed" && <p className={styles.failed}>{t("common.copyFailed")}</p>}
    </div>
  );
}
