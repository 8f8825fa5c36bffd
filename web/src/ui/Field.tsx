/** A line of text to fill in, and a choice from a list. Knows no meeting. */
import { Check, ChevronDown } from "lucide-react";
import type { HTMLAttributes, ReactNode } from "react";
import {
  Button,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select as AriaSelect,
  SelectValue,
  Text,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
} from "react-aria-components";
import { cx } from "./cx";
import styles from "./Field.module.css";

interface TextFieldProps extends Omit<AriaTextFieldProps, "className" | "children"> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  placeholder?: string | undefined;
  inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
  /** Stands inside the field, at its end. */
  action?: ReactNode;
  size?: "m" | "l" | undefined;
  /** The label is for screen readers only. */
  labelHidden?: boolean | undefined;
  className?: string | undefined;
}

export function TextField(props: TextFieldProps) {
  const { label, hint, error, placeholder, action, size = "m", labelHidden, className, ...rest } = props;
  return (
    <AriaTextField {...rest} isInvalid={Boolean(error)} className={cx(styles.field, className)}>
      <Label className={labelHidden ? "visually-hidden" : styles.label}>{label}</Label>
      <div className={cx(styles.box, size === "l" && styles.large)}>
        <Input className={styles.input ?? ""} placeholder={placeholder ?? ""} />
        {action}
      </div>
      {hint && (
        <Text slot="description" className={styles.hint ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={styles.error ?? ""}>{error}</FieldError>
    </AriaTextField>
  );
}

export interface Choice {
  id: string;
  name: string;
}

interface SelectProps {
  label: string;
  labelHidden?: boolean | undefined;
  icon?: ReactNode;
  choices: readonly Choice[];
  value: string | null;
  onChange: (id: string) => void;
  /** Shown while nothing is chosen or there is nothing to choose. */
  placeholder: string;
  isDisabled?: boolean | undefined;
  className?: string | undefined;
}

export function Select(props: SelectProps) {
  const { label, labelHidden, icon, choices, value, onChange, placeholder, isDisabled, className } = props;
  return (
    <AriaSelect
      className={cx(styles.field, className)}
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
      placeholder={placeholder}
      isDisabled={isDisabled ?? choices.length === 0}
    >
      <Label className={labelHidden ? "visually-hidden" : styles.label}>{label}</Label>
      <Button className={styles.select ?? ""}>
        {icon}
        <SelectValue className={styles.value ?? ""}>{({ isPlaceholder, selectedText, defaultChildren }) => (isPlaceholder ? defaultChildren : selectedText)}</SelectValue>
        <ChevronDown aria-hidden="true" className={styles.chevron} />
      </Button>
      <Popover className={styles.popover ?? ""} offset={6}>
        <ListBox className={styles.list ?? ""} items={choices}>
          {(choice: Choice) => (
            <ListBoxItem className={styles.option ?? ""} textValue={choice.name}>
              <span className={styles.optionName}>{choice.name}</span>
              <Check aria-hidden="true" className={styles.check} />
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
