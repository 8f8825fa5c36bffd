/** Copies a text and says whether it worked. Knows not what it is. */
import { Check, Copy } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";
import styles from "./CopyButton.module.css";
import { Announcer } from "./Notices";
import { useCopy } from "./useCopy";

interface CopyButtonProps {
  text: string;
  words: string;
  primary?: boolean | undefined;
  wide?: boolean | undefined;
}

export function CopyButton({ text, words, primary, wide }: CopyButtonProps) {
  const { t } = useTranslation();
  const [state, copy] = useCopy();
  const said = state === "copied" ? t("common.copied") : state === "failed" ? t("common.copyFailed") : "";
  return (
    <>
      <Button
        variant={primary ? "primary" : "secondary"}
        wide={wide}
        icon={state === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
        onPress={() => copy(text)}
      >
        {state === "copied" ? t("common.copied") : words}
      </Button>
      {state === "failed" && <p className={styles.failed}>{said}</p>}
      <Announcer text={said} />
    </>
  );
}
