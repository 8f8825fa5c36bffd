/** A broadcast that OBS or another program sends to: where it sends to, what arrives, what is wrong with it, what viewers see. */
import { CircleAlert, CircleCheck, Clapperboard, Radio as OnAir, Users } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Push } from "../../client/push";
import { bitrateOf, type EncoderActions, type EncoderView } from "../../state/encoder";
import { Badge } from "../../ui/Badge";
import { cx } from "../../ui/cx";
import { Announcer } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { Sparkline } from "../../ui/Sparkline";
import { duration, useNow, useTitle } from "../format";
import { Loading } from "../meeting/PhaseView";
import { follow } from "../router";
import { Failed, ToList } from "../studio/Parts";
import { useBitrateWords } from "../studio/bitrate";
import { Fact, Invite, Panel } from "../studio/StudioPanels";
import studio from "../studio/Studio.module.css";
import styles from "./Encoder.module.css";
import { Troubles, useTroubleWords } from "./Troubles";
import { Ways } from "./Ways";

interface EncoderProps {
  view: EncoderView;
  actions: EncoderActions;
  preview: ReactNode;
}

const MINUTE = 60;

export function Encoder({ view, actions, preview }: EncoderProps) {
  const { t } = useTranslation();
  const words = useTroubleWords();
  const { phase, broadcast, push, live } = view;
  const title = broadcast?.title || t("studio.untitled");
  useTitle(`${live ? "● " : ""}${title} · ${t("encoder.pageTitle")}`);
  if (phase.kind === "failed") return <Failed refusal={phase.refusal} />;
  if (phase.kind === "loading" || !broadcast) return <Loading />;
  const troubles = push?.troubles ?? [];
  const said = [live ? t("studio.live") : t("encoder.nothing"), ...troubles.map(words).map(({ spoken, title: first }) => spoken ?? first)].join(" ");
  return (
    <Page actions={<ToList />}>
      <div className={studio.studio}>
        <header className={studio.head}>
          <h1 className={studio.title}>{title}</h1>
          {push ? (
            <Badge tone="danger" icon={<OnAir aria-hidden="true" />}>
              <Since at={push.since} />
            </Badge>
          ) : (
            <Badge tone={live ? "danger" : "accent"}>{live ? t("studio.live") : t("encoder.waiting")}</Badge>
          )}
          {live && (
            <span className={studio.viewers}>
              <Users aria-hidden="true" />
              {t("studio.viewers", { count: view.viewers })}
            </span>
          )}
        </header>
        {view.away && (
          <p className={studio.note} role="status">
            <CircleAlert aria-hidden="true" />
            {t("encoder.away")}
          </p>
        )}
        <div className={cx(studio.columns, styles.columns)}>
          <div className={styles.main}>
            <div className={cx(styles.frame, live && styles.onAir)}>{preview}</div>
            {push && troubles.length === 0 && push.video && (
              <p className={styles.fine}>
                <CircleCheck aria-hidden="true" />
                {t("encoder.fine")}
              </p>
            )}
            <Troubles troubles={troubles} />
          </div>
          <div className={cx(studio.side, styles.side)}>
            <Panel title={t("encoder.arrives")}>{push ? <Arrives push={push} history={view.history} /> : <p className={styles.hint}>{nothingArrives()}</p>}</Panel>
            <Invite broadcast={broadcast}>
              {!live && (
                <a className={styles.studio} href={`/studio/${encodeURIComponent(broadcast.id)}`} onClick={follow}>
                  <Clapperboard aria-hidden="true" />
                  {t("encoder.fromHere")}
                </a>
              )}
            </Invite>
          </div>
          <Panel title={t("encoder.where")}>
            <Ways broadcast={broadcast} giveKey={actions.giveKey} />
          </Panel>
        </div>
        <Announcer text={said} />
      </div>
    </Page>
  );

  function nothingArrives(): string {
    if (!live) return t("encoder.nothingHint");
    return broadcast?.streamKey ? t("encoder.otherWay") : t("encoder.needsKey");
  }
}

function Since({ at }: { at: number }) {
  const { t } = useTranslation();
  const now = useNow();
  return <span className="tabular">{t("studio.liveFor", { time: duration(now - at) })}</span>;
}

const NAMES: Record<string, string> = { h264: "H.264", hevc: "HEVC", av1: "AV1", vp9: "VP9", vp8: "VP8", aac: "AAC", opus: "Opus" };

export function Arrives({ push, history }: { push: Push; history: readonly number[] }) {
  const { t, i18n } = useTranslation();
  const bitrate = useBitrateWords();
  const { video, audio, encoder } = push;
  const number = (value: number) => new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(value);
  return (
    <>
      <div className={styles.rate}>
        <span className={styles.figure}>{bitrate(bitrateOf(push) / 1000)}</span>
        {history.length > 0 && <Sparkline values={history} length={MINUTE} least={500_000} />}
      </div>
      <dl className={styles.facts}>
        {video && (
          <>
            <Fact name={t("studio.size")} value={video.width && video.height ? `${video.width} × ${video.height}` : "–"} />
            <Fact name={t("studio.frames")} value={t("studio.perSecond", { count: Math.round(video.frames_per_second) })} />
            <Fact name={t("studio.format")} value={NAMES[video.codec] ?? video.codec} />
            <Fact name={t("encoder.keyFrames")} value={video.key_frame_interval_ms === null ? "–" : t("encoder.seconds", { seconds: number(video.key_frame_interval_ms / 1000) })} />
          </>
        )}
        <Fact name={t("encoder.sound")} value={audio ? `${NAMES[audio.codec] ?? audio.codec}, ${t("encoder.kilohertz", { rate: number(audio.rate / 1000) })}` : "–"} />
        {encoder && <Fact name={t("encoder.program")} value={encoder} />}
      </dl>
    </>
  );
}
