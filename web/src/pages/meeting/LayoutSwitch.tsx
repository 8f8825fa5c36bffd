/** Grid or speaker, in one press. */
import { LayoutGrid, RectangleHorizontal } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../ui/Button";
import { useScreen } from "./context";
import styles from "./MeetingBar.module.css";

/** Shows what a press would change to. */
export function LayoutSwitch() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const next = view.layout.mode === "grid" ? "speaker" : "grid";
  return (
    <IconButton
      label={`${t("meeting.view")}: ${t(`meeting.layout.${next}`)}`}
      icon={next === "grid" ? <LayoutGrid /> : <RectangleHorizontal />}
      placement="bottom"
      onPress={() => actions.setLayout(next)}
      className={styles.layout}
    />
  );
}
