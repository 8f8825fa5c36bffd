import i18next, { type TFunction } from "i18next";
import { beforeAll, describe, expect, test } from "vitest";
import { en } from "../../i18n/en";
import { zhCN } from "../../i18n/zh-CN";
import type { NoticeWhat, TileView } from "../../state/types";
import { noticeText } from "./NoticeArea";
import { tileLabel } from "./tileLabel";

const t: Record<"en" | "zh-CN", TFunction> = { en: i18next.t, "zh-CN": i18next.t };

beforeAll(async () => {
  await i18next.init({ lng: "en", resources: { en: { translation: en }, "zh-CN": { translation: zhCN } }, interpolation: { escapeValue: false } });
  t.en = i18next.getFixedT("en");
  t["zh-CN"] = i18next.getFixedT("zh-CN");
});

const ana: TileView = {
  key: "1-camera", participant: 1, source: "camera", name: "Ana", initials: "A", hue: 0, you: false, mirrored: false, role: "attendee",
  picture: { kind: "loading" }, microphone: true, speaking: false, handRaised: false, spotlight: false, pinned: false, connected: true, quality: "good",
};
const shown: TileView = { ...ana, picture: { kind: "video", stream: {} as MediaStream } };

// acceptance: M9
describe("the label of a tile", () => {
  test("says all that can be seen on it", () => {
    expect(tileLabel(shown, t.en)).toBe("Ana");
    expect(tileLabel({ ...shown, microphone: false, handRaised: true }, t.en)).toBe("Ana, muted, hand raised");
    expect(tileLabel({ ...shown, microphone: false, handRaised: true }, t["zh-CN"])).toBe("Ana，已静音，已举手");
    expect(tileLabel({ ...ana, picture: { kind: "off" }, you: true, role: "host", quality: "poor" }, t.en)).toBe("Ana (you), Host, camera off, poor connection");
  });
  test("of a screen names whose it is", () => {
    expect(tileLabel({ ...shown, source: "screen" }, t.en)).toBe("Screen of Ana");
    expect(tileLabel({ ...shown, source: "screen", you: true }, t.en)).toBe("Your screen");
  });
});

// acceptance: M9
test("every notice has a sentence in both languages, with its names in it", () => {
  const refusal = () => "refused";
  const whats: NoticeWhat[] = [
    { kind: "muted", source: "microphone", by: "Bo" },
    { kind: "asked-to-unmute", source: "camera", by: "Bo" },
    { kind: "knock", person: 3, name: "Bo" },
    { kind: "hand", name: "Bo" },
    { kind: "chat", name: "Bo", text: "<b>hi</b> & bye" },
    { kind: "screen-started", name: "Bo" },
  ];
  for (const language of ["en", "zh-CN"] as const) {
    for (const what of whats) expect(noticeText(what, t[language], refusal), what.kind).toContain("Bo");
    expect(noticeText({ kind: "chat", name: "Bo", text: "<b>hi</b> & bye" }, t[language], refusal)).toContain("<b>hi</b> & bye");
    expect(noticeText({ kind: "device-error", device: "screen", cause: "cancelled" }, t[language], refusal)).toBe("");
    expect(noticeText({ kind: "device-lost", device: "microphone", fallback: "USB" }, t[language], refusal)).toContain("USB");
  }
  expect(noticeText({ kind: "muted", source: "microphone", by: "Bo" }, t.en, refusal)).toBe("Bo muted you.");
});
