/** A name and a password: to sign in, or for an account that is made. */
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "../ui/Button";
import { TextField } from "../ui/Field";
import { Page } from "../ui/Page";
import styles from "./AccountForm.module.css";
import { useTitle } from "./format";
import { useRefusalText } from "./refusals";
import { type Account, type Answer, setUp, signIn } from "./requests";
import { navigate } from "./router";

/** As the server asks for. */
export const PASSWORD_MIN = 10;

export function SignIn({ send = signIn }: { send?: (account: Account) => Promise<Answer<void>> }) {
  const { t } = useTranslation();
  useTitle(`${t("account.signInPageTitle")} · ${t("app.title")}`);
  const words = { title: t("account.signInTitle"), lead: t("account.signInLead"), submit: t("account.signIn") };
  return <AccountForm creates={false} words={words} send={send} />;
}

export function Setup({ token = tokenOfAddress(), send = setUp }: { token?: string; send?: typeof setUp }) {
  const { t } = useTranslation();
  useTitle(`${t("account.setupPageTitle")} · ${t("app.title")}`);
  const words = { title: t("account.setupTitle"), lead: t("account.setupLead"), submit: t("account.create") };
  return <AccountForm creates words={words} send={(account) => send(account, token)} missingToken={token === ""} />;
}

/** The secret is in the fragment, which never reaches a server's log. */
export function tokenOfAddress(): string {
  const fragment = location.hash.slice(1);
  return new URLSearchParams(fragment).get("token") ?? fragment;
}

interface AccountFormProps {
  /** A password is chosen, not asked for. */
  creates: boolean;
  words: { title: string; lead: string; submit: string };
  /** What stands in the field of the name at first. */
  firstName?: string;
  /** The account has its name already. */
  fixedName?: string | undefined;
  send: (account: Account) => Promise<Answer<void>>;
  missingToken?: boolean;
}

export function AccountForm({ creates, words, firstName = "", fixedName, send, missingToken = false }: AccountFormProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const [name, setName] = useState(firstName);
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const [shown, setShown] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);

  const nameError = name.trim() ? undefined : t("account.nameMissing");
  const passwordError = creates
    ? Array.from(password).length >= PASSWORD_MIN
      ? undefined
      : t("account.tooShort")
    : password
      ? undefined
      : t("account.passwordMissing");
  const repeatError = creates && repeated !== password ? t("account.mismatch") : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (nameError || passwordError || repeatError || busy) return;
    setBusy(true);
    setRefused(null);
    const answer = await send({ name: name.trim(), password });
    setBusy(false);
    if (answer.ok) navigate("/");
    else setRefused(refusalText(answer));
  };
  const eye = (
    <IconButton
      label={shown ? t("account.hidePassword") : t("account.showPassword")}
      icon={shown ? <EyeOff /> : <Eye />}
      size="s"
      onPress={() => setShown(!shown)}
    />
  );

  return (
    <Page centred>
      <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
        <div>
          <h1 className={styles.title}>{words.title}</h1>
          <p className={styles.lead}>{words.lead}</p>
        </div>
        {(refused !== null || missingToken) && (
          <p className={styles.refused} role="alert">
            {refused ?? t("account.noToken")}
          </p>
        )}
        <TextField
          label={t("account.name")}
          value={name}
          onChange={setName}
          isReadOnly={fixedName !== undefined}
          autoComplete="username"
          name="username"
          error={tried ? nameError : undefined}
          size="l"
        />
        <TextField
          label={t("account.password")}
          type={shown ? "text" : "password"}
          value={password}
          onChange={setPassword}
          autoComplete={creates ? "new-password" : "current-password"}
          name="password"
          hint={creates ? t("account.passwordHint") : undefined}
          error={tried ? passwordError : undefined}
          action={eye}
          size="l"
        />
        {creates && (
          <TextField
            label={t("account.repeat")}
            type={shown ? "text" : "password"}
            value={repeated}
            onChange={setRepeated}
            autoComplete="new-password"
            name="repeat"
            error={tried ? repeatError : undefined}
            size="l"
          />
        )}
        <Button type="submit" variant="primary" size="l" wide isPending={busy}>
          {words.submit}
        </Button>
        {!creates && (
          <Button variant="quiet" wide onPress={() => navigate("/")}>
            {t("account.joinInstead")}
          </Button>
        )}
      </form>
    </Page>
  );
}
