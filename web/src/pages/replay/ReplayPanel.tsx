/** Beside the pictures: chapters, what was written and happened, and the place of the transcript. */
import { Bookmark, Captions, Flag, MessageSquare, MonitorUp, Mic } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { hueOf, initialsOf } from "../../state/people";
import type { Chapter, Line } from "../../state/replay/types";
import { Avatar } from "../../ui/Avatar";
import { EmptyState } from "../../ui/Panel";
import { duration } from "../format";
import { useChapterWords, useLineWords } from "./chapterWords";
import { useReplay } from "./context";
import styles from "./ReplayPanel.module.css";

export function ReplayPanel() {
  const { t } = useTranslation();
  return (
    <aside className={styles.panel} aria-label={t("replay.panel")}>
      <Tabs className={styles.tabs ?? ""}>
        <TabList className={styles.list ?? ""} aria-label={t("replay.panel")}>
          <Tab id="chapters" className={styles.tab ?? ""}>
            {t("replay.chapters")}
          </Tab>
          <Tab id="chat" className={styles.tab ?? ""}>
            {t("replay.chat")}
          </Tab>
          <Tab id="transcript" className={styles.tab ?? ""}>
            {t("replay.transcript")}
          </Tab>
        </TabList>
        <TabPanel id="chapters" className={styles.body ?? ""}>
          <Chapters />
        </TabPanel>
        <TabPanel id="chat" className={styles.body ?? ""}>
          <Lines />
        </TabPanel>
        <TabPanel id="transcript" className={styles.body ?? ""}>
          <EmptyState icon={<Captions />} title={t("replay.noTranscript")}>
            {t("replay.noTranscriptText")}
          </EmptyState>
        </TabPanel>
      </Tabs>
    </aside>
  );
}

const ICONS: Record<Chapter["what"]["kind"], ReactNode> = {
  start: <Flag aria-hidden="true" />,
  mark: <Bookmark aria-hidden="true" />,
  screen: <MonitorUp aria-hidden="true" />,
  speaker: <Mic aria-hidden="true" />,
};

function Chapters() {
  const { view, actions } = useReplay();
  const words = useChapterWords();
  const list = useFollowed(view.chapter);
  return (
    <ol ref={list} className={styles.chapters}>
      {view.chapters.map((chapter, index) => (
        <li key={`${chapter.at}-${chapter.what.kind}`} data-current={index === view.chapter || undefined}>
          <button type="button" className={styles.chapter} aria-current={index === view.chapter ? "true" : undefined} onClick={() => actions.seek(chapter.at)}>
            {ICONS[chapter.what.kind]}
            <span className={styles.words}>{words(chapter)}</span>
            <Time at={chapter.at} />
          </button>
        </li>
      ))}
    </ol>
  );
}

function Lines() {
  const { t } = useTranslation();
  const { view } = useReplay();
  const list = useFollowed(view.line);
  if (view.lines.length === 0) return <EmptyState icon={<MessageSquare />} title={t("replay.noChat")} />;
  return (
    <ol ref={list} className={styles.lines}>
      {view.lines.map((line, index) => (
        // What is to come is there already, for who looks for it.
        <li key={line.key} className={styles.line} data-current={index === view.line || undefined} data-later={index > view.line || undefined}>
          <OneLine line={line} />
        </li>
      ))}
    </ol>
  );
}

function OneLine({ line }: { line: Line }) {
  const { t } = useTranslation();
  const { actions } = useReplay();
  const words = useLineWords();
  const { what } = line;
  const seek = (
    <button type="button" className={styles.seek} aria-label={t("replay.seekTo", { time: duration(line.at * 1000) })} onClick={() => actions.seek(line.at)}>
      <Time at={line.at} />
    </button>
  );
  if (what.kind !== "chat") {
    return (
      <p className={styles.event}>
        <span className={styles.words}>{words(what)}</span>
        {seek}
      </p>
    );
  }
  return (
    <div className={styles.message}>
      <Avatar initials={initialsOf(what.name)} hue={hueOf(what.participant)} size="s" />
      <div className={styles.said}>
        <p className={styles.who}>
          <span className={styles.name}>{what.name}</span>
          {seek}
        </p>
        <p className={styles.text}>{what.text}</p>
      </div>
    </div>
  );
}

function Time({ at }: { at: number }) {
  return <span className={styles.time}>{duration(at * 1000)}</span>;
}

/** Keeps what is current in sight, within its own list: the page itself stays where it is. */
function useFollowed(current: number) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const box = list.current?.parentElement;
    const item = list.current?.children[current];
    // Who is in there reads, or walks through it.
    if (!box || !(item instanceof HTMLElement) || box.scrollHeight <= box.clientHeight || box.matches(":hover, :focus-within")) return;
    const [top, bottom] = [item.offsetTop - box.offsetTop, item.offsetTop - box.offsetTop + item.offsetHeight];
    if (top < box.scrollTop || bottom > box.scrollTop + box.clientHeight) box.scrollTop = Math.max(0, top - box.clientHeight / 3);
  }, [current]);
  return list;
}
