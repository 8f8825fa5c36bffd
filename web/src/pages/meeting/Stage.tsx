/** Where the pictures are: a grid with pages, or large tiles with the others beside them. */
import { ChevronLeft, ChevronRight, Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "../../ui/Button";
import { useCopy } from "../../ui/useCopy";
import { TileGrid } from "../../ui/TileGrid";
import { useScreen } from "./context";
import styles from "./Stage.module.css";
import { Tile } from "./Tile";

export function Stage() {
  const { t } = useTranslation();
  const { view } = useScreen();
  const { layout } = view;
  const alone = view.people.length <= 1 && layout.mode === "grid";
  return (
    <section className={styles.stage} aria-label={t("meeting.stage")} data-mode={layout.mode}>
      {layout.mode === "stage" && (
        <div className={styles.large}>
          <TileGrid label={t("meeting.stage")} count={layout.stage.length}>
            {layout.stage.map((tile) => (
              <li key={tile.key}>
                <Tile tile={tile} />
              </li>
            ))}
          </TileGrid>
        </div>
      )}
      {layout.mode === "grid" ? (
        <div className={styles.grid}>
          <TileGrid label={t("meeting.stage")} count={layout.tiles.length}>
            {layout.tiles.map((tile) => (
              <li key={tile.key}>
                <Tile tile={tile} />
              </li>
            ))}
          </TileGrid>
        </div>
      ) : (
        layout.tiles.length > 0 && (
          <ul className={styles.strip} aria-label={t("people.inMeeting")}>
            {layout.tiles.map((tile) => (
              <li key={tile.key}>
                <Tile tile={tile} small />
              </li>
            ))}
          </ul>
        )
      )}
      {alone && <Alone />}
      {layout.pages > 1 && <Pages />}
      {layout.speakingElsewhere.length > 0 && (
        <p className={styles.chip}>
          {layout.speakingElsewhere.length === 1
            ? t("meeting.speaks", { name: layout.speakingElsewhere[0] })
            : t("meeting.speakMany", { names: layout.speakingElsewhere.join(t("common.separator")) })}
        </p>
      )}
    </section>
  );
}

function Pages() {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const { page, pages } = view.layout;
  return (
    <nav className={styles.pages} aria-label={t("meeting.page", { page: page + 1, pages })}>
      <IconButton
        label={t("meeting.previousPage")}
        icon={<ChevronLeft />}
        size="s"
        isDisabled={page === 0}
        onPress={() => actions.setPage(page - 1)}
      />
      <span className={styles.pageNumber} aria-live="polite">
        <span aria-hidden="true">{`${page + 1} / ${pages}`}</span>
        <span className="visually-hidden">{t("meeting.page", { page: page + 1, pages })}</span>
      </span>
      <IconButton
        label={t("meeting.nextPage")}
        icon={<ChevronRight />}
        size="s"
        isDisabled={page >= pages - 1}
        onPress={() => actions.setPage(page + 1)}
      />
    </nav>
  );
}

function Alone() {
  const { t } = useTranslation();
  const { view } = useScreen();
  const [copied, copy] = useCopy();
  const link = view.meeting?.joinUrl;
  return (
    <div className={styles.alone}>
      <p className={styles.aloneTitle}>{t("meeting.alone")}</p>
      {link && (
        <Button size="s" variant="primary" icon={<Copy aria-hidden="true" />} onPress={() => copy(link)}>
          {copied === "copied" ? t("common.copied") : t("meeting.aloneShare")}
        </Button>
      )}
    </div>
  );
}
