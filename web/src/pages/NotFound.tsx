/** For an address that means nothing. */
import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import { Mark } from "../ui/Logo";
import { Page } from "../ui/Page";
import { useTitle } from "./format";
import styles from "./meeting/Out.module.css";
import { navigate } from "./router";

export function NotFound() {
  const { t } = useTranslation();
  useTitle(`${t("notFound.pageTitle")} · ${t("app.title")}`);
  return (
    <Page centred>
      <div className={styles.out}>
        <Mark className={styles.mark} />
        <h1 className={styles.title}>{t("notFound.title")}</h1>
        <p className={styles.text}>{t("notFound.text")}</p>
        <div className={styles.actions}>
          <Button variant="primary" size="l" onPress={() => navigate("/")}>
            {t("out.home")}
          </Button>
        </div>
      </div>
    </Page>
  );
}
