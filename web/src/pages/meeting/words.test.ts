import i18next, { type TFunction } from "i18next";
import { beforeAll, describe, expect, test } from "vitest";
import { en } from "../../i18n/en";
import { zhCN } from "../../i18n/zh-CN";
import type { LogEntry, NoticeWhat, TileView } from "../../state/types";
import { deed } from "./logWords";
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
  picture: { kind: "loading" }, microphone: true, speaking: false, handRaised: false, spotlight: false, pinned: false, connected: true, connection: { quality: "good", cause: null },
};
const shown: TileView = { ...ana, picture: { kind: "video", stream: {} as MediaStream } };

// acceptance: M9
describe("the label of a tile", () => {
  test("says all that can be seen on it", () => {
    expect(tileLabel(shown, t.en)).toBe("Ana");
    expect(tileLabel({ ...shown, microphone: false, handRaised: true }, t.en)).toBe("Ana, muted, hand raised");
    expect(tileLabel({ ...shown, microphone: false, handRaised: true }, t["zh-CN"])).toBe("Ana，已静音，已举手");
    expect(tileLabel({ ...ana, picture: { kind: "off" }, you: true, role: "host", connection: { quality: "poor", cause: null } }, t.en)).toBe("Ana (you), Host, camera off, poor connection");
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

describe("the moderation log", () => {
  const wrote = (entry: Omit<LogEntry, "at">) => [deed(t.en, { at: 1, ...entry }), deed(t["zh-CN"], { at: 1, ...entry })];
  test("says in the reader's language what exactly was done", () => {
    expect(wrote({ action: "mute", onName: "Bo", detail: { kind: "source", source: "camera" } })).toEqual([
      "turned off the camera of Bo", "关闭了 Bo 的摄像头",
    ]);
    expect(wrote({ action: "ask-to-unmute", onName: "Bo", detail: { kind: "source", source: "microphone" } })).toEqual([
      "asked Bo to unmute", "请求 Bo 解除静音",
    ]);
    expect(wrote({ action: "set-role", onName: "Bo", detail: { kind: "role", role: "co-host" } })).toEqual(["made Bo co-host", "将 Bo 设为联席主持人"]);
    expect(wrote({ action: "rename", onName: "Bo", detail: { kind: "name", name: "Beau" } })).toEqual(["renamed Bo to Beau", "将 Bo 改名为 Beau"]);
    expect(wrote({ action: "set-spotlight", onName: "Bo", detail: { kind: "spotlight", on: false } })[0]).toBe("took Bo out of the spotlight");
    const changes = [{ field: "locked" as const, on: true }, { field: "mayShare" as const, on: false }];
    expect(wrote({ action: "set-policy", detail: { kind: "policy", changes } })).toEqual([
      "changed the rules: meeting locked, screen sharing forbidden", "更改了会议规则：锁定会议，禁止共享屏幕",
    ]);
    expect(wrote({ action: "mute-all", detail: { kind: "policy", changes: [{ field: "mayUnmute", on: false }] } })[0]).toBe(
      "muted everyone, who may not unmute",
    );
  });
  test("says what it can of an entry without details, or of a newer server's", () => {
    expect(wrote({ action: "mute", onName: "Bo" })).toEqual(["muted Bo", "将 Bo 静音"]);
    expect(wrote({ action: "mute", onName: "Bo", detail: { kind: "later" } as never })[0]).toBe("muted Bo");
    expect(wrote({ action: "dance", onName: "Bo" })[0]).toBe("did something (dance)");
  });
});
