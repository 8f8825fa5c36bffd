/** What has just happened: shown for a moment, spoken to screen readers. */
import {
  BellRing,
  Bookmark,
  CircleDot,
  DoorOpen,
  Hand,
  type LucideIcon,
  MessageSquare,
  Mic,
  MicOff,
  MonitorUp,
  Plug,
  ShieldCheck,
  Star,
  TriangleAlert,
  User,
  Wifi,
} from "lucide-react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { NoticeWhat, Notice as ViewNotice } from "../../state/types";
import { Button } from "../../ui/Button";
import { Announcer, Notice, NoticeStack } from "../../ui/Notices";
import { useRefusalText } from "../refusals";
import { useScreen } from "./context";

/** More than these at once is a crowd; the oldest give way on the page. */
const SHOWN = 3;
/** News after which there is something to watch. */
const ENDED: ReadonlySet<string> = new Set(["stopped", "quota"]);

type RefusalText = ReturnType<typeof useRefusalText>;

/** The sentence of a notice. */
export function noticeText(what: NoticeWhat, t: TFunction, refusalText: RefusalText): string {
  switch (what.kind) {
    case "muted":
      return t(`notice.muted.${what.source}`, { by: what.by });
    case "asked-to-unmute":
      return t(`notice.ask.${what.source}`, { by: what.by });
    case "knock":
      return t("notice.knock", { name: what.name });
    case "hand":
      return t("notice.hand", { name: what.name });
    case "chat":
      return t("notice.chat", { name: what.name, text: what.text });
    case "joined":
      return t("notice.joined", { name: what.name });
    case "left":
      return t("notice.left", { name: what.name });
    case "role":
      return t(`notice.role.${what.role}`);
    case "screen-started":
      return t("notice.screenStarted", { name: what.name });
    case "policy":
      return t(`notice.policy.${what.rule}.${what.value ? "on" : "off"}`);
    case "device-lost":
      return what.fallback
        ? t(`notice.deviceFallback.${what.device}`, { fallback: what.fallback })
        : t(`notice.deviceLost.${what.device}`);
    case "device-error":
      return what.cause === "cancelled" ? "" : t(`devices.cause.${what.device}.${what.cause}`);
    case "refused":
      return refusalText(what.refusal);
    case "spotlight":
      return what.on ? t("notice.spotlightOn") : t("notice.spotlightOff");
    case "back":
      return t("notice.back");
    case "consent":
      return what.by === null ? t("record.consentInside") : t("record.consentBegan", { name: what.by });
    case "recording":
      return t(`record.news.${what.what}`);
    case "marked":
      return t("record.marked");
  }
}

const ICONS: Record<NoticeWhat["kind"], LucideIcon> = {
  muted: MicOff,
  "asked-to-unmute": Mic,
  knock: BellRing,
  hand: Hand,
  chat: MessageSquare,
  joined: User,
  left: DoorOpen,
  role: ShieldCheck,
  "screen-started": MonitorUp,
  policy: ShieldCheck,
  "device-lost": Plug,
  "device-error": TriangleAlert,
  refused: TriangleAlert,
  spotlight: Star,
  back: Wifi,
  consent: CircleDot,
  recording: CircleDot,
  marked: Bookmark,
};

export function NoticeArea() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const refusalText = useRefusalText();
  const said = view.notices.filter((notice) => noticeText(notice.what, t, refusalText) !== "");
  const knocks = said.filter((notice) => notice.what.kind === "knock");
  // Several who knock are one notice: the host decides about all of them at once, or one by one in the panel.
  const single = knocks.length > 1 ? said.filter((notice) => notice.what.kind !== "knock") : said;
  const newest = said[said.length - 1];
  const urgent = newest?.what.kind === "muted" || newest?.what.kind === "refused" || newest?.what.kind === "consent";
  const text = newest ? noticeText(newest.what, t, refusalText) : "";
  return (
    <>
      <NoticeStack>
        {knocks.length > 1 && (
          <Notice
            icon={<BellRing />}
            actions={
              <>
                <Button size="s" onPress={() => actions.openPanel("people")}>
                  {t("notice.knocksView")}
                </Button>
                <Button size="s" variant="primary" onPress={() => actions.admitAll()}>
                  {t("people.admitAll")}
                </Button>
              </>
            }
          >
            {t("notice.knocks", { count: knocks.length })}
          </Notice>
        )}
        {single.slice(-SHOWN).map((notice) => (
          <OneNotice key={notice.id} notice={notice} text={noticeText(notice.what, t, refusalText)} />
        ))}
      </NoticeStack>
      <Announcer text={urgent ? "" : text} />
      <Announcer text={urgent ? text : ""} urgent />
    </>
  );
}

function OneNotice({ notice, text }: { notice: ViewNotice; text: string }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { what } = notice;
  const Icon = ICONS[what.kind];
  const tone = what.kind === "refused" || what.kind === "device-error" || what.kind === "device-lost" ? "warn" : "neutral";
  const dismiss = () => actions.dismiss(notice.id);
  if (what.kind === "knock") {
    return (
      <Notice
        icon={<Icon />}
        onDismiss={dismiss}
        actions={
          <>
            <Button size="s" aria-label={t("people.denyName", { name: what.name })} onPress={() => actions.deny(what.person)}>
              {t("people.deny")}
            </Button>
            <Button size="s" variant="primary" aria-label={t("people.admitName", { name: what.name })} onPress={() => actions.admit(what.person)}>
              {t("people.admit")}
            </Button>
          </>
        }
      >
        {text}
      </Notice>
    );
  }
  if (what.kind === "asked-to-unmute") {
    return (
      <Notice
        icon={<Icon />}
        actions={
          <>
            <Button size="s" onPress={() => actions.answerAsk(notice.id, false)}>
              {t("common.notNow")}
            </Button>
            <Button size="s" variant="primary" onPress={() => actions.answerAsk(notice.id, true)}>
              {t(`notice.askYes.${what.source}`)}
            </Button>
          </>
        }
      >
        {text}
      </Notice>
    );
  }
  if (what.kind === "consent") {
    return (
      <Notice
        icon={<Icon />}
        tone="warn"
        actions={
          <>
            <Button size="s" onPress={() => actions.leave()}>
              {t("record.consentLeave")}
            </Button>
            <Button size="s" variant="primary" onPress={dismiss}>
              {t("record.consentOk")}
            </Button>
          </>
        }
      >
        {text}
      </Notice>
    );
  }
  if (what.kind === "recording" && ENDED.has(what.what) && view.rights.record) {
    return (
      <Notice
        icon={<Icon />}
        onDismiss={dismiss}
        actions={
          // In a tab of its own: the meeting goes on.
          <Button size="s" onPress={() => window.open(`/recordings/${encodeURIComponent(what.recording)}`, "_blank", "noopener")}>
            {t("record.watch")}
          </Button>
        }
      >
        {text}
      </Notice>
    );
  }
  if (what.kind === "chat") {
    return (
      <Notice
        icon={<Icon />}
        onDismiss={dismiss}
        actions={
          <Button
            size="s"
            onPress={() => {
              actions.openPanel("chat");
              dismiss();
            }}
          >
            {t("notice.knocksView")}
          </Button>
        }
      >
        {text}
      </Notice>
    );
  }
  return (
    <Notice icon={<Icon />} tone={tone} onDismiss={dismiss}>
      {text}
    </Notice>
  );
}
