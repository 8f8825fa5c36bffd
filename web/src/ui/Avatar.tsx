/** A person's initials on a colour of their own. Knows no meeting. */
import { cx } from "./cx";
import styles from "./Avatar.module.css";

interface AvatarProps {
  initials: string;
  /** 0 to 11. */
  hue: number;
  size?: "s" | "m" | "fill" | undefined;
}

/** Decoration: the name stands beside it, or in the label around it. */
export function Avatar({ initials, hue, size = "m" }: AvatarProps) {
  return (
    <span className={cx(styles.avatar, styles[size], styles[`hue${hue % 12}`])} aria-hidden="true">
      {initials}
    </span>
  );
}
