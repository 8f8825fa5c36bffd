/** A row of controls that the arrow keys walk through, and a button that shows a state with its choice beside it. */
import { ChevronUp } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { Button as AriaButton, Toolbar as AriaToolbar, TooltipTrigger } from "react-aria-components";
import { Tip } from "./Button";
import { cx } from "./cx";
import { Menu } from "./Menu";
import styles from "./Toolbar.module.css";

export function Toolbar({ label, className, children }: { label: string; className?: string | undefined; children: ReactNode }) {
  return (
    <AriaToolbar aria-label={label} className={cx(styles.toolbar, className)}>
      {children}
    </AriaToolbar>
  );
}

interface ControlProps {
  /** What pressing it does now; the tooltip, too. */
  label: string;
  icon: ReactNode;
  onPress: () => void;
  /** `off` is a microphone that is muted, `active` a hand that is up or a panel that is open. */
  tone?: "normal" | "off" | "active" | "hand" | "danger" | undefined;
  busy?: boolean | undefined;
  /** Why it does nothing now: it stays reachable and says so. */
  hindrance?: string | undefined;
  /** State of a button that opens or holds something. */
  pressed?: boolean | undefined;
  badge?: ReactNode;
  /** Something went wrong with it. */
  alert?: boolean | undefined;
  /** A word beside the icon where there is room. */
  word?: string | undefined;
  className?: string | undefined;
}

export function Control(props: ControlProps) {
  const { label, icon, onPress, tone = "normal", busy, hindrance, pressed, badge, alert, word, className } = props;
  return (
    <TooltipTrigger delay={400} closeDelay={0}>
      <AriaButton
        aria-label={hindrance ? `${label}. ${hindrance}` : label}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        aria-disabled={hindrance ? true : undefined}
        onPress={hindrance ? () => undefined : onPress}
        isPending={busy ?? false}
        className={cx(styles.control, styles[tone], hindrance && styles.hindered, word && styles.worded, className)}
      >
        {icon}
        {word && <span className={styles.word}>{word}</span>}
        {badge}
        {alert && <span className={styles.alert} aria-hidden="true" />}
      </AriaButton>
      <Tip>{hindrance ?? label}</Tip>
    </TooltipTrigger>
  );
}

interface SplitControlProps extends ControlProps {
  menuLabel: string;
  /** What the menu holds. */
  menu: ReactNode;
}

/** A control with a small button beside it that opens a menu. */
export function SplitControl({ menuLabel, menu, className, ...control }: SplitControlProps): ReactElement {
  return (
    <div className={cx(styles.split, className)}>
      <Control {...control} />
      <Menu
        label={menuLabel}
        placement="top"
        trigger={
          <AriaButton aria-label={menuLabel} className={cx(styles.control, styles.arrow, control.tone === "off" && styles.off)}>
            <ChevronUp />
          </AriaButton>
        }
      >
        {menu}
      </Menu>
    </div>
  );
}
