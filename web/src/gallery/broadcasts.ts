/** Broadcasts without a server: what is asked changes the view at once, so that the pages can be tried. */
import type { Push, Trouble } from "../client/push";
import type { BroadcastsActions, BroadcastsView, ListedBroadcast } from "../state/broadcasts";
import type { EncoderActions, EncoderView } from "../state/encoder";
import { Store } from "../state/store";
import type { StudioModel, StudioPhase, StudioView } from "../state/studio-types";
import type { WatchModel, WatchPhase, WatchPlace, WatchView } from "../state/watch-types";
import type { DeviceCause } from "../state/types";
import { drawnStream } from "./streams";

const nothing = () => undefined;
const MINUTE_MS = 60_000;

function phaseOfWatch(kind: string): WatchPhase {
  switch (kind) {
    case "failed":
      return { kind, refusal: { code: "not-found", retryAfter: null } };
    case "ended":
      return { kind, again: true };
    case "waiting":
    case "connecting":
    case "reconnecting":
    case "full":
      return { kind };
    default:
      return { kind: "playing" };
  }
}

export function fakeWatch(query: URLSearchParams): WatchModel {
  const phase = phaseOfWatch(query.get("phase") ?? "playing");
  const steady = query.has("steady");
  const view = new Store<WatchView>({
    phase, title: query.get("lang") === "zh-CN" ? "秋季全员大会" : "Autumn town hall", way: steady ? "steady" : "fast", mayChoose: steady, moved: query.has("moved") ? "codec" : null,
    soundBlocked: query.has("blocked"), paused: false, muted: false, volume: 0.8, variant: -1, height: 720, delay: steady ? 2.1 : 0.2, captions: query.has("captions") ? false : null,
    variants: steady ? [{ id: 0, height: 1080, kbps: 4500 }, { id: 1, height: 720, kbps: 2500 }, { id: 2, height: 360, kbps: 700 }] : [],
  });
  const back = query.has("back");
  const place = new Store<WatchPlace | null>(steady ? { from: back ? 0 : 3_540, to: 3_600, at: back ? 2_900 : 3_599, live: !back, further: !back } : null);
  const change = (part: Partial<WatchView>) => view.update((now) => ({ ...now, ...part }));
  const seek = (to: number) => place.update((now) => now && { ...now, at: Math.min(now.to, to), live: now.to - to < 4 });
  return {
    view,
    place,
    actions: {
      attach: (video) => {
        if (!video || phase.kind !== "playing") return;
        video.muted = true;
        video.srcObject = drawnStream(2);
        video.play().catch(nothing);
      },
      hear: () => change({ soundBlocked: false }),
      toggle: () => view.update((now) => ({ ...now, paused: !now.paused })),
      skip: (seconds) => seek((place.get()?.at ?? 0) + seconds),
      seek,
      goFurther: () => place.update((now) => now && { ...now, from: 0, further: false }),
      toLive: () => seek(3_600),
      setMuted: (muted) => change({ muted }),
      setVolume: (volume) => change({ volume, muted: false }),
      setVariant: (variant) => change({ variant }),
      setWay: (way) => change({ way }),
      setCaptions: (captions) => change({ captions }),
    },
    close: nothing,
  };
}

function phaseOfStudio(kind: string): StudioPhase {
  const since = Date.now() - 12 * MINUTE_MS;
  switch (kind) {
    case "key":
      return { kind, wrong: false };
    case "connecting":
      return { kind };
    case "live":
    case "reconnecting":
      return { kind, since };
    case "ended":
      return { kind, lasted: 47 * MINUTE_MS };
    case "taken":
      return { kind: "preview", refusal: { code: "conflict", retryAfter: null } };
    default:
      return { kind: "preview", refusal: null };
  }
}

function fakePush(query: URLSearchParams): Push {
  const troubles: Trouble[] = [{ code: "b-frames" }, { code: "key-frame-interval", seconds: 8 }, { code: "no-audio" }, { code: "bitrate", bits_per_second: 12_400_000, limit: 10_000_000 }, { code: "unsupported-codec", audio: true, name: "MP3" }, { code: "clock-drift", parts_per_million: 40_000 }];
  const wrong = query.has("troubles");
  return {
    protocol: "rtmp", encoder: "obs-output module (libobs version 30.2.3)", since: Date.now() - 12 * MINUTE_MS,
    video: { codec: "h264", width: 1920, height: 1080, bits_per_second: 6_020_000, frames_per_second: 59.9, key_frame_interval_ms: wrong ? 8_333 : 2_000 },
    audio: wrong ? null : { codec: "aac", bits_per_second: 160_000, rate: 48_000, channels: 2 }, troubles: wrong ? troubles : [],
  };
}

export function fakeEncoder(query: URLSearchParams): { view: EncoderView; actions: EncoderActions } {
  const push = query.has("waiting") ? null : fakePush(query);
  const streamKey = "5c0e6f7b9a1d4e2f8b3c";
  const broadcast = {
    id: "k3v9tq2m", title: query.get("lang") === "zh-CN" ? "秋季全员大会" : "Autumn town hall", watchUrl: "https://meet.example.org/w/k3v9tq2m", whipUrl: "https://meet.example.org/whip/k3v9tq2m",
    rtmpUrl: query.has("no-key") ? null : `rtmp://meet.example.org/live/${streamKey}`, srtUrl: null, streamKey: query.has("no-key") ? null : streamKey,
  };
  const history = Array.from({ length: 60 }, (_, at) => 6_000_000 + 400_000 * Math.sin(at / 3));
  return { view: { phase: { kind: "ready" }, broadcast, live: push !== null, viewers: 128, push, history, away: query.has("away") }, actions: { giveKey: nothing } };
}

export function fakeStudio(query: URLSearchParams): StudioModel {
  const phase = phaseOfStudio(query.get("phase") ?? "live");
  const error = query.get("error") as DeviceCause | null;
  const device = (label: string) => ({ options: [{ id: "1", label, number: 1 }], chosen: "1", error: null });
  const both = query.has("both");
  const view = new Store<StudioView>({
    phase,
    broadcast: {
      id: "k3v9tq2m", title: query.get("lang") === "zh-CN" ? "秋季全员大会" : "Autumn town hall", watchUrl: "https://meet.example.org/w/k3v9tq2m", whipUrl: "https://meet.example.org/whip/k3v9tq2m",
      rtmpUrl: "rtmp://meet.example.org:1935/live/secret", srtUrl: "srt://meet.example.org:9000?streamid=publish:secret", streamKey: "secret",
    },
    source: both ? "both" : "camera",
    corner: "bottom-right",
    picture: error ? null : drawnStream(3),
    camera: { on: error === null, busy: false, error },
    microphone: { on: true, busy: false, error: null },
    screen: { on: both, busy: false, error: null, sound: both },
    devices: { camera: { ...device("FaceTime HD"), error }, microphone: device("MacBook Pro"), speaker: device("MacBook Pro"), browser: "chrome" },
    viewers: 128,
    taken: phase.kind === "preview" && phase.refusal !== null,
    push: phase.kind === "preview" && phase.refusal !== null ? fakePush(query) : null,
    sending: phase.kind === "live" ? { kbps: 2_480, framesPerSecond: 30, width: 1280, height: 720, codec: "H264", limited: query.has("limited") ? "bandwidth" : null, history: Array.from({ length: 60 }, (_, at) => 2_300 + 200 * Math.sin(at / 4)) } : null,
    reconnects: query.has("limited") ? 2 : 0,
    plainWhileHidden: false,
    codec: "H264",
    codecs: ["H264", "VP9", "VP8"],
    quality: "720",
    simulcast: false,
  });
  const change = (part: Partial<StudioView>) => view.update((now) => ({ ...now, ...part }));
  let phaseOfVoice = 0;
  return {
    view,
    actions: {
      giveKey: () => change({ phase: { kind: "key", wrong: true } }),
      setSource: (source) => change({ source }),
      setCorner: (corner) => change({ corner }),
      setCamera: (on) => view.update((now) => ({ ...now, camera: { ...now.camera, on } })),
      setMicrophone: (on) => view.update((now) => ({ ...now, microphone: { ...now.microphone, on } })),
      chooseDevice: nothing,
      retryDevice: nothing,
      testSpeaker: nothing,
      level: () => Math.abs(Math.sin((phaseOfVoice += 0.35))) * 0.75,
      screenLevel: () => 0.4,
      setCodec: (codec) => change({ codec }),
      setQuality: (quality) => change({ quality }),
      setSimulcast: (simulcast) => change({ simulcast }),
      goLive: () => change({ phase: { kind: "live", since: Date.now() } }),
      end: () => change({ phase: { kind: "ended", lasted: 12 * MINUTE_MS }, sending: null }),
    },
    close: nothing,
  };
}

export function fakeBroadcasts(query: URLSearchParams): { view: BroadcastsView; actions: BroadcastsActions } {
  const one = (id: string, title: string, live: boolean, days: number): ListedBroadcast => ({ id, title, live, owner: "Ana", viewers: 128, created_at: Date.now() - days * 86_400_000, watch_url: `https://meet.example.org/w/${id}` });
  const list = query.has("empty") ? [] : [one("a", "Autumn town hall", true, 0), one("b", "Introduction to glaciology, lecture 4", false, 2), one("c", "", false, 9)];
  const actions: BroadcastsActions = { make: () => Promise.resolve(null), renewKey: () => Promise.resolve(true), end: nothing, more: nothing };
  return { view: { list, loading: false, more: query.has("more"), mayAdministrate: true, mayCreate: !query.has("stranger"), making: false, refused: null }, actions };
}
