/** An on-off rule with its explanation. Knows no meeting. */
import { Switch as AriaSwitch } from "react-aria-components";
import { useId } from "react";
import styles from "./Switch.module.css";

interface SwitchProps {
  label: string;
  hint?: string | undefined;
  isSelected: boolean;
  onChange: (on: boolean) => void;
  isDisabled?: boolean | undefined;
}

export function Switch({ label, hint, isSelected, onChange, isDisabled }: SwitchProps) {
  const hintId = useId();
  return (
    <AriaSwitch
      className={styles.switch ?? ""}
      isSelected={isSelected}
      onChange={onChange}
      isDisabled={isDisabled ?? false}
      aria-label={label}
      {...(hint ? { "aria-describedby": hintId } : {})}
    >
      <span className={styles.words}>
        <span className={styles.label}>{label}</span>
        {hint && (
          <span className={styles.hint} id={hintId}>
            {hint}
          </span>
        )}
      </span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.knob} />
      </span>
    </AriaSwitch>
  );
}
