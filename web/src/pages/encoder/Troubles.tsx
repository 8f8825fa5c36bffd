/** What is wrong with a push, what it does to viewers, and what to do in OBS. */
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Trouble } from "../../client/push";
import { useBitrateWords } from "../studio/bitrate";
import styles from "./Troubles.module.css";

export function Troubles({ troubles }: { troubles: readonly Trouble[] }) {
  const { t } = useTranslation();
  const words = useTroubleWords();
  if (troubles.length === 0) return null;
  return (
    <ul className={styles.list} aria-label={t("encoder.troubles")}>
      {troubles.map((trouble) => {
        const { title, what, help } = words(trouble);
        return (
          <li key={"name" in trouble ? `${trouble.code} ${trouble.name}` : trouble.code} className={styles.item}>
            <TriangleAlert aria-hidden="true" />
            <div className={styles.words}>
              <p className={styles.title}>{title}</p>
              <p>{what}</p>
              <p>{help}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

interface Words {
  title: string;
  /** The title where it has no figures, which change: to be spoken once. */
  spoken?: string;
  what: string;
  help: string;
}

export function useTroubleWords(): (trouble: Trouble) => Words {
  const { t } = useTranslation();
  const bitrate = useBitrateWords();
  return (trouble) => {
    switch (trouble.code) {
      case "key-frame-interval": {
        const { seconds } = trouble;
        const help = t("encoder.trouble.keyFrames.help");
        return { title: t("encoder.trouble.keyFrames.title", { count: seconds }), spoken: help, what: t("encoder.trouble.keyFrames.what"), help };
      }
      case "unsupported-codec": {
        const { name } = trouble;
        const kind = trouble.audio ? "soundCodec" : "pictureCodec";
        return { title: t(`encoder.trouble.${kind}.title`, { name }), what: t(`encoder.trouble.${kind}.what`), help: t(`encoder.trouble.${kind}.help`) };
      }
      case "bitrate": {
        const limit = bitrate(trouble.limit / 1000);
        const help = t("encoder.trouble.bitrate.help", { limit });
        return { title: t("encoder.trouble.bitrate.title", { rate: bitrate(trouble.bits_per_second / 1000), limit }), spoken: help, what: t("encoder.trouble.bitrate.what"), help };
      }
      case "clock-drift": {
        const kind = trouble.parts_per_million > 0 ? "slow" : "fast";
        return { title: t(`encoder.trouble.${kind}.title`), what: t(`encoder.trouble.${kind}.what`), help: t(`encoder.trouble.${kind}.help`) };
      }
      case "b-frames":
      case "more-tracks":
      case "no-audio":
      case "no-video":
      case "time-jumps": {
        const { code } = trouble;
        return { title: t(`encoder.trouble.${code}.title`), what: t(`encoder.trouble.${code}.what`), help: t(`encoder.trouble.${code}.help`) };
      }
    }
  };
}
