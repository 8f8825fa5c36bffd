/** The frame of pages outside a meeting: a bar above, the content, room around it. Knows no page. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { cx } from "./cx";
import { Logo } from "./Logo";
import styles from "./Page.module.css";
import { Preferences } from "./Preferences";

interface PageProps {
  children: ReactNode;
  /** In the bar, before language and appearance. */
  actions?: ReactNode;
  /** Centred in the room there is, as a form or a message wants it. */
  centred?: boolean | undefined;
}

export function Page({ children, actions, centred }: PageProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.page}>
      <header className={styles.bar}>
        <a href="/" className={styles.home}>
          <Logo />
          <span className="visually-hidden">{t("app.home")}</span>
        </a>
        <div className={styles.actions}>
          {actions}
          <Preferences />
        </div>
      </header>
      <main tabIndex={-1} className={cx(styles.main, centred && styles.centred)}>{children}</main>
    </div>
  );
}
