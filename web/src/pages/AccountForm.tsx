/** The administrator's two forms: the first account, and signing in. */
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
const PASSWORD_MIN = 10;

export function SignIn({ send = signIn }: { send?: (account: Account) => Promise<Answer<void>> }) {
  const { t } = useTranslation();
  useTitle(`${t("account.signInPageTitle")} · ${t("app.title")}`);
  return <AccountForm creates={false} send={send} />;
}

export function Setup({ token = tokenOfAddress(), send = setUp }: { token?: string; send?: typeof setUp }) {
  const { t } = useTranslation();
  useTitle(`${t("account.setupPageTitle")} · ${t("app.title")}`);
  return <AccountForm creates send={(account) => send(account, token)} missingToken={token === ""} />;
}

/** The secret is in the fragment, which never reaches a server's log. */
function tokenOfAddress(): string {
  const fragment = location.hash.slice(1);
  return new URLSearchParams(fragment).get("token") ?? fragment;
}

interface AccountFormProps {
  creates: boolean;
  send: (account: Account) => Promise<Answer<void>>;
  missingToken?: boolean;
}

function AccountForm({ creates, send, missingToken }: AccountFormProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const [name, setName] = useState("");
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
          <h1 className={styles.title}>{creates ? t("account.setupTitle") : t("account.signInTitle")}</h1>
          <p className={styles.lead}>{creates ? t("account.setupLead") : t("account.signInLead")}</p>
        </div>
        {(refused ?? missingToken) && (
          <p className={styles.refused} role="alert">
            {refused ?? t("account.noToken")}
          </p>
        )}
        <TextField
          label={t("account.name")}
          value={name}
          onChange={setName}
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
          {creates ? t("account.create") : t("account.signIn")}
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
