/** The pictures of a recording: a grid with pages, or large ones with the others beside them. */
import { ChevronLeft, ChevronRight, Play } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ReplayTile } from "../../state/replay/types";
import { IconButton } from "../../ui/Button";
import { Mark } from "../../ui/Logo";
import { TileGrid } from "../../ui/TileGrid";
import { VideoTile } from "../../ui/VideoTile";
import stage from "../meeting/Stage.module.css";
import { useReplay } from "./context";
import styles from "./Replay.module.css";

export function ReplayStage() {
  const { t } = useTranslation();
  const { view, actions } = useReplay();
  const { layout, player } = view;
  const shown = [...layout.stage, ...layout.tiles];
  // The others have a ring around their tile.
  const speaking = view.speaking.filter((name) => !shown.some((tile) => tile.source === "camera" && tile.name === name));
  return (
    <section className={stage.stage} aria-label={t("replay.stage")} data-mode={layout.mode}>
      {layout.mode === "stage" && (
        <div className={stage.large}>
          <Tiles tiles={layout.stage} />
        </div>
      )}
      {layout.mode === "grid" ? (
        <div className={stage.grid}>
          <Tiles tiles={layout.tiles} />
        </div>
      ) : (
        layout.tiles.length > 0 && (
          // Nothing in it takes the focus, by which keys would scroll it.
          <ul className={stage.strip} aria-label={t("replay.others")} tabIndex={0}>
            {layout.tiles.map((tile) => (
              <li key={tile.key}>
                <Tile tile={tile} />
              </li>
            ))}
          </ul>
        )
      )}
      {shown.length === 0 && <p className={styles.nobody}>{t("replay.nobody")}</p>}
      {layout.pages > 1 && (
        <nav className={stage.pages} aria-label={t("meeting.page", { page: layout.page + 1, pages: layout.pages })}>
          <IconButton label={t("meeting.previousPage")} icon={<ChevronLeft />} size="s" isDisabled={layout.page === 0} onPress={() => actions.setPage(layout.page - 1)} />
          <span className={stage.pageNumber} aria-hidden="true">{`${layout.page + 1} / ${layout.pages}`}</span>
          <IconButton
            label={t("meeting.nextPage")}
            icon={<ChevronRight />}
            size="s"
            isDisabled={layout.page >= layout.pages - 1}
            onPress={() => actions.setPage(layout.page + 1)}
          />
        </nav>
      )}
      {speaking.length > 0 && player.playing && (
        <p className={styles.speaks}>
          {speaking.length === 1 ? t("replay.speaks", { name: speaking[0] }) : t("replay.speakMany", { names: speaking.join(t("common.separator")) })}
        </p>
      )}
      {player.playing && player.waiting && (
        <div className={styles.waiting} role="status">
          <Mark className={styles.waitingMark} live />
          <span className="visually-hidden">{t("replay.waiting")}</span>
        </div>
      )}
      {!player.playing && (
        <div className={styles.large}>
          <IconButton label={t("replay.play")} icon={<Play />} variant="over-video" size="l" round onPress={actions.toggle} className={styles.largeButton} />
          {player.blocked && <p className={styles.blocked}>{t("replay.clickToPlay")}</p>}
        </div>
      )}
    </section>
  );
}

function Tiles({ tiles }: { tiles: readonly ReplayTile[] }) {
  const { t } = useTranslation();
  return (
    <TileGrid label={t("replay.stage")} count={tiles.length}>
      {tiles.map((tile) => (
        <li key={tile.key}>
          <Tile tile={tile} />
        </li>
      ))}
    </TileGrid>
  );
}

function Tile({ tile }: { tile: ReplayTile }) {
  const { t } = useTranslation();
  const { actions } = useReplay();
  const screen = tile.source === "screen";
  const name = screen ? t("replay.screenOf", { name: tile.name }) : tile.name;
  const label = tile.speaking ? t("replay.tile.speaking", { name }) : tile.muted ? t("replay.tile.muted", { name }) : name;
  const note = tile.unplayable === null ? undefined : t("replay.tile.unplayable", { codec: tile.unplayable });
  return (
    <VideoTile
      label={note ? `${label}. ${note}` : label}
      name={name}
      initials={tile.initials}
      hue={tile.hue}
      stream={null}
      element={tile.pictured ? actions.picture(tile.key) : null}
      fit={screen ? "contain" : "cover"}
      speaking={tile.speaking}
      muted={tile.muted}
      note={note}
      tileKey={tile.key}
    />
  );
}
