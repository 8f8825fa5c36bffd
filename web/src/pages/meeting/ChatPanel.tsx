/** The chat: what was written, to whom, and a field to write. */
import { ArrowDown, MessageSquare, RotateCw, SendHorizontal } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Label, TextArea, TextField } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { CHAT_MAX } from "../../client/protocol";
import type { Audience, ChatLine, ChatTarget } from "../../state/types";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { Select } from "../../ui/Field";
import { EmptyState, SidePanel } from "../../ui/Panel";
import { timeOfDay } from "../format";
import styles from "./ChatPanel.module.css";
import { useLocal, useScreen } from "./context";

const keyOf = (to: Audience) => (to.kind === "one" ? `one-${to.participant}` : to.kind);
/** Whoever is this close to the end wants to stay there. */
const NEAR_END_PX = 60;

export function ChatPanel() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { chat } = view;
  return (
    <SidePanel
      title={t("chat.title")}
      onClose={() => actions.openPanel(null)}
      footer={chat.targets.length > 0 ? <Writer /> : <p className={styles.closed}>{t(`chat.closed.${chat.hindrance ?? "forbidden-by-policy"}`)}</p>}
    >
      {chat.lines.length === 0 ? (
        <EmptyState icon={<MessageSquare />} title={t("chat.empty")}>
          {t("chat.emptyHint")}
        </EmptyState>
      ) : (
        <Lines lines={chat.lines} />
      )}
    </SidePanel>
  );
}

function Lines({ lines }: { lines: ChatLine[] }) {
  const { t } = useTranslation();
  const list = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const last = lines[lines.length - 1];
  const toEnd = () => {
    const element = list.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  useLayoutEffect(() => {
    if (atEnd || last?.mine) toEnd();
    // Only a new line moves the list.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [last?.id]);
  return (
    <div className={styles.scroll}>
      <div
        ref={list}
        className={styles.lines}
        role="log"
        aria-label={t("chat.log")}
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_END_PX);
        }}
      >
        <ol>
          {lines.map((line, index) => (
            <Line key={line.id} line={line} before={lines[index - 1]} />
          ))}
        </ol>
      </div>
      {!atEnd && (
        <Button size="s" className={styles.toEnd} icon={<ArrowDown aria-hidden="true" />} onPress={toEnd}>
          {t("chat.newBelow")}
        </Button>
      )}
    </div>
  );
}

/** Lines of one person within so long stand under one name. */
const TOGETHER_MS = 180_000;

function Line({ line, before }: { line: ChatLine; before: ChatLine | undefined }) {
  const { t, i18n } = useTranslation();
  const { actions } = useScreen();
  const together =
    before !== undefined && before.from === line.from && keyOf(before.to) === keyOf(line.to) && line.at - before.at < TOGETHER_MS;
  const to =
    line.to.kind === "hosts"
      ? t("chat.toHosts")
      : line.to.kind === "one"
        ? line.mine
          ? t("chat.toName", { name: line.toName ?? "" })
          : t("chat.toYou")
        : null;
  return (
    <li className={cx(styles.line, line.mine && styles.mine, to && styles.private, together && styles.together)}>
      <p className={together ? "visually-hidden" : styles.head}>
        <span className={styles.name}>{line.mine ? t("common.you") : line.name}</span>
        {to && <span className={styles.to}>{to}</span>}
        <time className={styles.time} dateTime={new Date(line.at).toISOString()}>
          {timeOfDay(line.at, i18n.language)}
        </time>
      </p>
      <p className={styles.text} dir="auto">
        {withLinks(line.text)}
      </p>
      {line.state === "sending" && <p className={styles.state}>{t("chat.sending")}</p>}
      {line.state === "failed" && (
        <p className={cx(styles.state, styles.failed)}>
          {t("chat.failed")}
          <Button size="s" variant="quiet" icon={<RotateCw aria-hidden="true" />} onPress={() => actions.resendChat(line.id)}>
            {t("chat.resend")}
          </Button>
        </p>
      )}
    </li>
  );
}

/** Web addresses become links; everything else stays text. */
function withLinks(text: string) {
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]，。；：！？）])/gu).map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noopener noreferrer">
        {part}
      </a>
    ) : (
      part
    ),
  );
}

function Writer() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { chatTo, writeTo } = useLocal();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const { targets } = view.chat;
  const target = targets.find((one) => chatTo && keyOf(one.to) === keyOf(chatTo)) ?? targets[0];
  useEffect(() => {
    if (chatTo) field.current?.focus();
  }, [chatTo]);
  if (!target) return null;
  const nameOf = (one: ChatTarget) => ("name" in one ? one.name : one.to.kind === "hosts" ? t("chat.hosts") : t("chat.everyone"));
  const tooLong = Array.from(text).length - CHAT_MAX;
  const sendable = text.trim() !== "" && tooLong <= 0;
  const send = () => {
    if (!sendable) return;
    actions.sendChat(target.to, text.trim());
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter that ends the choice of a Chinese character does not send.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={styles.writer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className={styles.target}>
        <span aria-hidden="true" className={styles.targetLabel}>
          {t("chat.to")}
        </span>
        <Select
          label={t("chat.to")}
          labelHidden
          className={styles.targetSelect}
          choices={targets.map((one) => ({ id: keyOf(one.to), name: nameOf(one) }))}
          value={keyOf(target.to)}
          onChange={(id) => {
            const found = targets.find((one) => keyOf(one.to) === id);
            if (found) writeTo(found.to);
          }}
          placeholder={t("chat.to")}
        />
      </div>
      <TextField className={styles.field ?? ""} value={text} onChange={setText} isInvalid={tooLong > 0}>
        <Label className="visually-hidden">{t("chat.message")}</Label>
        <TextArea
          ref={field}
          className={styles.textArea ?? ""}
          rows={1}
          placeholder={t("chat.placeholder")}
          onKeyDown={onKeyDown}
        />
        <IconButton type="submit" label={t("chat.send")} icon={<SendHorizontal />} variant="primary" size="s" isDisabled={!sendable} className={styles.send} />
      </TextField>
      {tooLong > 0 && (
        <p className={styles.failed} role="alert">
          {t("chat.tooLong", { count: tooLong })}
        </p>
      )}
    </form>
  );
}
