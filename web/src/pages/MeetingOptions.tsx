/** How a meeting shall be that is about to begin. Knows no server. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { VISIBILITIES } from "../client/recordings";
import type { MeetingWish } from "../client/rest";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Select, TextField } from "../ui/Field";
import { Switch } from "../ui/Switch";
import styles from "./MeetingOptions.module.css";

const HEIGHTS = [180, 360, 540, 720, 1080] as const;
const TITLE_MAX = 200;

interface OptionsProps {
  onStart: (wish: MeetingWish) => void;
  close: () => void;
}

export default function MeetingOptions({ onStart, close }: OptionsProps) {
  const { t } = useTranslation();
  const [wish, setWish] = useState<MeetingWish>({ waiting_room: true, auto_record: false, recording_visibility: "host" });
  const change = (part: MeetingWish) => setWish({ ...wish, ...part });
  const heights = [{ id: "all", name: t("options.capNone") }, ...HEIGHTS.map((height) => ({ id: String(height), name: t("options.capHeight", { height }) }))];
  const start = () => {
    const { title = "", record_height, ...rest } = wish;
    onStart({ ...rest, ...(title.trim() ? { title: title.trim() } : {}), ...(record_height ? { record_height } : {}) });
    close();
  };
  return (
    <Dialog
      isOpen
      onClose={close}
      title={t("options.title")}
      footer={
        <>
          <Button onPress={close}>{t("common.cancel")}</Button>
          <Button variant="primary" onPress={start}>
            {t("home.start")}
          </Button>
        </>
      }
    >
      <form
        className={styles.options}
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <TextField label={t("options.name")} value={wish.title ?? ""} onChange={(title) => change({ title })} maxLength={TITLE_MAX} autoComplete="off" />
        <Switch label={t("policy.waitingRoom")} hint={t("policy.waitingRoomHint")} isSelected={wish.waiting_room ?? true} onChange={(on) => change({ waiting_room: on })} />
        <h3 className={styles.heading}>{t("options.recording")}</h3>
        <Switch label={t("options.auto")} hint={t("options.autoHint")} isSelected={wish.auto_record ?? false} onChange={(on) => change({ auto_record: on })} />
        <Select
          label={t("options.cap")}
          choices={heights}
          value={String(wish.record_height ?? "all")}
          placeholder={t("options.cap")}
          onChange={(id) => {
            const height = HEIGHTS.find((one) => String(one) === id);
            const { record_height: _, ...rest } = wish;
            setWish(height ? { ...rest, record_height: height } : rest);
          }}
        />
        <Select
          label={t("options.visibility")}
          choices={VISIBILITIES.map((id) => ({ id, name: t(`recordings.visible.${id}`) }))}
          value={wish.recording_visibility ?? "host"}
          placeholder={t("options.visibility")}
          onChange={(id) => {
            const visibility = VISIBILITIES.find((one) => one === id);
            if (visibility) change({ recording_visibility: visibility });
          }}
        />
      </form>
    </Dialog>
  );
}
