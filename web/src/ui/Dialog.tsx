/** A dialog over the page, and one that asks before something that cannot be undone. Knows no meeting. */
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./Button";
import { cx } from "./cx";
import styles from "./Dialog.module.css";

interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the foot. */
  footer?: ReactNode;
  size?: "s" | "m" | "l" | undefined;
  role?: "dialog" | "alertdialog" | undefined;
  /** Longer than the page with nothing in it that takes the focus: then the text itself does, for the arrow keys. */
  isText?: boolean | undefined;
}

export function Dialog({ title, isOpen, onClose, children, footer, size = "m", role = "dialog", isText }: DialogProps) {
  const { t } = useTranslation();
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable={role === "dialog"}
      className={styles.overlay ?? ""}
    >
      <Modal className={cx(styles.modal, styles[size])}>
        <AriaDialog role={role} className={styles.dialog ?? ""}>
          <header className={styles.header}>
            <Heading slot="title" className={styles.title ?? ""}>
              {title}
            </Heading>
            {role === "dialog" && <IconButton label={t("common.close")} icon={<X />} size="s" onPress={onClose} />}
          </header>
          <div className={styles.body} {...(isText && { tabIndex: 0, role: "region", "aria-label": title })}>
            {children}
          </div>
          {footer && <footer className={styles.footer}>{footer}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  /** What the button does, as a verb. */
  action: string;
  children: ReactNode;
}

export function ConfirmDialog({ title, isOpen, onClose, onConfirm, action, children }: ConfirmProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      size="s"
      role="alertdialog"
      footer={
        <>
          <Button onPress={onClose} autoFocus>
            {t("common.cancel")}
          </Button>
          <Button
            variant="danger"
            onPress={() => {
              onConfirm();
              onClose();
            }}
          >
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
