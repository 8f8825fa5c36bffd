/** The page of a meeting, whatever phase it is in. Draws a view; knows not where it comes from. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Entry, MeetingActions, MeetingView, Refusal } from "../../state/types";
import { Mark } from "../../ui/Logo";
import { ScreenContext } from "./context";
import styles from "./Out.module.css";
import { MeetingScreen } from "./MeetingScreen";
import { Out, type OutPageWhy } from "./Out";
import { PreJoin } from "./PreJoin";
import { WaitingRoom } from "./WaitingRoom";

interface PhaseViewProps {
  view: MeetingView;
  actions: MeetingActions;
  entry: Entry;
}

/** Refusals after which the form at the door is no use any more. */
function finalReason(refused: Refusal | null): OutPageWhy | null {
  switch (refused?.code) {
    case "wrong-link":
    case "meeting-ended":
    case "not-found":
    case "banned":
      return refused.code;
    default:
      return null;
  }
}

export function PhaseView({ view, actions, entry }: PhaseViewProps) {
  return (
    <ScreenContext value={{ view, actions }}>
      <Phase view={view} actions={actions} entry={entry} />
    </ScreenContext>
  );
}

function Phase({ view, actions, entry }: PhaseViewProps) {
  const { phase } = view;
  useFocusOnChange(phase.kind === "reconnecting" ? phase.from : phase.kind);
  switch (phase.kind) {
    case "loading":
      return <Loading />;
    case "prejoin": {
      const final = finalReason(phase.refused);
      return final ? <Out why={final} onRejoin={null} /> : <PreJoin phase={phase} entry={entry} />;
    }
    case "knocking":
      return <WaitingRoom since={phase.since} hostPresent={phase.hostPresent} recorded={phase.recorded} />;
    case "reconnecting":
      return phase.from === "knocking" ? <WaitingRoom since={phase.since} hostPresent={false} recorded={false} reconnecting /> : <MeetingScreen />;
    case "in":
      return <MeetingScreen />;
    case "out":
      return <Out why={phase.why} onRejoin={phase.mayRejoin ? () => actions.rejoin() : null} replay={phase.replay} />;
  }
}

/** When the page changes under the reader, focus goes to what is new; otherwise it would be lost with the old. */
function useFocusOnChange(kind: string): void {
  const before = useRef(kind);
  useEffect(() => {
    if (before.current === kind || before.current === "loading") {
      before.current = kind;
      return;
    }
    before.current = kind;
    document.querySelector("main")?.focus({ preventScroll: true });
  }, [kind]);
}

export function Loading() {
  const { t } = useTranslation();
  return (
    <main className={styles.loading} role="status">
      <Mark live />
      <span className="visually-hidden">{t("app.loading")}</span>
    </main>
  );
}
