/** Everything about the connection of one tile, once a second: in words first, then in figures. */
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ParticipantId, TileNumbers } from "../../state/types";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { SignalBars } from "../../ui/SignalBars";
import { Sparkline } from "../../ui/Sparkline";
import { useCopy } from "../../ui/useCopy";
import { rateWords, shareWords } from "../figures";
import styles from "./ConnectionDialog.module.css";
import { useScreen } from "./context";
import { type Section, sections } from "./numberWords";
import { useCauseWords } from "./qualityWords";
import { BARS } from "./Signal";

const EVERY_MS = 1_000;
const KEPT = 60;

interface ConnectionDialogProps {
  person: ParticipantId;
  source: "camera" | "screen";
  close: () => void;
}

export function ConnectionDialog({ person: id, source, close }: ConnectionDialogProps) {
  const { t, i18n } = useTranslation();
  const { view } = useScreen();
  const words = useCauseWords();
  const { read, history } = useNumbers(id, source);
  const [copied, copy] = useCopy();
  const person = view.people.find((one) => one.id === id);
  const tile = [...view.layout.stage, ...view.layout.tiles].find((one) => one.participant === id && one.source === source);
  const connection = tile?.connection ?? person?.connection ?? { quality: "lost", cause: null };
  const name = person?.name ?? "";
  const screen = source === "screen";
  const title = person?.you
    ? t(screen ? "network.detailsOfYourScreen" : "network.detailsOfYou")
    : t(screen ? "network.detailsOfScreen" : "network.detailsOf", { name });
  const cause = words(connection, name);
  const shown = read ? sections(read, screen, t, i18n.language) : null;
  const level = t(`network.sentence.${connection.quality}`);
  const main = read?.video ?? read?.audio ?? null;
  return (
    <Dialog
      isOpen
      isText
      onClose={close}
      title={title}
      footer={
        <Button
          icon={copied === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          isDisabled={!shown}
          onPress={() => shown && copy([title, cause ?? level, ...shown.flatMap(lines)].join("\n"))}
        >
          {copied === "copied" ? t("common.copied") : t("network.copy")}
        </Button>
      }
    >
      <p className={styles.level} aria-live="polite">
        <SignalBars bars={BARS[connection.quality]} />
        <span>
          <strong>{level}</strong>
          {cause && <span className={styles.cause}>{cause}</span>}
        </span>
      </p>
      {copied === "failed" && <p className={styles.failed}>{t("common.copyFailed")}</p>}
      {read && (
        <div className={styles.charts}>
          <Chart
            name={t("network.figure.rate")}
            value={typeof main?.kbps !== "number" ? t("network.unknown") : rateWords(main.kbps, t, i18n.language)}
            values={history.map((one) => (one.video ?? one.audio)?.kbps ?? null)}
            least={100}
          />
          <Chart
            name={t("network.figure.loss")}
            value={typeof main?.lost !== "number" ? t("network.unknown") : shareWords(main.lost, i18n.language)}
            values={history.map((one) => (one.video ?? one.audio)?.lost ?? null)}
            least={0.05}
          />
        </div>
      )}
      {shown ? shown.map((section) => <Figures key={section.title} section={section} />) : <p className={styles.none}>{t("network.waiting")}</p>}
      {read && !read.video && !read.audio && <p className={styles.none}>{t("network.none")}</p>}
    </Dialog>
  );
}

/** The newest figures of a tile, and those of the last minute. */
function useNumbers(person: ParticipantId, source: "camera" | "screen"): { read: TileNumbers | null; history: TileNumbers[] } {
  const { actions } = useScreen();
  const [history, setHistory] = useState<TileNumbers[]>([]);
  const { measure } = actions;
  useEffect(() => {
    const read = measure(person, source);
    let gone = false;
    const look = async () => {
      const numbers = await read();
      if (numbers && !gone) setHistory((all) => [...all, numbers].slice(-KEPT));
    };
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [measure, person, source]);
  return { read: history.at(-1) ?? null, history };
}

function lines({ title, rows }: Section): string[] {
  return ["", title, ...rows.map(([name, value]) => `${name}: ${value.replaceAll("\n", "; ")}`)];
}

function Chart({ name, value, values, least }: { name: string; value: string; values: (number | null)[]; least: number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.chart}>
      <p className={styles.now}>
        <span>{name}</span>
        <strong className="tabular">{value}</strong>
      </p>
      <Sparkline values={values} length={KEPT} least={least} />
      <p className={styles.span} aria-hidden="true">
        {t("network.lastMinute")}
      </p>
    </div>
  );
}

function Figures({ section: { title, rows } }: { section: Section }) {
  if (rows.length === 0) return null;
  return (
    <section className={styles.section}>
      <h3 className={styles.heading}>{title}</h3>
      <dl className={styles.figures}>
        {rows.map(([name, value]) => (
          <div key={name} className={styles.row}>
            <dt>{name}</dt>
            <dd className="tabular">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
