/** Language and appearance, chosen from one menu. Knows no page. */
import { Languages } from "lucide-react";
import { useTranslation } from "react-i18next";
import { chooseLanguage, LANGUAGES } from "../i18n";
import { IconButton } from "./Button";
import { Menu, MenuChoice } from "./Menu";
import { chooseTheme, THEMES, useTheme } from "./theme";

export function Preferences() {
  const { t } = useTranslation();
  return (
    <Menu label={t("app.preferences")} trigger={<IconButton label={t("app.preferences")} icon={<Languages />} />}>
      <LanguageChoice />
      <ThemeChoice />
    </Menu>
  );
}

/** For menus that have more than this in them. */
export function LanguageChoice() {
  const { t, i18n } = useTranslation();
  const chosen = LANGUAGES.find((language) => language.id === i18n.language)?.id ?? null;
  return <MenuChoice title={t("app.language")} choices={LANGUAGES} chosen={chosen} onChoose={chooseLanguage} />;
}

export function ThemeChoice() {
  const { t } = useTranslation();
  const theme = useTheme();
  const names = { auto: t("app.themeAuto"), light: t("app.themeLight"), dark: t("app.themeDark") };
  const choices = THEMES.map((id) => ({ id, name: names[id] }));
  return <MenuChoice title={t("app.theme")} choices={choices} chosen={theme} onChoose={chooseTheme} />;
}
