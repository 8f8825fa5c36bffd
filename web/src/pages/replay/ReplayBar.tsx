/** The bar of a replay: where it is, its chapters, and a small picture of the moment that one points at. */
import { type CSSProperties, type PointerEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "../../state/react";
import { cx } from "../../ui/cx";
import slider from "../../ui/Slider.module.css";
import { duration } from "../format";
import { useDragged } from "../useDragged";
import { useChapterWords } from "./chapterWords";
import { useReplay } from "./context";
import styles from "./ReplayBar.module.css";

/** Who moves by keys sees where, for so long. */
const KEYED_MS = 2_500;

export function ReplayBar() {
  const { t } = useTranslation();
  const { view, position, actions } = useReplay();
  const words = useChapterWords();
  const at = useStore(position);
  const [dragged, drag] = useDragged(actions.seek);
  const [pointed, setPointed] = useState<number | null>(null);
  const [keyed, setKeyed] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const { chapters, player } = view;
  const length = Math.max(player.duration, 0.1);
  const shown = Math.min(dragged ?? at, length);
  const chapterAt = (time: number) => chapters.findLast((chapter) => chapter.at <= time + 0.05);
  const chapter = chapterAt(shown);
  const time = duration(shown * 1000);
  const whole = duration(player.duration * 1000);
  const spoken = chapter ? t("replay.positionIn", { time, duration: whole, chapter: words(chapter) }) : t("replay.positionWords", { time, duration: whole });
  const place = (value: number) => ({ "--at": value / length }) as CSSProperties;
  const point = (event: PointerEvent<HTMLInputElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setPointed(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * length);
  };
  const key = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setKeyed(false), KEYED_MS);
    setKeyed(true);
  };
  const hinted = pointed ?? dragged ?? (keyed ? shown : null);
  const under = hinted === null ? null : chapterAt(hinted);
  return (
    <div className={cx(slider.position, styles.position)} style={place(shown)}>
      <div className={slider.rail} aria-hidden="true">
        <span className={slider.played} />
        {chapters.map((one) => one.at > 0 && <span key={one.at} className={styles.tick} style={place(one.at)} data-kind={one.what.kind} />)}
      </div>
      <input
        type="range"
        className={slider.range}
        aria-label={t("replay.position")}
        aria-valuetext={spoken}
        min={0}
        max={length}
        step={0.1}
        value={shown}
        onPointerDown={point}
        onPointerMove={point}
        onPointerLeave={() => setPointed(null)}
        onPointerCancel={() => setPointed(null)}
        onKeyDown={key}
        onFocus={(event) => event.currentTarget.matches(":focus-visible") && key()}
        onBlur={() => setKeyed(false)}
        onChange={(event) => drag(Number(event.target.value))}
      />
      {hinted !== null && (
        <span className={styles.hint} style={place(hinted)} aria-hidden="true">
          <Preview at={hinted} />
          <span className="tabular">{duration(hinted * 1000)}</span>
          {under && <span className={styles.hintWords}>{words(under)}</span>}
        </span>
      )}
    </div>
  );
}

/** The small picture: its place is kept while it comes, and there is none where nothing can be seen. */
function Preview({ at }: { at: number }) {
  const { previews } = useReplay();
  useStore(previews.changes);
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = previews.get(at);
  useEffect(() => previews.want(at), [previews, at]);
  useEffect(() => () => previews.want(null), [previews]);
  useEffect(() => {
    const to = canvas.current;
    if (!to || !(picture instanceof HTMLCanvasElement)) return;
    [to.width, to.height] = [picture.width, picture.height];
    to.getContext("2d")?.drawImage(picture, 0, 0);
  }, [picture]);
  if (picture === null) return null;
  // The one before stays until the next is there, paler.
  return (
    <span className={styles.frame}>
      <canvas ref={canvas} width={0} height={0} className={cx(styles.small, picture === "coming" && styles.coming)} />
    </span>
  );
}
