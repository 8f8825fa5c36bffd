/** The recordings of this server: found, watched, shared, renamed, deleted. Knows not where they come from. */
import { Clapperboard, Link as LinkIcon, MoreHorizontal, Pencil, Play, Search, SearchX, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RecordingSummary } from "../../client/recordings";
import type { RecordingsActions, RecordingsView } from "../../state/recordings";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { ConfirmDialog } from "../../ui/Dialog";
import { TextField } from "../../ui/Field";
import { Menu, MenuItem, MenuLine } from "../../ui/Menu";
import { Announcer } from "../../ui/Notices";
import { Page } from "../../ui/Page";
import { EmptyState } from "../../ui/Panel";
import { dayAndTime, duration, sizeWords, useTitle } from "../format";
import lists from "../List.module.css";
import { Refused, SIGN_IN_NEEDED } from "../Refused";
import { follow } from "../router";
import styles from "./Recordings.module.css";
import { RenameRecording } from "./RenameRecording";
import { ShareRecording } from "./ShareRecording";

interface RecordingsProps {
  view: RecordingsView;
  actions: RecordingsActions;
}

type Open = { kind: "rename" | "share" | "delete"; id: string };
/** More names than this nobody reads in a list. */
const NAMES = 4;

export function Recordings({ view, actions }: RecordingsProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open | null>(null);
  useTitle(`${t("recordings.pageTitle")} · ${t("app.title")}`);
  const chosen = view.list.find(({ id }) => id === open?.id);
  const close = () => setOpen(null);
  const signIn = view.refused?.code === SIGN_IN_NEEDED;
  return (
    <Page>
      <div className={lists.page}>
        <div className={lists.head}>
          <h1 className={lists.title}>{t("recordings.title")}</h1>
          {!signIn && (
            <div role="search" className={styles.search}>
              <TextField label={t("recordings.search")} labelHidden placeholder={t("recordings.search")} type="search" value={view.query} onChange={actions.search} action={<Search aria-hidden="true" className={styles.searchIcon} />} />
            </div>
          )}
        </div>
        {view.refused && <Refused why={view.refused} signIn={t("recordings.signInNeeded")} />}
        {view.loading && view.list.length === 0 && (
          <p className={lists.loading} role="status">
            {t("recordings.loading")}
          </p>
        )}
        {!view.loading && !view.refused && view.list.length === 0 && (
          <div className={lists.empty}>
            {view.query ? (
              <EmptyState icon={<SearchX />} title={t("recordings.notFound")}>
                {t("recordings.notFoundText", { query: view.query })}
              </EmptyState>
            ) : (
              <EmptyState icon={<Clapperboard />} title={t("recordings.none")}>
                {t("recordings.noneText")}
              </EmptyState>
            )}
          </div>
        )}
        {view.list.length > 0 && (
          <ul className={lists.list} aria-label={t("recordings.list")}>
            {view.list.map((one) => (
              <li key={one.id}>
                <Item one={one} onOpen={(kind) => setOpen({ kind, id: one.id })} />
              </li>
            ))}
          </ul>
        )}
        {view.more && (
          <Button onPress={actions.more} isPending={view.loading} className={styles.more}>
            {t("recordings.more")}
          </Button>
        )}
        <Announcer text={view.deleted ? t("recordings.deleted") : ""} />
      </div>
      {chosen && open?.kind === "rename" && <RenameRecording one={chosen} actions={actions} close={close} />}
      {chosen && open?.kind === "share" && <ShareRecording one={chosen} view={view} actions={actions} close={close} />}
      {chosen && open?.kind === "delete" && (
        <ConfirmDialog
          isOpen
          onClose={close}
          title={t("recordings.deleteTitle", { title: chosen.title || t("replay.untitled") })}
          action={t("recordings.delete")}
          onConfirm={() => actions.remove(chosen.id)}
        >
          {t("recordings.deleteText")}
        </ConfirmDialog>
      )}
    </Page>
  );
}

const isRunning = ({ state }: RecordingSummary) => state === "recording" || state === "paused" || state === "suspended";

function Item({ one, onOpen }: { one: RecordingSummary; onOpen: (kind: Open["kind"]) => void }) {
  const { t, i18n } = useTranslation();
  const title = one.title || t("replay.untitled");
  const names = one.participants.slice(0, NAMES).join(t("common.separator"));
  const others = one.participants.length - NAMES;
  return (
    <article className={lists.item}>
      <a className={cx(lists.sign, styles.watch)} href={`/recordings/${encodeURIComponent(one.id)}`} onClick={follow} aria-label={t("recordings.play", { title })}>
        <Play aria-hidden="true" />
      </a>
      <div className={lists.words}>
        <h2 className={lists.name}>
          {/* The same as the button before it, for the mouse. */}
          <a href={`/recordings/${encodeURIComponent(one.id)}`} onClick={follow} tabIndex={-1}>
            {title}
          </a>
        </h2>
        <p className={lists.facts}>
          {one.state !== "finished" && <Badge tone={isRunning(one) ? "danger" : one.state === "broken" ? "warn" : "neutral"}>{t(`recordings.state.${one.state}`)}</Badge>}
          <span>{dayAndTime(one.started_at, i18n.language)}</span>
          <span className="tabular">{duration(one.duration_ms)}</span>
          <span>{sizeWords(one.bytes, i18n.language)}</span>
          <span>{t(`recordings.visible.${one.visibility}`)}</span>
        </p>
        {names && <p className={lists.facts}>{others > 0 ? t("recordings.withMore", { names, count: others }) : t("recordings.with", { names })}</p>}
        {one.upload && one.upload.bytes_left > 0 && <p className={lists.facts}>{t(one.upload.state === "retrying" ? "recordings.uploadWaits" : "recordings.upload", { size: sizeWords(one.upload.bytes_left, i18n.language) })}</p>}
      </div>
      <Menu label={t("recordings.menu", { title })} trigger={<IconButton label={t("recordings.menu", { title })} icon={<MoreHorizontal />} />}>
        <MenuItem icon={<Pencil aria-hidden="true" />} onAction={() => onOpen("rename")}>
          {t("recordings.rename")}
        </MenuItem>
        <MenuItem icon={<LinkIcon aria-hidden="true" />} onAction={() => onOpen("share")}>
          {t("recordings.share")}
        </MenuItem>
        <MenuLine />
        <MenuItem
          icon={<Trash2 aria-hidden="true" />}
          tone="danger"
          isDisabled={isRunning(one)}
          note={isRunning(one) ? t("recordings.deleteRunning") : undefined}
          onAction={() => onOpen("delete")}
        >
          {t("recordings.delete")}
        </MenuItem>
      </Menu>
    </article>
  );
}
