/** Devices and the small choices of this page. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { NAME_MAX } from "../../client/protocol";
import { chooseLanguage, LANGUAGES } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Select, TextField } from "../../ui/Field";
import { useRememberedSwitch } from "../../ui/remember";
import { Switch } from "../../ui/Switch";
import { chooseTheme, THEMES, useTheme } from "../../ui/theme";
import { useScreen } from "./context";
import { DeviceChoices, DeviceHelp } from "./DeviceParts";
import styles from "./Dialogs.module.css";

export function SettingsDialog() {
  const { t, i18n } = useTranslation();
  const { view, actions } = useScreen();
  const [singleKeys, setSingleKeys] = useRememberedSwitch("single-keys");
  const [sounds, setSounds] = useRememberedSwitch("knock-sound");
  const theme = useTheme();
  const themes = { auto: t("app.themeAuto"), light: t("app.themeLight"), dark: t("app.themeDark") };
  return (
    <Dialog isOpen onClose={() => actions.openPanel(null)} title={t("settings.title")}>
      <div className={styles.settings}>
        {view.own && <OwnName name={view.own.name} id={view.own.id} />}
        <h3>{t("settings.devices")}</h3>
        <DeviceChoices />
        {view.own?.camera.error && <DeviceHelp kind="camera" cause={view.own.camera.error} />}
        {view.own?.microphone.error && <DeviceHelp kind="microphone" cause={view.own.microphone.error} />}
        <h3>{t("settings.page")}</h3>
        <div className={styles.pair}>
          <Select
            label={t("app.language")}
            choices={LANGUAGES}
            value={i18n.language}
            placeholder={t("app.language")}
            onChange={(id) => {
              const found = LANGUAGES.find((language) => language.id === id);
              if (found) chooseLanguage(found.id);
            }}
          />
          <Select
            label={t("app.theme")}
            choices={THEMES.map((id) => ({ id, name: themes[id] }))}
            value={theme}
            placeholder={t("app.theme")}
            onChange={(id) => {
              const found = THEMES.find((one) => one === id);
              if (found) chooseTheme(found);
            }}
          />
        </div>
        <Switch label={t("settings.singleKeys")} hint={t("settings.singleKeysHint")} isSelected={singleKeys} onChange={setSingleKeys} />
        <Switch label={t("settings.sounds")} isSelected={sounds} onChange={setSounds} />
      </div>
    </Dialog>
  );
}

function OwnName({ id, name }: { id: number; name: string }) {
  const { t } = useTranslation();
  const { view, actions } = useScreen();
  const [next, setNext] = useState(name);
  const allowed = view.people.find((person) => person.id === id)?.actions.includes("rename") ?? false;
  return (
    <form
      className={styles.rename}
      onSubmit={(event) => {
        event.preventDefault();
        if (next.trim()) actions.rename(id, next.trim());
      }}
    >
      <TextField
        label={t("settings.name")}
        value={next}
        onChange={setNext}
        maxLength={NAME_MAX}
        isDisabled={!allowed}
        hint={allowed ? undefined : t("settings.nameForbidden")}
      />
      {allowed && (
        <Button type="submit" isDisabled={!next.trim() || next.trim() === name}>
          {t("common.save")}
        </Button>
      )}
    </form>
  );
}
