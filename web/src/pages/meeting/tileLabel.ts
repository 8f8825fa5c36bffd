/** All that can be seen on a tile as one phrase: "Ana, muted, hand raised". */
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { TileView } from "../../state/types";

export function tileLabel(tile: TileView, t: TFunction): string {
  if (tile.source === "screen") return tile.you ? t("tile.yourScreen") : t("tile.screenOf", { name: tile.name });
  const parts = [tile.you ? t("common.nameAndYou", { name: tile.name }) : tile.name];
  if (tile.role === "host" || tile.role === "co-host") parts.push(t(`role.${tile.role}`));
  if (!tile.connected) parts.push(t("tile.away"));
  // Who speaks changes too often for a name: the ring shows it, the panel of people says it.
  if (!tile.microphone) parts.push(t("tile.muted"));
  if (tile.handRaised) parts.push(t("tile.handRaised"));
  if (tile.picture.kind === "off") parts.push(t("tile.cameraOff"));
  if (tile.picture.kind === "loading") parts.push(t("tile.loading"));
  if (tile.picture.kind === "paused") parts.push(t(`tile.paused.${tile.picture.reason}`));
  if (tile.spotlight) parts.push(t("tile.spotlight"));
  if (tile.pinned) parts.push(t("tile.pinned"));
  if (tile.connection.quality !== "good") parts.push(t(`network.sentence.${tile.connection.quality}`).toLowerCase());
  return parts.join(t("common.separator"));
}

export function useTileLabel(): (tile: TileView) => string {
  const { t } = useTranslation();
  return (tile) => tileLabel(tile, t);
}
