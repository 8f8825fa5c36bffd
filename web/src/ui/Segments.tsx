/** A few choices side by side, one of which holds. Knows not what they mean. */
import type { ReactNode } from "react";
import { Label, Radio, RadioGroup } from "react-aria-components";
import { cx } from "./cx";
import styles from "./Segments.module.css";

export interface Segment<T extends string> {
  id: T;
  name: string;
  icon?: ReactNode;
  /** Why it cannot be chosen. */
  hindrance?: string | undefined;
}

interface SegmentsProps<T extends string> {
  label: string;
  segments: readonly Segment<T>[];
  chosen: T;
  onChoose: (id: T) => void;
  className?: string | undefined;
}

export function Segments<T extends string>({ label, segments, chosen, onChoose, className }: SegmentsProps<T>) {
  return (
    <RadioGroup
      className={cx(styles.group, className)}
      orientation="horizontal"
      value={chosen}
      onChange={(id) => {
        const found = segments.find((segment) => segment.id === id);
        if (found) onChoose(found.id);
      }}
    >
      <Label className="visually-hidden">{label}</Label>
      {segments.map(({ id, name, icon, hindrance }) => (
        <Radio key={id} value={id} className={styles.segment ?? ""} isDisabled={hindrance !== undefined} {...(hindrance && { "aria-label": `${name}. ${hindrance}` })}>
          {icon}
          <span>{name}</span>
        </Radio>
      ))}
    </RadioGroup>
  );
}
