/** The bars on a tile: how good the connection is, and pressed, why. */
import { Activity } from "lucide-react";
import { Button as AriaButton, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Quality, TileView } from "../../state/types";
import { Button } from "../../ui/Button";
import { SignalBars } from "../../ui/SignalBars";
import { useLocal } from "./context";
import { useCauseWords } from "./qualityWords";
import styles from "./Signal.module.css";

export const BARS: Record<Quality, 0 | 1 | 2 | 3> = { good: 3, fair: 2, poor: 1, lost: 0 };

export function Signal({ tile }: { tile: TileView }) {
  const { t } = useTranslation();
  const { openDialog } = useLocal();
  const words = useCauseWords();
  const { connection, participant, source } = tile;
  const level = t(`network.level.${connection.quality}`);
  const cause = words(connection, tile.name);
  const label = tile.you ? t("network.ofYou", { level }) : t("network.of", { name: tile.name, level });
  return (
    <DialogTrigger>
      <AriaButton className={styles.signal ?? ""} aria-label={cause ? `${label}${t("common.separator")}${cause}` : label} data-quality={connection.quality}>
        <SignalBars bars={BARS[connection.quality]} />
      </AriaButton>
      <Popover className={styles.popover ?? ""} placement="top end" offset={6}>
        <Dialog className={styles.card ?? ""} aria-label={label}>
          {({ close }) => (
            <>
              <p className={styles.level}>
                <SignalBars bars={BARS[connection.quality]} />
                {t(`network.sentence.${connection.quality}`)}
              </p>
              {cause && <p className={styles.cause}>{cause}</p>}
              <Button
                size="s"
                icon={<Activity aria-hidden="true" />}
                onPress={() => {
                  close();
                  openDialog({ kind: "connection", person: participant, source });
                }}
              >
                {t("network.details")}
              </Button>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
