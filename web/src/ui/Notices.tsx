/** Short messages that come and go, and the live region that speaks them. Knows no meeting. */
import { X } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import { cx } from "./cx";
import styles from "./Notices.module.css";

export interface NoticeProps {
  icon?: ReactNode;
  tone?: "neutral" | "warn" | "danger" | undefined;
  /** Buttons that answer it. */
  actions?: ReactNode;
  onDismiss?: (() => void) | undefined;
  /** Goes by itself after so many milliseconds. */
  timeout?: number | undefined;
  children: ReactNode;
}

export function Notice({ icon, tone = "neutral", actions, onDismiss, timeout, children }: NoticeProps) {
  const { t } = useTranslation();
  useEffect(() => {
    if (timeout === undefined || !onDismiss) return;
    const timer = setTimeout(onDismiss, timeout);
    return () => clearTimeout(timer);
  }, [timeout, onDismiss]);
  return (
    <div className={cx(styles.notice, styles[tone])}>
      {icon && (
        <span className={styles.icon} aria-hidden="true">
          {icon}
        </span>
      )}
      <div className={styles.text}>{children}</div>
      {actions && <div className={styles.actions}>{actions}</div>}
      {onDismiss && <IconButton label={t("common.dismiss")} icon={<X />} size="s" onPress={onDismiss} />}
    </div>
  );
}

/** Where notices stand: out of the way of the controls, never over a dialog. */
export function NoticeStack({ children }: { children: ReactNode }) {
  return <div className={styles.stack}>{children}</div>;
}

/** Speaks its text to screen readers when it changes. Must be on the page before the text comes. */
export function Announcer({ text, urgent }: { text: string; urgent?: boolean | undefined }) {
  return (
    <div className="visually-hidden" role={urgent ? "alert" : "status"} aria-live={urgent ? "assertive" : "polite"}>
      {text}
    </div>
  );
}

/** A line across the top while something is wrong. */
export function Banner({ icon, tone = "warn", action, children }: { icon?: ReactNode; tone?: "warn" | "danger"; action?: ReactNode; children: ReactNode }) {
  return (
    <div className={cx(styles.banner, styles[tone])} role="status">
      {icon && (
        <span className={styles.icon} aria-hidden="true">
          {icon}
        </span>
      )}
      <span>{children}</span>
      {action}
    </div>
  );
}
