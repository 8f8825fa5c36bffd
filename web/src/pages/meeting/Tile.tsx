/** One tile of the meeting: puts what the view says into words and marks. */
import { MoreHorizontal, Pin, Star } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { TileView } from "../../state/types";
import { IconButton } from "../../ui/Button";
import { Menu } from "../../ui/Menu";
import { SignalBars } from "../../ui/SignalBars";
import { VideoTile } from "../../ui/VideoTile";
import { useScreen } from "./context";
import { PersonItems } from "./PersonMenu";
import { useTileLabel } from "./tileLabel";

export function Tile({ tile, small }: { tile: TileView; small?: boolean }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const label = useTileLabel();
  const person = view.people.find((other) => other.id === tile.participant);
  const screen = tile.source === "screen";
  const name = screen
    ? tile.you
      ? t("tile.yourScreen")
      : t("tile.screenOf", { name: tile.name })
    : tile.you
      ? t("common.nameAndYou", { name: tile.name })
      : tile.name;
  const { picture } = tile;
  const note = !tile.connected ? t("tile.awayText") : picture.kind === "paused" ? t(`tile.paused.${picture.reason}`) : undefined;
  return (
    <VideoTile
      label={label(tile)}
      name={name}
      initials={tile.initials}
      hue={tile.hue}
      stream={picture.kind === "video" ? picture.stream : null}
      loading={picture.kind === "loading"}
      mirrored={tile.mirrored}
      fit={screen ? "contain" : "cover"}
      speaking={tile.speaking}
      muted={!screen && !tile.microphone}
      hand={!screen && tile.handRaised}
      note={note}
      onSeen={(height) => actions.tileSeen(tile.key, height)}
      marks={
        <>
          {tile.spotlight && <Star />}
          {tile.pinned && <Pin />}
          {tile.quality === "fair" && <SignalBars bars={2} />}
          {tile.quality === "poor" && <SignalBars bars={1} />}
        </>
      }
      actions={
        !small &&
        person &&
        person.actions.length > 0 && (
          <Menu
            label={t("tile.menu", { name: tile.name })}
            trigger={<IconButton label={t("tile.menu", { name: tile.name })} icon={<MoreHorizontal />} variant="over-video" size="s" />}
          >
            <PersonItems person={person} />
          </Menu>
        )
      }
    />
  );
}
