/** Buttons: with words, with an icon alone, and those that stay pressed. Knows no meeting. */
import type { ReactNode } from "react";
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  ToggleButton as AriaToggleButton,
  type ToggleButtonProps as AriaToggleButtonProps,
  Tooltip,
  TooltipTrigger,
  type TooltipProps,
} from "react-aria-components";
import { cx } from "./cx";
import styles from "./Button.module.css";

export type ButtonVariant = "primary" | "secondary" | "quiet" | "danger" | "danger-quiet" | "over-video";
export type ButtonSize = "s" | "m" | "l";

interface ButtonProps extends Omit<AriaButtonProps, "children" | "className"> {
  variant?: ButtonVariant | undefined;
  size?: ButtonSize | undefined;
  icon?: ReactNode;
  /** Fills the width it is given. */
  wide?: boolean | undefined;
  className?: string | undefined;
  children: ReactNode;
}

export function Button({ variant = "secondary", size = "m", icon, wide, className, children, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} className={cx(styles.button, styles[variant], styles[size], wide && styles.wide, className)}>
      {rest.isPending ? <span className={styles.spinner} aria-hidden="true" /> : icon}
      <span className={styles.words}>{children}</span>
    </AriaButton>
  );
}

interface IconButtonProps extends Omit<AriaButtonProps, "children" | "className" | "aria-label"> {
  /** Its name, also shown as the tooltip. */
  label: string;
  icon: ReactNode;
  variant?: ButtonVariant | undefined;
  size?: ButtonSize | undefined;
  round?: boolean | undefined;
  placement?: TooltipProps["placement"];
  className?: string | undefined;
  children?: ReactNode;
}

export function IconButton(props: IconButtonProps) {
  const { label, icon, variant = "quiet", size = "m", round, placement, className, children, ...rest } = props;
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      <AriaButton
        {...rest}
        aria-label={label}
        className={cx(styles.button, styles.icon, styles[variant], styles[size], round && styles.round, className)}
      >
        {icon}
        {children}
      </AriaButton>
      <Tip placement={placement}>{label}</Tip>
    </TooltipTrigger>
  );
}

interface ToggleIconButtonProps extends Omit<AriaToggleButtonProps, "children" | "className" | "aria-label"> {
  label: string;
  icon: ReactNode;
  size?: ButtonSize | undefined;
  /** How it looks while it is pressed. */
  tone?: "accent" | "hand" | undefined;
  placement?: TooltipProps["placement"];
  className?: string | undefined;
  children?: ReactNode;
}

export function ToggleIconButton(props: ToggleIconButtonProps) {
  const { label, icon, size = "m", tone = "accent", placement, className, children, ...rest } = props;
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      <AriaToggleButton
        {...rest}
        aria-label={label}
        className={cx(styles.button, styles.icon, styles.toggle, styles[size], styles[`tone-${tone}`], className)}
      >
        {icon}
        {children}
      </AriaToggleButton>
      <Tip placement={placement}>{label}</Tip>
    </TooltipTrigger>
  );
}

export function Tip({ placement = "top", children }: { placement?: TooltipProps["placement"]; children: ReactNode }) {
  return (
    <Tooltip placement={placement} offset={8} className={styles.tip ?? ""}>
      {children}
    </Tooltip>
  );
}
