/** Recordings made up for looking at pages. Knows no server. */
import type { RecordingSummary, RecordingTrack, TimelineEntry } from "../client/recordings";
import type { PlayerState } from "../client/replay/player";
import type { RecordingsActions, RecordingsView } from "../state/recordings";
import { replayLayout } from "../state/replay/layout";
import { Story } from "../state/replay/story";
import type { ReplayActions, ReplayPreviews, ReplayView } from "../state/replay/types";
import { Store } from "../state/store";
import { drawnStream } from "./streams";

const NAMES = { en: ["Ana Souza", "Tomás Rivera", "Mei Tanaka", "Priya Raman"], zh: ["李雪晴", "王建国", "陈思远", "赵敏"] };
const WORDS = {
  en: { title: "Planning the autumn term", mark: "Budget agreed", chat: ["Could you show the numbers once more?", "The room is free on Thursdays, too."], other: "Monday product review" },
  zh: { title: "秋季学期规划", mark: "预算已定", chat: ["能再展示一下数字吗？", "这个房间周四也有空。"], other: "周一产品例会" },
};
const LENGTH_S = 2_732;
const AT_S = 968;

function entriesOf(names: readonly string[], words: (typeof WORDS)["en"]): TimelineEntry[] {
  const name = (id: number) => names[id - 1] ?? "";
  const at = (seconds: number) => ({ at_ms: seconds * 1000 });
  const speaks = (from: number, to: number, who: number): TimelineEntry[] => [
    { ...at(from), event: "speaking", participants: [who] },
    { ...at(to), event: "speaking", participants: [] },
  ];
  const entries: TimelineEntry[] = [
    ...[1, 2, 3, 4].map((participant): TimelineEntry => ({ ...at(participant === 4 ? 420 : 0), event: "joined", participant, name: name(participant) })),
    ...[1, 2, 4].map((participant): TimelineEntry => ({ ...at(participant === 4 ? 421 : 0), event: "source", participant, source: "microphone", on: true })),
    ...speaks(4, 180, 1), ...speaks(182, 400, 2), ...speaks(640, 1_300, 1), ...speaks(1_420, 1_900, 4), ...speaks(1_905, 2_600, 2),
    { ...at(611), event: "chat", participant: 4, name: name(4), text: words.chat[0] ?? "" },
    { ...at(640), event: "source", participant: 1, source: "screen", on: true },
    { ...at(930), event: "chat", participant: 2, name: name(2), text: words.chat[1] ?? "" },
    { ...at(1_350), event: "source", participant: 1, source: "screen", on: false },
    { ...at(1_310), event: "mark", text: words.mark },
    { ...at(2_400), event: "left", participant: 3 },
  ];
  return entries.sort((a, b) => a.at_ms - b.at_ms);
}

const summary = (id: string, change: Partial<RecordingSummary>): RecordingSummary => ({
  id, meeting_id: "m", title: "", state: "finished", started_at: Date.now() - 86_400_000, duration_ms: LENGTH_S * 1000, written_ms: LENGTH_S * 1000, bytes: 412_000_000, participants: [],
  visibility: "host", link_expires_at: null, replay_url: `/recordings/${id}`, upload: null, ...change,
});

function player(query: URLSearchParams): PlayerState {
  return {
    playing: !query.has("paused"), waiting: query.has("waiting"), duration: LENGTH_S, live: query.has("live") ? true : query.has("behind") ? false : null, rate: 1, volume: 0.8, muted: false, soundless: false, blocked: query.has("blocked"), gone: false,
    showing: query.has("lacking") ? ["1-camera", "2-camera", "1-screen"] : ["1-camera", "2-camera", "3-camera", "1-screen"],
    unplayable: query.has("lacking") ? ["4-camera"] : [],
  };
}

export function fakeReplay(query: URLSearchParams) {
  const chinese = query.get("lang") === "zh-CN";
  const [names, words] = [chinese ? NAMES.zh : NAMES.en, chinese ? WORDS.zh : WORDS.en];
  const at = query.has("screen") ? AT_S : 300;
  const tracks: RecordingTrack[] = names.flatMap((name, index) =>
    (["microphone", "camera"] as const).map((source) => ({
      id: `${index}-${source}`, participant: index + 1, name, kind: source === "camera" ? "video" : "audio", source, codec: source === "camera" ? "vp8" : "opus", codecs: "vp8",
      mime: "video/webm", url: "/", bytes: source === "camera" ? 92_000_000 : 8_100_000, start_ms: 0, duration_ms: LENGTH_S * 1000, complete: true, width: null, height: null,
    })),
  );
  const story = new Story({ tracks }, entriesOf(names, words));
  const state = player(query);
  const choice = query.get("layout") === "speaker" ? "speaker" : "grid";
  const position = new Store(at);
  const store = new Store<ReplayView>({
    phase: query.has("failed") ? { kind: "failed", refusal: { code: "not-found", retryAfter: null } } : { kind: "ready" },
    recording: { ...summary("r", { title: words.title, participants: names, state: query.has("live") || query.has("behind") ? "recording" : "finished" }), tracks, mix: { url: "", bytes: 14_400_000 }, gaps: [], ended: "stopped", manage: true },
    player: state,
    layout: replayLayout(story, tracks, at, choice, 0, state),
    chapters: story.chapters,
    chapter: story.chapterAt(at),
    lines: story.lines,
    line: story.lineAt(at),
    gap: query.has("gap") ? { why: "paused", to: at + 60 } : null,
    speaking: story.speakingAt(at).map((id) => names[id - 1] ?? ""),
    exports: {
      available: !query.has("no-ffmpeg"),
      reason: query.has("no-ffmpeg") ? "ffmpeg" : null,
      exports: query.has("no-ffmpeg") ? [] : [{ layout: "grid", state: "running", progress: 0.42, bytes: null, error: null, url: null }],
    },
    refused: null,
  });
  const videos = new Map<string, HTMLVideoElement>();
  const nothing = () => undefined;
  const actions: ReplayActions = {
    toggle: () => store.update((view) => ({ ...view, player: { ...view.player, playing: !view.player.playing } })),
    seek: (to) => position.set(to),
    goLive: () => store.update((view) => ({ ...view, player: { ...view.player, live: true } })),
    skip: (by) => position.update((now) => now + by),
    toChapter: nothing,
    setRate: (rate) => store.update((view) => ({ ...view, player: { ...view.player, rate } })),
    stepRate: nothing,
    setVolume: (volume) => store.update((view) => ({ ...view, player: { ...view.player, volume } })),
    toggleMuted: () => store.update((view) => ({ ...view, player: { ...view.player, muted: !view.player.muted } })),
    setLayout: (next) => store.update((view) => ({ ...view, layout: replayLayout(story, tracks, at, next, 0, state) })),
    setPage: nothing,
    picture: (key) => {
      const known = videos.get(key);
      if (known) return known;
      const video = document.createElement("video");
      video.muted = true;
      video.autoplay = true;
      video.srcObject = drawnStream(key.endsWith("screen") ? -1 : Number(key.split("-")[0]));
      videos.set(key, video);
      return video;
    },
    readExports: nothing,
    startExport: nothing,
    endExport: nothing,
  };
  // What a preview would look like: a slide where one is shared, a face elsewhere.
  const small = [false, true].map((screen) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, screen ? 200 : 180];
    const context = canvas.getContext("2d");
    if (context) {
      context.fillStyle = screen ? "#f4f1ea" : "#33594c";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = screen ? "#20302a" : "#e3c7ac";
      if (screen) for (let line = 0; line < 5; line += 1) context.fillRect(24, 28 + line * 32, line === 0 ? 180 : 260 - line * 20, line === 0 ? 18 : 8);
      else {
        context.ellipse(160, 100, 48, 62, 0, 0, 7);
        context.fill();
      }
    }
    return canvas;
  });
  const previews: ReplayPreviews = {
    changes: new Store(0),
    want: nothing,
    get: (time) => (query.has("no-previews") ? null : time > 1_400 ? "coming" : (small[Number(time > 640 && time < 1_350)] ?? null)),
  };
  return { view: store, position, previews, actions };
}

export function fakeRecordings(query: URLSearchParams): { view: RecordingsView; actions: RecordingsActions } {
  const chinese = query.get("lang") === "zh-CN";
  const [names, words] = [chinese ? NAMES.zh : NAMES.en, chinese ? WORDS.zh : WORDS.en];
  const list = [
    summary("1", { title: words.other, state: "recording", started_at: Date.now() - 600_000, duration_ms: 598_000, bytes: 61_000_000, participants: [...names, ...names] }),
    summary("2", { title: words.title, participants: names, visibility: "participants" }),
    summary("3", { title: words.other, visibility: "link", link_expires_at: Date.now() + 6 * 86_400_000, started_at: Date.now() - 700_000_000, participants: names.slice(0, 2), bytes: 1_240_000_000 }),
    summary("4", { state: "broken", visibility: "nobody", duration_ms: 11_000, bytes: 230_000, started_at: Date.now() - 900_000_000 }),
  ];
  const state = query.get("state");
  const empty = state === "empty" || state === "nothing" || state === "signed-out";
  const nothing = () => undefined;
  return {
    view: {
      list: empty ? [] : list, query: state === "nothing" ? "Aristophanes" : "", loading: false, more: !empty, link: { id: "3", url: `${location.origin}/recordings/3#Vn8sT1qYb0hKx5Jc2Rz7Lw` },
      deleted: false, refused: state === "signed-out" ? { code: "sign-in-needed", retryAfter: null } : null,
    },
    actions: { search: nothing, more: nothing, change: nothing, setExpiry: nothing, makeLink: nothing, remove: nothing },
  };
}
