/** Grid or speaker, in one press. */
import { LayoutGrid, LayoutPanelTop } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "../../ui/Button";
import { useScreen } from "./context";

/** Shows what a press would change to. */
export function LayoutSwitch() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const next = view.layout.mode === "grid" ? "speaker" : "grid";
  return (
    <IconButton
      label={`${t("meeting.view")}: ${t(`meeting.layout.${next}`)}`}
      icon={next === "grid" ? <LayoutGrid /> : <LayoutPanelTop />}
      placement="bottom"
      onPress={() => actions.setLayout(next)}
    />
  );
}
