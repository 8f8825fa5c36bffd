/** Which keys the replay page knows. */
import { useTranslation } from "react-i18next";
import { Dialog } from "../../ui/Dialog";
import { KeyList, type KeyRow } from "../../ui/KeyList";

export function ReplayShortcuts({ live, close }: { live: boolean; close: () => void }) {
  const { t } = useTranslation();
  const rows: KeyRow[] = [
    [[t("shortcuts.space"), "K"], t("replay.shortcuts.play")],
    [["J", "L"], t("replay.shortcuts.skip")],
    [["←", "→"], t("replay.shortcuts.step")],
    [["P", "N"], t("replay.shortcuts.chapter")],
    [["<", ">"], t("replay.shortcuts.speed")],
    [["↑", "↓"], t("replay.shortcuts.volume")],
    [["M"], t("replay.shortcuts.mute")],
    [["V"], t("replay.shortcuts.layout")],
    [["F"], t("replay.shortcuts.fullScreen")],
    ...(live ? [[["G"], t("replay.goLive")] satisfies KeyRow] : []),
    [["?"], t("replay.shortcuts.help")],
  ];
  return (
    <Dialog isOpen onClose={close} title={t("shortcuts.title")} isText>
      <KeyList rows={rows} />
    </Dialog>
  );
}
