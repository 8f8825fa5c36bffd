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

export default function InvitationPage({ open = openInvitation, accept = acceptInvitation }: InvitationProps) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  const [token] = useState(tokenOfAddress);
  const [found, setFound] = useState<Answer<OpenedInvitation> | null>(null);
  useTitle(`${t("accounts.invitationPageTitle")} · ${t("app.title")}`);
  useEffect(() => {
    // The secret is not left in the address, which people copy and browsers remember.
    history.replaceState(null, "", location.pathname);
    void answer(open(token)).then(setFound);
  }, [open, token]);
  if (!found) return <Page centred>{null}</Page>;
  if (!found.ok) {
    return (
      <Page centred>
        <div className={formStyles.form}>
          <h1 className={formStyles.title}>{t("accounts.closedTitle")}</h1>
          <p className={formStyles.lead}>{refusalText(found)}</p>
          <Button variant="primary" size="l" wide onPress={() => navigate("/")}>
            {t("out.home")}
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
