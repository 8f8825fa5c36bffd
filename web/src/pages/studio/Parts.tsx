/** What all pages of those who send have. */
import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { useRefusalText } from "../refusals";
import { follow, navigate } from "../router";
import styles from "./Studio.module.css";

export function ToList() {
  const { t } = useTranslation();
  return (
    <a className={styles.list} href="/broadcasts" onClick={follow}>
      {t("studio.leave")}
    </a>
  );
}

export function Failed({ refusal }: { refusal: { code: string; retryAfter: number | null } }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  return (
    <Page centred>
      <div className={styles.failed}>
        <span className={styles.failedIcon} aria-hidden="true">
          <CircleAlert />
        </span>
        <h1 className={styles.title}>{t("studio.loadFailed")}</h1>
        <p>{refusalText(refusal)}</p>
        <Button variant="primary" size="l" onPress={() => navigate("/broadcasts")}>
          {t("studio.leave")}
        </Button>
      </div>
    </Page>
  );
}
