/** What viewers write and like, beside the picture; who manages the broadcast moderates here. Knows not how it comes. */
import { EyeOff, Heart, MessageSquare, MessageSquareOff, MoreHorizontal, SendHorizontal, SlidersHorizontal, Trash2 } from "lucide-react";
import { type FormEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Comment, COMMENT_MAX } from "../../client/audience";
import type { AudienceActions, AudienceView } from "../../state/audience";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { TextField } from "../../ui/Field";
import { Menu, MenuItem } from "../../ui/Menu";
import { Announcer } from "../../ui/Notices";
import { EmptyState } from "../../ui/Panel";
import { timeOfDay } from "../format";
import { useRefusalText } from "../refusals";
import { ModerationDialog } from "./ModerationDialog";
import styles from "./AudiencePanel.module.css";

interface AudiencePanelProps {
  view: AudienceView;
  actions: AudienceActions;
}

const NAME_MAX = 64;
/** Whoever is this close to the end wants to stay there. */
const NEAR_END_PX = 60;

export function AudiencePanel({ view, actions }: AudiencePanelProps) {
  const { t } = useTranslation();
  const id = useId();
  const refusalText = useRefusalText();
  const [ruling, setRuling] = useState(false);
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <header className={styles.head}>
        <h2 id={id} className={styles.title}>
          {t("audience.title")}
        </h2>
        {view.rules.slow > 0 && <Badge>{t("audience.slowBadge", { count: view.rules.slow })}</Badge>}
        {view.rules.hold && <Badge>{t("audience.holdBadge")}</Badge>}
        {view.moderator && <IconButton label={t("audience.moderate")} icon={<SlidersHorizontal />} size="s" className={styles.rules} onPress={() => setRuling(true)} />}
      </header>
      {view.failed && (
        <p className={styles.failed} role="alert">
          {refusalText(view.failed)}
        </p>
      )}
      <Lines view={view} actions={actions} />
      <footer className={styles.foot}>
        <Writer view={view} actions={actions} />
        <LikeButton likes={view.likes} like={actions.like} isDisabled={view.state === "over"} />
      </footer>
      {ruling && <ModerationDialog actions={actions} close={() => setRuling(false)} />}
    </section>
  );
}

function Lines({ view: { comments, moderator, state }, actions }: AudiencePanelProps) {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = comments.at(-1)?.id;
  useLayoutEffect(() => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [last]);
  return (
    <div
      ref={list}
      className={styles.lines}
      role="log"
      aria-label={t("audience.log")}
      aria-busy={state === "connecting"}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      }}
    >
      {comments.length === 0 ? (
        <EmptyState icon={<MessageSquare />} title={t("audience.empty")} />
      ) : (
        <ol className={styles.list}>
          {comments.map((one) => (
            <Line key={one.id} one={one} actions={moderator ? actions : null} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Line({ one, actions }: { one: Comment; actions: AudienceActions | null }) {
  const { t, i18n } = useTranslation();
  return (
    <li className={cx(styles.line, one.held && styles.held)}>
      <div className={styles.words}>
        <p className={styles.who}>
          <bdi className={styles.name}>{one.name}</bdi>
          {one.guest && <span className={styles.guest}>{t("audience.guest")}</span>}
          {one.host && <Badge tone="accent">{t("audience.host")}</Badge>}
          {one.held && <Badge tone="warn">{t("audience.held")}</Badge>}
          <time className={styles.time} dateTime={new Date(one.at).toISOString()}>
            {timeOfDay(one.at, i18n.language)}
          </time>
        </p>
        <p className={styles.text} dir="auto">
          {one.text}
        </p>
        {actions && one.held && (
          <Button size="s" onPress={() => actions.show(one.id)} aria-label={t("audience.showOf", { name: one.name })}>
            {t("audience.show")}
          </Button>
        )}
      </div>
      {actions && (
        <Menu label={t("audience.more", { name: one.name })} trigger={<IconButton label={t("audience.more", { name: one.name })} icon={<MoreHorizontal />} size="s" />}>
          {one.held && (
            <MenuItem icon={<MessageSquare aria-hidden="true" />} onAction={() => actions.show(one.id)}>
              {t("audience.show")}
            </MenuItem>
          )}
          <MenuItem icon={<Trash2 aria-hidden="true" />} tone="danger" onAction={() => actions.remove(one.id)}>
            {t("audience.delete")}
          </MenuItem>
          {!one.host && (
            <MenuItem
              icon={<EyeOff aria-hidden="true" />}
              tone="danger"
              onAction={() => actions.mute(one.id)}
            >
              {t("audience.mute", { name: one.name })}
            </MenuItem>
          )}
        </Menu>
      )}
    </li>
  );
}

function Writer({ view, actions }: AudiencePanelProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(view.name);
  const [text, setText] = useState("");
  const { account, refused, sending, held, rules, moderator, muted, state } = view;
  const named = account !== null || name.trim() !== "";
  const tooLong = Array.from(text).length > COMMENT_MAX;
  if (muted || (!rules.open && !moderator) || state === "over") {
    return (
      <p className={styles.closed} role="status">
        <MessageSquareOff aria-hidden="true" />
        {t(muted ? "audience.refused.muted" : state === "over" ? "audience.over" : "audience.refused.closed")}
      </p>
    );
  }
  const submit = async () => {
    if (text.trim() === "" || !named || tooLong || sending) return;
    // What was not taken stays, to be sent again.
    if (await actions.write(name.trim(), text.trim())) setText("");
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const said = refused
    ? t(`audience.refused.${refused.code}`, { count: refused.retryAfter ?? 0 })
    : held
      ? t("audience.waits")
      : state === "away"
        ? t("audience.away")
        : tooLong
          ? t("audience.tooLong", { count: COMMENT_MAX })
          : "";
  return (
    <form className={styles.writer} onSubmit={onSubmit}>
      {account === null && (
        <TextField label={t("audience.name")} labelHidden placeholder={t("audience.name")} value={name} onChange={setName} maxLength={NAME_MAX} autoComplete="nickname" />
      )}
      <TextField
        label={t("audience.comment")}
        labelHidden
        placeholder={account === null ? t("audience.placeholder") : t("audience.placeholderAs", { name: account })}
        value={text}
        onChange={setText}
        autoComplete="off"
        action={
          <IconButton
            type="submit"
            label={t("audience.send")}
            icon={<SendHorizontal />}
            variant="primary"
            size="s"
            isDisabled={text.trim() === "" || !named || tooLong || sending || state !== "open"}
          />
        }
      />
      <p className={cx(styles.said, (refused !== null || tooLong) && styles.wrong)} role="status">
        {said}
      </p>
    </form>
  );
}

function LikeButton({ likes, like, isDisabled }: { likes: number; like: () => void; isDisabled: boolean }) {
  const { t, i18n } = useTranslation();
  const count = new Intl.NumberFormat(i18n.language).format(likes);
  const [mine, setMine] = useState(0);
  return (
    <div className={styles.like}>
      <IconButton
        label={t("audience.like")}
        icon={<Heart className={cx(mine > 0 && styles.liked)} />}
        onPress={() => {
          setMine((now) => now + 1);
          like();
        }}
        isDisabled={isDisabled}
      />
      <span className={styles.likes}>
        <span className="visually-hidden">{t("audience.likes", { count: likes })}</span>
        <span aria-hidden="true">{count}</span>
      </span>
      <Announcer text={mine > 0 ? t("audience.liked", { count: mine }) : ""} />
    </div>
  );
}
