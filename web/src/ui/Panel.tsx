/** A panel beside the stage; on a phone it covers the page. Knows no meeting. */
import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import styles from "./Panel.module.css";

interface SidePanelProps {
  title: string;
  onClose: () => void;
  /** Beside the title. */
  actions?: ReactNode;
  footer?: ReactNode;
  children: ReactNode;
}

export function SidePanel({ title, onClose, actions, footer, children }: SidePanelProps) {
  const { t } = useTranslation();
  const id = useId();
  const panel = useRef<HTMLElement>(null);

  // Focus goes into the panel when it opens and back to where it was when it closes.
  useEffect(() => {
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const element = panel.current;
    element?.focus({ preventScroll: true });
    return () => {
      if (before?.isConnected && (!document.activeElement || document.activeElement === document.body)) before.focus();
    };
  }, []);

  return (
    <aside
      ref={panel}
      tabIndex={-1}
      className={styles.panel}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      <header className={styles.header}>
        <h2 id={id} className={styles.title}>
          {title}
        </h2>
        {actions}
        <IconButton label={t("common.closePanel")} icon={<X />} size="s" onPress={onClose} />
      </header>
      <div className={styles.body}>{children}</div>
      {footer && <div className={styles.footer}>{footer}</div>}
    </aside>
  );
}

/** What stands where there is nothing yet. */
export function EmptyState({ icon, title, children }: { icon: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <span className={styles.emptyIcon} aria-hidden="true">
        {icon}
      </span>
      <p className={styles.emptyTitle}>{title}</p>
      {children && <div className={styles.emptyText}>{children}</div>}
    </div>
  );
}
