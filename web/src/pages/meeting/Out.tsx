/** After the meeting, or in place of it: why, and where to go from here. */
import { Ban, CircleOff, DoorClosed, DoorOpen, Link2Off, LogOut, type LucideIcon, MonitorSmartphone, Play, ServerOff, WifiOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { OutWhy } from "../../state/types";
import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { useTitle } from "../format";
import { navigate } from "../router";
import styles from "./Out.module.css";

/** Reasons of a meeting left, and refusals after which asking again is no use. */
export type OutPageWhy = OutWhy | "wrong-link" | "meeting-ended" | "not-found";

const ICONS: Record<OutPageWhy, LucideIcon> = {
  left: DoorOpen,
  denied: DoorClosed,
  removed: LogOut,
  banned: Ban,
  ended: CircleOff,
  replaced: MonitorSmartphone,
  "server-stopping": ServerOff,
  lost: WifiOff,
  cancelled: DoorOpen,
  "wrong-link": Link2Off,
  "meeting-ended": CircleOff,
  "not-found": Link2Off,
};

interface OutProps {
  why: OutPageWhy;
  onRejoin: (() => void) | null;
  /** The id of a recording that can be watched. */
  replay?: string | null;
}

export function Out({ why, onRejoin, replay }: OutProps) {
  const { t } = useTranslation();
  useTitle(`${t(`out.${why}.title`)} · ${t("app.title")}`);
  const Icon = ICONS[why];
  return (
    <Page centred>
      <div className={styles.out}>
        <span className={styles.icon} aria-hidden="true">
          <Icon />
        </span>
        <h1 className={styles.title}>{t(`out.${why}.title`)}</h1>
        <p className={styles.text}>{t(`out.${why}.text`)}</p>
        <div className={styles.actions}>
          {onRejoin && (
            <Button variant="primary" size="l" onPress={onRejoin}>
              {t("out.rejoin")}
            </Button>
          )}
          {replay && (
            <Button size="l" icon={<Play aria-hidden="true" />} onPress={() => navigate(`/recordings/${encodeURIComponent(replay)}`)}>
              {t("record.watch")}
            </Button>
          )}
          <Button size="l" variant={onRejoin ? "secondary" : "primary"} onPress={() => navigate("/")}>
            {t("out.home")}
          </Button>
        </div>
      </div>
    </Page>
  );
}
