/** Where a one-time link leads: a new account, or a new password. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { acceptInvitation, type OpenedInvitation, openInvitation } from "../../client/accounts";
import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { AccountForm, tokenOfAddress } from "../AccountForm";
import formStyles from "../AccountForm.module.css";
import { useTitle } from "../format";
import { useRefusalText } from "../refusals";
import { type Answer, answer } from "../requests";
import { navigate } from "../router";

interface InvitationProps {
  open?: typeof openInvitation;
  accept?: typeof acceptInvitation;
}

/** For good; everything else passes. */
const isClosed = ({ code }: { code: string }) => code === "invitation-closed";

export default function InvitationPage({ open = openInvitation, accept = acceptInvitation }: InvitationProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const [token] = useState(tokenOfAddress);
  const [found, setFound] = useState<Answer<OpenedInvitation> | null>(null);
  const [tries, setTries] = useState(0);
  useTitle(`${t("accounts.invitationPageTitle")} · ${t("app.title")}`);
  useEffect(() => {
    void answer(open(token)).then((said) => {
      // The secret is not left in the address, which people copy and browsers remember; but a page that got no answer is
      // opened anew with it.
      if (said.ok || isClosed(said)) history.replaceState(null, "", location.pathname);
      setFound(said);
    });
  }, [open, token, tries]);
  if (!found) return <Page centred>{null}</Page>;
  if (!found.ok) {
    const closed = isClosed(found);
    return (
      <Page centred>
        <div className={formStyles.form}>
          <div role="alert">
            <h1 className={formStyles.title}>{closed ? t("accounts.closedTitle") : t("accounts.notOpenedTitle")}</h1>
            <p className={formStyles.lead}>{refusalText(found)}</p>
          </div>
          <Button
            variant="primary"
            size="l"
            wide
            onPress={() => {
              if (closed) navigate("/");
              else setTries(tries + 1);
            }}
          >
            {closed ? t("out.home") : t("common.tryAgain")}
          </Button>
        </div>
      </Page>
    );
  }
  const { reset, role, name } = found.value;
  return (
    <AccountForm
      creates
      fixedName={reset ? name : undefined}
      firstName={name}
      words={{
        title: reset ? t("accounts.newPasswordTitle") : t("accounts.welcomeTitle"),
        lead: reset ? t("accounts.resetLead") : t(`accounts.welcomeLead.${role}`),
        submit: reset ? t("accounts.resetSubmit") : t("accounts.welcomeSubmit"),
      }}
      send={(account) => answer(accept(token, account.name, account.password))}
    />
  );
}
