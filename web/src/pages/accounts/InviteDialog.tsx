/** Whom to invite, and the link that came of it. */
import { Copy } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type AccountRole, ROLES } from "../../client/accounts";
import type { PeopleView } from "../../state/accounts";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Select, TextField } from "../../ui/Field";
import { useCopy } from "../../ui/useCopy";
import { dayAndTime } from "../format";
import styles from "./People.module.css";

export function InviteDialog({ invite, close }: { invite: (role: AccountRole, name: string) => void; close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [role, setRole] = useState<AccountRole>("host");
  const done = () => {
    invite(role, name.trim());
    close();
  };
  return (
    <Dialog
      isOpen
      onClose={close}
      title={t("accounts.inviteTitle")}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          <Button variant="primary" onPress={done}>
            {t("accounts.makeLink")}
          </Button>
        </>
      }
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          done();
        }}
      >
        <TextField label={t("accounts.inviteName")} hint={t("accounts.inviteNameHint")} value={name} onChange={setName} maxLength={64} autoComplete="off" autoFocus />
        <Select
          label={t("accounts.role")}
          choices={ROLES.map((id) => ({ id, name: t(`accounts.roles.${id}`) }))}
          value={role}
          placeholder={t("accounts.role")}
          onChange={(chosen) => setRole(ROLES.find((one) => one === chosen) ?? role)}
        />
        <p className={styles.hint}>{t(`accounts.roleHints.${role}`)}</p>
      </form>
    </Dialog>
  );
}

export function LinkDialog({ link, close }: { link: NonNullable<PeopleView["link"]>; close: () => void }) {
  const { t, i18n } = useTranslation();
  const [copied, copy] = useCopy();
  const name = link.for || t("accounts.somebody");
  return (
    <Dialog
      isOpen
      onClose={close}
      title={link.reset ? t("accounts.resetLinkTitle", { name }) : t("accounts.linkTitle", { name })}
      footer={
        <>
          <Button onPress={close}>{t("common.close")}</Button>
          <Button variant="primary" icon={<Copy aria-hidden="true" />} onPress={() => copy(link.url)} autoFocus>
            {copied === "copied" ? t("common.copied") : t("accounts.copyLink")}
          </Button>
        </>
      }
    >
      <div className={styles.form}>
        <TextField label={t("accounts.link")} value={link.url} isReadOnly hint={t("accounts.linkHint", { date: dayAndTime(link.expiresAt, i18n.language) })} />
        {copied === "failed" && <p role="alert">{t("common.copyFailed")}</p>}
      </div>
    </Dialog>
  );
}
