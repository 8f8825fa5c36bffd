/** Broadcasts: new ones, the way to their studio, new keys, and their end. Knows not where they come from. */
import { CircleStop, KeyRound, Link as LinkIcon, MonitorUp, MoreHorizontal, Play, Plus, Radio, Users } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { BroadcastsActions, BroadcastsView, ListedBroadcast } from "../../state/broadcasts";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { ConfirmDialog, Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { Menu, MenuItem, MenuLine } from "../../ui/Menu";
import { Announcer } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { EmptyState } from "../../ui/Panel";
import { useCopy } from "../../ui/useCopy";
import { dayAndTime, useTitle } from "../format";
import lists from "../List.module.css";
import { Refused, SIGN_IN_NEEDED } from "../Refused";
import { follow, navigate } from "../router";
import styles from "./Broadcasts.module.css";

const TITLE_MAX = 200;

interface BroadcastsProps {
  view: BroadcastsView;
  actions: BroadcastsActions;
}

export function Broadcasts({ view, actions }: BroadcastsProps) {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<ListedBroadcast | null>(null);
  const [renewing, setRenewing] = useState<ListedBroadcast | null>(null);
  const [copied, copy] = useCopy();
  useTitle(`${t("broadcasts.pageTitle")} · ${t("app.title")}`);
  const renew = async (id: string) => {
    if (await actions.renewKey(id)) navigate(`/studio/${encodeURIComponent(id)}`);
  };
  const refused = view.mayCreate === false ? { code: SIGN_IN_NEEDED, retryAfter: null } : view.refused;
  const signIn = refused?.code === SIGN_IN_NEEDED;
  return (
    <Page>
      <div className={lists.page}>
        <div className={lists.head}>
          <div className={styles.intro}>
            <h1 className={lists.title}>{t("broadcasts.title")}</h1>
            <p className={styles.lead}>{t("broadcasts.lead")}</p>
          </div>
          {!signIn && (
            <Button variant="primary" size="l" icon={<Plus aria-hidden="true" />} onPress={() => setMaking(true)}>
              {t("broadcasts.make")}
            </Button>
          )}
        </div>
        {refused && <Refused why={refused} signIn={t("broadcasts.signInNeeded")} />}
        {view.loading || signIn ? null : view.list.length === 0 ? (
          <div className={lists.empty}>
            <EmptyState icon={<Radio />} title={t("broadcasts.none")}>
              {t("broadcasts.noneHint")}
            </EmptyState>
          </div>
        ) : (
          <ul className={lists.list} aria-label={t("broadcasts.title")}>
            {view.list.map((one) => (
              <li key={one.id}>
                <Item one={one} isOwnerSaid={view.mayAdministrate} onCopy={() => copy(one.watch_url)} onEnd={() => setEnding(one)} onRenewKey={() => setRenewing(one)} />
              </li>
            ))}
          </ul>
        )}
        {view.more && (
          <Button onPress={actions.more} className={styles.older}>
            {t("broadcasts.older")}
          </Button>
        )}
        <Announcer text={copied === "copied" ? t("common.copied") : copied === "failed" ? t("common.copyFailed") : ""} />
      </div>
      {making && <MakeDialog busy={view.making} make={actions.make} close={() => setMaking(false)} />}
      {renewing && (
        <ConfirmDialog
          isOpen
          onClose={() => setRenewing(null)}
          title={t("broadcasts.renewTitle", { title: renewing.title || t("broadcasts.untitled") })}
          action={t("broadcasts.renew")}
          onConfirm={() => void renew(renewing.id)}
        >
          <p>{t("broadcasts.renewText")}</p>
        </ConfirmDialog>
      )}
      {ending && (
        <ConfirmDialog
          isOpen
          onClose={() => setEnding(null)}
          title={t("broadcasts.endTitle", { title: ending.title || t("broadcasts.untitled") })}
          action={t("broadcasts.end")}
          onConfirm={() => actions.end(ending.id)}
        >
          <p>{t("broadcasts.endText")}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}

interface ItemProps {
  one: ListedBroadcast;
  onCopy: () => void;
  onEnd: () => void;
  onRenewKey: () => void;
  isOwnerSaid: boolean;
}

function Item({ one, isOwnerSaid, onCopy, onEnd, onRenewKey }: ItemProps) {
  const { t, i18n } = useTranslation();
  const title = one.title || t("broadcasts.untitled");
  return (
    <article className={cx(lists.item, styles.item)}>
      <span className={cx(lists.sign, styles.icon)} data-live={one.live || undefined} aria-hidden="true">
        <Radio />
      </span>
      <div className={styles.what}>
        <h2 className={lists.name}>{title}</h2>
        <p className={lists.facts}>
          {one.live ? <Badge tone="danger">{t("broadcasts.live")}</Badge> : <Badge>{t("broadcasts.off")}</Badge>}
          {one.live && (
            <span className={styles.viewers}>
              <Users aria-hidden="true" />
              {t("studio.viewers", { count: one.viewers })}
            </span>
          )}
          <time dateTime={new Date(one.created_at).toISOString()}>{dayAndTime(one.created_at, i18n.language)}</time>
          {isOwnerSaid && one.owner !== null && <span>{t("broadcasts.owner", { name: one.owner })}</span>}
        </p>
      </div>
      <a className={styles.studio} href={`/studio/${encodeURIComponent(one.id)}`} onClick={follow} aria-label={`${t("broadcasts.studio")}: ${title}`}>
        {t("broadcasts.studio")}
      </a>
      <Menu label={t("broadcasts.more", { title })} trigger={<IconButton label={t("broadcasts.more", { title })} icon={<MoreHorizontal />} />}>
        <MenuItem icon={<Play aria-hidden="true" />} onAction={() => navigate(`/w/${encodeURIComponent(one.id)}`)}>
          {t("broadcasts.watch")}
        </MenuItem>
        <MenuItem icon={<MonitorUp aria-hidden="true" />} onAction={() => navigate(`/broadcasts/${encodeURIComponent(one.id)}`)}>
          {t("studio.encoder")}
        </MenuItem>
        <MenuItem icon={<LinkIcon aria-hidden="true" />} onAction={onCopy}>
          {t("broadcasts.copy")}
        </MenuItem>
        <MenuItem icon={<KeyRound aria-hidden="true" />} onAction={onRenewKey}>
          {t("broadcasts.renew")}
        </MenuItem>
        <MenuLine />
        <MenuItem icon={<CircleStop aria-hidden="true" />} tone="danger" onAction={onEnd}>
          {t("broadcasts.end")}
        </MenuItem>
      </Menu>
    </article>
  );
}

interface MakeProps {
  busy: boolean;
  make: BroadcastsActions["make"];
  close: () => void;
}

function MakeDialog({ busy, make, close }: MakeProps) {
  const { t } = useTranslation();
  const [title, setTitle] = useState("");
  const submit = async () => {
    const id = await make(title.trim());
    close();
    if (id !== null) navigate(`/studio/${encodeURIComponent(id)}`);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) void submit();
  };
  return (
    <Dialog
      isOpen
      onClose={close}
      size="s"
      title={t("broadcasts.makeTitle")}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          <Button variant="primary" isPending={busy} onPress={() => void submit()}>
            {busy ? t("broadcasts.making") : t("broadcasts.create")}
          </Button>
        </>
      }
    >
      <form onSubmit={onSubmit}>
        <TextField label={t("broadcasts.name")} hint={t("broadcasts.nameHint")} placeholder={t("broadcasts.namePlaceholder")} value={title} onChange={setTitle} maxLength={TITLE_MAX} autoFocus />
      </form>
    </Dialog>
  );
}
