/** What can be taken away from a recording: single tracks, and one file of all that the server makes. */
import { Download, Film, Trash2, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { RecordingExport } from "../../client/recordings";
import type { ExportLayout } from "../../state/replay/types";
import { Button, IconButton } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { shareWords } from "../figures";
import { duration, sizeWords } from "../format";
import { useRefusalText } from "../refusals";
import { useReplay } from "./context";
import styles from "./ReplayDownload.module.css";
import { ReplaySound } from "./ReplaySound";

const LAYOUTS = ["grid", "speaker"] as const;

export function ReplayDownload({ close }: { close: () => void }) {
  const { t, i18n } = useTranslation();
  const { view } = useReplay();
  const refusalText = useRefusalText();
  const tracks = view.recording?.tracks ?? [];
  const { exports } = view;
  return (
    <Dialog isOpen onClose={close} title={t("replay.downloadTitle")}>
      <section className={styles.section}>
        <h3>{t("replay.composed")}</h3>
        <p className={styles.hint}>{t("replay.composedHint")}</p>
        {exports && !exports.available && <p className={styles.warn}>{unavailable(exports.reason)}</p>}
        {exports && (exports.available || exports.exports.length > 0) && (
          <ul className={styles.list}>
            {LAYOUTS.map((layout) => (
              <Composed key={layout} layout={layout} made={exports.exports.find((one) => one.layout === layout)} available={exports.available} />
            ))}
          </ul>
        )}
        {view.refused && (
          <p className={styles.warn} role="alert">
            {refusalText(view.refused)}
          </p>
        )}
      </section>
      <ReplaySound />
      <section className={styles.section}>
        <h3>{t("replay.tracks")}</h3>
        <p className={styles.hint}>{t("replay.tracksHint")}</p>
        <ul className={styles.list}>
          {tracks.map((track) => {
            const source = t(`replay.track.${track.source}`);
            return (
              <li key={track.id} className={styles.item}>
                <span className={styles.words}>
                  <span className={styles.name}>{track.name}</span>
                  <span className={styles.facts}>
                    {[source, track.codec, sizeWords(track.bytes, i18n.language), duration(track.duration_ms), t("replay.trackFrom", { time: duration(track.start_ms) })].join(" · ")}
                  </span>
                </span>
                <a className={styles.get} href={`${track.url}?download=1`} download aria-label={t("replay.downloadTrack", { name: track.name, source })}>
                  <Download aria-hidden="true" />
                </a>
              </li>
            );
          })}
        </ul>
      </section>
    </Dialog>
  );

  function unavailable(reason: string | null): string {
    if (!reason) return t("replay.unavailablePlain");
    return /ffmpeg/u.test(reason) ? t("replay.unavailableFfmpeg") : t("replay.unavailable", { reason });
  }
}

function Composed({ layout, made, available }: { layout: ExportLayout; made: RecordingExport | undefined; available: boolean }) {
  const { t, i18n } = useTranslation();
  const { actions } = useReplay();
  const name = t(`replay.composeLayout.${layout}`);
  const running = made?.state === "queued" || made?.state === "running";
  const facts = !made
    ? null
    : made.state === "queued"
      ? t("replay.queued")
      : made.state === "running"
        ? t("replay.composing", { percent: shareWords(made.progress, i18n.language) })
        : made.state === "failed"
          ? t("replay.composeFailed", { error: made.error ?? t("refusal.other") })
          : sizeWords(made.bytes ?? 0, i18n.language);
  return (
    <li className={styles.item}>
      <span className={styles.words}>
        <span className={styles.name}>{name}</span>
        {facts && (
          <span className={styles.facts} role="status">
            {facts}
          </span>
        )}
        {running && <progress className={styles.progress} max={1} value={made.state === "running" ? made.progress : 0} aria-label={name} />}
      </span>
      {running && <IconButton label={`${t("replay.composeCancel")}: ${name}`} icon={<X />} onPress={() => actions.endExport(layout)} />}
      {made?.state === "finished" && (
        <>
          <IconButton label={`${t("replay.composeRemove")}: ${name}`} icon={<Trash2 />} onPress={() => actions.endExport(layout)} />
          <a className={styles.get} href={made.url ?? ""} download aria-label={`${t("replay.composeGet")}: ${name}`}>
            <Download aria-hidden="true" />
          </a>
        </>
      )}
      {available && (!made || made.state === "failed") && (
        <Button size="s" icon={<Film aria-hidden="true" />} onPress={() => actions.startExport(layout)}>
          {t(`replay.compose.${layout}`)}
        </Button>
      )}
    </li>
  );
}
