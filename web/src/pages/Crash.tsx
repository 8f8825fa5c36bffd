/** Catches what no page expected, says so, and offers to reload. */
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import styles from "./meeting/Out.module.css";

export class CrashBoundary extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override render() {
    return this.state.crashed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const { t } = useTranslation();
  return (
    <main className={styles.loading}>
      <div className={styles.out} role="alert">
        <h1 className={styles.title}>{t("crash.title")}</h1>
        <p className={styles.text}>{t("crash.text")}</p>
        <div className={styles.actions}>
          <Button variant="primary" size="l" onPress={() => location.reload()}>
            {t("crash.reload")}
          </Button>
        </div>
      </div>
    </main>
  );
}
