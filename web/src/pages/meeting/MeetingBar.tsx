/** Above the pictures: which meeting, for how long, under which rules. */
import { DoorClosed, Lock, Maximize, Minimize, Users } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge, Count } from "../../ui/Badge";
import { IconButton } from "../../ui/Button";
import { Mark } from "../../ui/Logo";
import { duration, meetingNumber, useNow } from "../format";
import { useScreen } from "./context";
import type { FullScreen } from "./hooks";
import { LayoutSwitch } from "./LayoutSwitch";
import styles from "./MeetingBar.module.css";
import { RecordingSign } from "./Recording";

export function MeetingBar({ fullScreen }: { fullScreen: FullScreen }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { meeting, policy } = view;
  const waiting = view.waiting.length;
  return (
    <header className={styles.bar}>
      <Mark className={styles.mark} />
      <div className={styles.what}>
        <h1 className={styles.title}>{meeting?.title || t("meeting.untitled")}</h1>
        {meeting && (
          <p className={styles.facts}>
            <Elapsed since={meeting.startedAt} />
            <span className={styles.number} aria-hidden="true">
              {meetingNumber(meeting.number)}
            </span>
          </p>
        )}
      </div>
      <RecordingSign />
      {policy?.locked && (
        <Badge tone="warn" icon={<Lock aria-hidden="true" />}>
          {t("meeting.locked")}
        </Badge>
      )}
      {policy?.waitingRoom && !policy.locked && view.rights.admit && (
        <span className={styles.rule}>
          <Badge icon={<DoorClosed aria-hidden="true" />}>{t("policy.waitingRoom")}</Badge>
        </span>
      )}
      <div className={styles.end}>
        <LayoutSwitch />
        {fullScreen.possible && (
          <IconButton
            label={fullScreen.on ? t("meeting.exitFullScreen") : t("meeting.fullScreen")}
            icon={fullScreen.on ? <Minimize /> : <Maximize />}
            placement="bottom"
            onPress={fullScreen.toggle}
            className={styles.fullScreen}
          />
        )}
        <IconButton
          label={
            waiting > 0
              ? t("meeting.peopleWaiting", { people: view.people.length, count: waiting })
              : t("meeting.peopleCount", { count: view.people.length })
          }
          icon={<Users />}
          placement="bottom"
          onPress={() => actions.openPanel(view.panel === "people" ? null : "people")}
          className={styles.people}
        >
          {waiting > 0 ? <Count value={waiting} /> : <Count value={view.people.length} tone="neutral" />}
        </IconButton>
      </div>
    </header>
  );
}

function Elapsed({ since }: { since: number }) {
  const { t } = useTranslation();
  const now = useNow();
  const time = duration(now - since);
  return (
    <span className="tabular">
      <span aria-hidden="true">{time}</span>
      <span className="visually-hidden">{t("meeting.elapsed", { time })}</span>
    </span>
  );
}
