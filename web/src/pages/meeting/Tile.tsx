/** One tile of the meeting: puts what the view says into words and marks. */
import { MoreHorizontal, Pin, Star } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { TileView } from "../../state/types";
import { IconButton } from "../../ui/Button";
import { Menu } from "../../ui/Menu";
import { VideoTile } from "../../ui/VideoTile";
import { rateWords } from "../figures";
import { useScreen } from "./context";
import { PersonItems } from "./PersonMenu";
import { Signal } from "./Signal";
import { useTileLabel } from "./tileLabel";

export function Tile({ tile, small }: { tile: TileView; small?: boolean }) {
  const { t, i18n } = useTranslation();
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
  const { cause } = tile.connection;
  const carries = cause?.whose === "you" && cause.cause.kind === "thin" ? rateWords(cause.cause.kbps, t, i18n.language) : null;
  const why = picture.kind !== "paused" ? undefined : picture.reason === "bandwidth" && carries ? t("network.paused", { rate: carries }) : t(`tile.paused.${picture.reason}`);
  const note = tile.connected ? why : t("tile.awayText");
  return (
    <VideoTile
      label={label(tile)}
      name={name}
      tileKey={tile.key}
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
        </>
      }
      corner={<Signal tile={tile} />}
      actions={
        !small &&
        person && (
          <Menu
            label={t("tile.menu", { name: tile.name })}
            trigger={<IconButton label={t("tile.menu", { name: tile.name })} icon={<MoreHorizontal />} variant="over-video" size="s" />}
          >
            <PersonItems person={person} source={tile.source} />
          </Menu>
        )
      }
    />
  );
}
