/** What somebody signed in sees and changes of himself: his password, and where he is signed in. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { changePassword, endSignIn, type SignIn, signIns } from "../../client/accounts";
import { me, type Me } from "../../client/rest";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { PASSWORD_MIN } from "../AccountForm";
import { dayAndTime, useTitle } from "../format";
import lists from "../List.module.css";
import { Refused } from "../Refused";
import refusedStyles from "../Refused.module.css";
import { useRefusalText } from "../refusals";
import { type Answer, answer } from "../requests";
import styles from "./People.module.css";

export interface AccountParts {
  me: () => Promise<Me>;
  list: typeof signIns;
  end: typeof endSignIn;
  change: typeof changePassword;
}

const BROWSER_PARTS: AccountParts = { me: () => me(), list: signIns, end: endSignIn, change: changePassword };

const load = (parts: AccountParts): Promise<Answer<[Me, SignIn[]]>> => answer(Promise.all([parts.me(), parts.list()]));

export default function AccountPage({ parts = BROWSER_PARTS }: { parts?: AccountParts }) {
  const { t } = useTranslation();
  const [who, setWho] = useState<Me | null>(null);
  const [list, setList] = useState<readonly SignIn[]>([]);
  const [refused, setRefused] = useState<Extract<Answer<unknown>, { ok: false }> | null>(null);
  useTitle(`${t("accounts.ownPageTitle")} · ${t("app.title")}`);

  const show = (found: Answer<[Me, SignIn[]]>) => {
    setRefused(found.ok ? null : found);
    if (!found.ok) return;
    setWho(found.value[0]);
    setList(found.value[1]);
  };
  const read = () => void load(parts).then(show);
  useEffect(() => {
    void load(parts).then(show);
  }, [parts]);

  const end = async (id: number) => {
    const done = await answer(parts.end(id));
    if (done.ok) read();
    else setRefused(done);
  };
  return (
    <Page>
      <div className={lists.page}>
        <div>
          <h1 className={lists.title}>{who?.name ?? t("accounts.ownTitle")}</h1>
          {who?.role && <p className={lists.facts}>{t(`accounts.roles.${who.role}`)}</p>}
        </div>
        {refused && <Refused why={refused} signIn={t("accounts.ownSignInNeeded")} />}
        {who && (
          <>
            <section className={styles.section}>
              <h2 className={styles.subtitle}>{t("accounts.signIns")}</h2>
              <ul className={lists.list} aria-label={t("accounts.signIns")}>
                {list.map((one) => (
                  <li key={one.id}>
                    <Place one={one} onEnd={() => void end(one.id)} />
                  </li>
                ))}
              </ul>
            </section>
            <Password change={parts.change} changed={read} />
          </>
        )}
      </div>
    </Page>
  );
}

function Place({ one, onEnd }: { one: SignIn; onEnd: () => void }) {
  const { t, i18n } = useTranslation();
  const device = one.device || t("accounts.unknownDevice");
  return (
    <article className={lists.item}>
      <div className={lists.words}>
        <h3 className={lists.name}>{device}</h3>
        <p className={lists.facts}>
          {one.current && <Badge tone="accent">{t("accounts.thisBrowser")}</Badge>}
          <span>{t("accounts.signedInAt", { date: dayAndTime(one.created_at, i18n.language) })}</span>
          <span>{t("accounts.seen", { date: dayAndTime(one.seen_at, i18n.language) })}</span>
        </p>
      </div>
      {!one.current && (
        <Button variant="quiet" onPress={onEnd} aria-label={t("accounts.endOf", { device })}>
          {t("accounts.end")}
        </Button>
      )}
    </article>
  );
}

function Password({ change, changed }: { change: AccountParts["change"]; changed: () => void }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const [old, setOld] = useState("");
  const [wanted, setWanted] = useState("");
  const [state, setState] = useState<{ kind: "idle" | "tried" | "busy" | "done" } | { kind: "refused"; why: string }>({ kind: "idle" });
  const short = Array.from(wanted).length < PASSWORD_MIN;
  const tried = state.kind === "tried";
  const submit = async () => {
    if (!old || short) {
      setState({ kind: "tried" });
      return;
    }
    setState({ kind: "busy" });
    const done = await answer(change(old, wanted));
    if (!done.ok) {
      setState({ kind: "refused", why: done.code === "wrong-name-or-password" ? t("accounts.wrongOld") : refusalText(done) });
      return;
    }
    setOld("");
    setWanted("");
    setState({ kind: "done" });
    changed();
  };
  return (
    <section className={styles.section}>
      <h2 className={styles.subtitle}>{t("accounts.passwordTitle")}</h2>
      <form
        className={`${styles.form} ${styles.narrow}`}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField label={t("accounts.oldPassword")} type="password" autoComplete="current-password" value={old} onChange={setOld} error={tried && !old ? t("account.passwordMissing") : undefined} />
        <TextField
          label={t("accounts.newPassword")}
          type="password"
          autoComplete="new-password"
          hint={t("accounts.newPasswordHint")}
          value={wanted}
          onChange={setWanted}
          error={tried && short ? t("account.tooShort") : undefined}
        />
        {state.kind === "refused" && (
          <p className={refusedStyles.refused} role="alert">
            {state.why}
          </p>
        )}
        {state.kind === "done" && (
          <p className={styles.done} role="status">
            {t("accounts.passwordChanged")}
          </p>
        )}
        <div>
          <Button type="submit" isPending={state.kind === "busy"}>
            {t("accounts.changePassword")}
          </Button>
        </div>
      </form>
    </section>
  );
}
