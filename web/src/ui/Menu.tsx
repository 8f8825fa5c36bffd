/** A menu that opens from a button. Knows no meeting. */
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import {
  Header,
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  MenuTrigger,
  Popover,
  type PopoverProps,
  Separator,
} from "react-aria-components";
import { cx } from "./cx";
import styles from "./Menu.module.css";

interface MenuProps {
  label: string;
  /** The button that opens it. */
  trigger: ReactElement;
  placement?: PopoverProps["placement"];
  children: ReactNode;
}

export function Menu({ label, trigger, placement = "bottom end", children }: MenuProps) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles.popover ?? ""} placement={placement} offset={8}>
        <AriaMenu aria-label={label} className={styles.menu ?? ""}>
          {children}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

interface MenuItemProps {
  icon?: ReactNode;
  onAction: () => void;
  tone?: "danger" | undefined;
  isDisabled?: boolean | undefined;
  /** Why it is disabled, or what it does beyond its name. */
  note?: string | undefined;
  children: string;
}

export function MenuItem({ icon, onAction, tone, isDisabled, note, children }: MenuItemProps) {
  return (
    <AriaMenuItem
      onAction={onAction}
      isDisabled={isDisabled ?? false}
      textValue={children}
      className={cx(styles.item, tone === "danger" && styles.danger)}
    >
      {icon}
      <span className={styles.words}>
        {children}
        {note && <span className={styles.note}>{note}</span>}
      </span>
    </AriaMenuItem>
  );
}

interface MenuChoiceProps<T extends string> {
  title: string;
  choices: readonly { id: T; name: string }[];
  chosen: T | null;
  onChoose: (id: T) => void;
}

/** Several of which one is chosen. */
export function MenuChoice<T extends string>({ title, choices, chosen, onChoose }: MenuChoiceProps<T>) {
  return (
    <AriaMenuSection
      className={styles.group ?? ""}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={chosen === null ? [] : [chosen]}
      onSelectionChange={(keys) => {
        const found = choices.find((choice) => keys !== "all" && keys.has(choice.id));
        if (found) onChoose(found.id);
      }}
    >
      <Header className={styles.title ?? ""}>{title}</Header>
      {choices.map((choice) => (
        <AriaMenuItem key={choice.id} id={choice.id} textValue={choice.name} className={styles.item ?? ""}>
          {({ isSelected }) => (
            <>
              {isSelected ? <Check aria-hidden="true" /> : <span className={styles.gap} />}
              <span className={styles.words}>{choice.name}</span>
            </>
          )}
        </AriaMenuItem>
      ))}
    </AriaMenuSection>
  );
}

export function MenuLine() {
  return <Separator className={styles.line ?? ""} />;
}
