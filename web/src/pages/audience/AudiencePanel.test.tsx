import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import type { Comment } from "../../client/audience";
import { type Language, LANGUAGES, startLanguages } from "../../i18n";
import type { AudienceActions, AudienceView } from "../../state/audience";
import { AudiencePanel } from "./AudiencePanel";

const one = (id: number, more: Partial<Comment>): Comment => ({ id, at: 0, name: "Hana", text: `text ${id}`, guest: false, host: false, ...more });
const nothing = () => undefined;
const actions: AudienceActions = {
  write: () => Promise.resolve(false), like: nothing, show: nothing, remove: nothing, mute: nothing, rules: () => Promise.resolve(null), setRules: () => Promise.resolve(false),
  mutes: () => Promise.resolve(null), unmute: () => Promise.resolve(false),
};

function lines(language: Language): string[] {
  // The page's language is said of a page, which is not here.
  vi.stubGlobal("document", { documentElement: {} });
  startLanguages(language);
  vi.unstubAllGlobals();
  const view: AudienceView = {
    state: "open", comments: [one(1, {}), one(2, { guest: true }), one(3, { host: true })], likes: 0, rules: { open: true, hold: false, slow: 0 }, account: "Bo", name: "",
    moderator: false, muted: false, sending: false, held: false, refused: null, failed: null,
  };
  return renderToStaticMarkup(<AudiencePanel view={view} actions={actions} />).split("<li").slice(1);
}

test("a guest who types the name of an account does not look like it", () => {
  const words: Record<Language, string> = { en: "Guest", "zh-CN": "访客" };
  for (const { id } of LANGUAGES) {
    const marked = lines(id).map((line) => [line.includes("Hana"), line.includes(`>${words[id]}<`)]);
    expect(marked).toEqual([[true, false], [true, true], [true, false]]);
  }
});
