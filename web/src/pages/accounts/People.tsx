/** The people of this server, for its administrators: invited, changed, shut out, deleted. Knows not where they come from. */
import { Ban, KeyRound, MoreHorizontal, Pencil, Trash2, Undo2, UserPlus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Account, type Invitation, ROLES } from "../../client/accounts";
import type { PeopleActions, PeopleView } from "../../state/accounts";
import { hueOf, initialsOf } from "../../state/people";
import { Avatar } from "../../ui/Avatar";
import { Badge } from "../../ui/Badge";
import { Button, IconButton } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { ConfirmDialog } from "../../ui/Dialog";
import { Select } from "../../ui/Field";
import { Menu, MenuItem, MenuLine } from "../../ui/Menu";
import { Page } from "../../ui/Page";
import { TextDialog } from "../../ui/TextDialog";
import { dayAndTime, useTitle } from "../format";
import lists from "../List.module.css";
import { Refused, SIGN_IN_NEEDED } from "../Refused";
import { InviteDialog, LinkDialog } from "./InviteDialog";
import styles from "./People.module.css";

interface PeopleProps {
  view: PeopleView;
  actions: PeopleActions;
}

type Open = { kind: "invite" } | { kind: "rename" | "delete" | "disable" | "reset"; account: Account } | { kind: "takeBack"; invitation: Invitation };

export function People({ view, actions }: PeopleProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Open | null>(null);
  useTitle(`${t("accounts.pageTitle")} · ${t("app.title")}`);
  const close = () => setOpen(null);
  const signIn = view.refused?.code === SIGN_IN_NEEDED;
  return (
    <Page>
      <div className={lists.page}>
        <div className={lists.head}>
          <h1 className={lists.title}>{t("accounts.title")}</h1>
          {!signIn && !view.loading && (
            <Button variant="primary" icon={<UserPlus aria-hidden="true" />} onPress={() => setOpen({ kind: "invite" })}>
              {t("accounts.invite")}
            </Button>
          )}
        </div>
        {view.refused && <Refused why={view.refused} signIn={t("accounts.signInNeeded")} />}
        {view.loading && (
          <p className={lists.loading} role="status">
            {t("accounts.loading")}
          </p>
        )}
        {view.accounts.length > 0 && (
          <ul className={lists.list} aria-label={t("accounts.list")}>
            {view.accounts.map((account) => (
              <li key={account.id}>
                <Person account={account} actions={actions} onOpen={(kind) => setOpen({ kind, account })} />
              </li>
            ))}
          </ul>
        )}
        {!view.loading && !view.refused && view.accounts.length === 0 && <p className={lists.loading}>{t("accounts.none")}</p>}
        {view.invitations.length > 0 && (
          <section className={styles.section}>
            <h2 className={styles.subtitle}>{t("accounts.invited")}</h2>
            <ul className={lists.list} aria-label={t("accounts.invited")}>
              {view.invitations.map((invitation) => (
                <li key={invitation.id}>
                  <Invited invitation={invitation} onTakeBack={() => setOpen({ kind: "takeBack", invitation })} />
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
      <Dialogs open={open} actions={actions} close={close} />
      {view.link && <LinkDialog link={view.link} close={actions.dismissLink} />}
    </Page>
  );
}

type PersonAction = "rename" | "delete" | "disable" | "reset";

function Person({ account, actions, onOpen }: { account: Account; actions: PeopleActions; onOpen: (kind: PersonAction) => void }) {
  const { t, i18n } = useTranslation();
  const { id, name, disabled, seen_at: seenAt } = account;
  const label = t("accounts.menu", { name });
  return (
    <article className={cx(lists.item, styles.item)} data-gone={disabled || undefined}>
      <Avatar initials={initialsOf(name)} hue={hueOf(id)} />
      <div className={lists.words}>
        <h2 className={lists.name}>
          {name}
          {account.you && <span className={styles.you}>{t("accounts.you")}</span>}
        </h2>
        <p className={lists.facts}>
          {disabled && <Badge tone="warn">{t("accounts.disabled")}</Badge>}
          <span>{seenAt === null ? t("accounts.notSignedIn") : t("accounts.seen", { date: dayAndTime(seenAt, i18n.language) })}</span>
        </p>
      </div>
      <Select
        className={styles.role}
        label={t("accounts.roleOf", { name })}
        labelHidden
        choices={ROLES.map((role) => ({ id: role, name: t(`accounts.roles.${role}`) }))}
        value={account.role}
        placeholder={t("accounts.role")}
        onChange={(chosen) => {
          const role = ROLES.find((one) => one === chosen);
          if (role && role !== account.role) actions.change(id, { role });
        }}
      />
      <Menu label={label} trigger={<IconButton label={label} icon={<MoreHorizontal />} />}>
        <MenuItem icon={<Pencil aria-hidden="true" />} onAction={() => onOpen("rename")}>
          {t("accounts.rename")}
        </MenuItem>
        <MenuItem icon={<KeyRound aria-hidden="true" />} isDisabled={disabled} onAction={() => onOpen("reset")}>
          {t("accounts.reset")}
        </MenuItem>
        <MenuLine />
        {disabled ? (
          <MenuItem icon={<Undo2 aria-hidden="true" />} onAction={() => actions.change(id, { disabled: false })}>
            {t("accounts.enable")}
          </MenuItem>
        ) : (
          <MenuItem icon={<Ban aria-hidden="true" />} tone="danger" onAction={() => onOpen("disable")}>
            {t("accounts.disable")}
          </MenuItem>
        )}
        <MenuItem icon={<Trash2 aria-hidden="true" />} tone="danger" onAction={() => onOpen("delete")}>
          {t("accounts.delete")}
        </MenuItem>
      </Menu>
    </article>
  );
}

function Invited({ invitation, onTakeBack }: { invitation: Invitation; onTakeBack: () => void }) {
  const { t, i18n } = useTranslation();
  const name = invitation.name || t("accounts.somebody");
  return (
    <article className={lists.item}>
      <div className={lists.words}>
        <h3 className={lists.name}>{name}</h3>
        <p className={lists.facts}>
          <span>{t(`accounts.roles.${invitation.role}`)}</span>
          <span>{t("accounts.until", { date: dayAndTime(invitation.expires_at, i18n.language) })}</span>
        </p>
      </div>
      <Button variant="quiet" onPress={onTakeBack} aria-label={t("accounts.takeBackOf", { name })}>
        {t("accounts.takeBack")}
      </Button>
    </article>
  );
}

function Dialogs({ open, actions, close }: { open: Open | null; actions: PeopleActions; close: () => void }) {
  const { t } = useTranslation();
  if (!open) return null;
  switch (open.kind) {
    case "invite":
      return <InviteDialog invite={actions.invite} close={close} />;
    case "takeBack": {
      const { id, name } = open.invitation;
      return (
        <ConfirmDialog isOpen onClose={close} title={t("accounts.takeBackTitle", { name: name || t("accounts.somebody") })} action={t("accounts.takeBack")} onConfirm={() => actions.takeBack(id)}>
          {t("accounts.takeBackText")}
        </ConfirmDialog>
      );
    }
    case "rename": {
      const { id, name } = open.account;
      return <TextDialog title={t("accounts.renameTitle", { name })} label={t("account.name")} text={name} maxLength={64} save={(chosen) => actions.change(id, { name: chosen })} close={close} />;
    }
    default: {
      const { kind, account } = open;
      const confirm = { disable: () => actions.change(account.id, { disabled: true }), delete: () => actions.remove(account.id), reset: () => actions.reset(account.id) };
      return (
        <ConfirmDialog isOpen onClose={close} title={t(`accounts.${kind}Title`, { name: account.name })} action={t(`accounts.${kind}`)} onConfirm={confirm[kind]}>
          {t(`accounts.${kind}Text`)}
        </ConfirmDialog>
      );
    }
  }
}
