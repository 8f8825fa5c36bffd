/** What chapters and lines of a recording are called. Knows no element. */
import { useTranslation } from "react-i18next";
import type { Chapter, Line } from "../../state/replay/types";

export function useChapterWords(): (chapter: Chapter) => string {
  const { t } = useTranslation();
  return ({ what }) => {
    switch (what.kind) {
      case "start":
        return t("replay.chapter.start");
      case "mark":
        return t("replay.chapter.mark", { text: what.text });
      case "screen":
      case "speaker":
        return t(`replay.chapter.${what.kind}`, { name: what.name });
    }
  };
}

/** Of what is no chat. */
export function useLineWords(): (what: Exclude<Line["what"], { kind: "chat" }>) => string {
  const { t } = useTranslation();
  return (what) => {
    switch (what.kind) {
      case "joined":
      case "left":
        return t(`replay.line.${what.kind}`, { name: what.name });
      case "renamed":
        return t("replay.line.renamed", { name: what.name, to: what.to });
      case "screen":
        return t(what.on ? "replay.line.screenOn" : "replay.line.screenOff", { name: what.name });
      case "mark":
        return t("replay.line.mark", { text: what.text });
    }
  };
}
