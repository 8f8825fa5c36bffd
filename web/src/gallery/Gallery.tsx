/**
 * Pages and parts to be looked at, without a server. `/gallery` lists them; `?page=meeting&people=6&lang=zh-CN&theme=dark`
 * shows one. For developers: its own words are names of options, not texts for people.
 */
import { type ReactNode, useState } from "react";
import { chooseLanguage } from "../i18n";
import { Setup, SignIn } from "../pages/AccountForm";
import { Home } from "../pages/Home";
import { PhaseView } from "../pages/meeting/PhaseView";
import { NOTHING, type TestFigures } from "../client/network-test";
import { NetworkTest, type TestState } from "../pages/NetworkTest";
import { Broadcasts } from "../pages/broadcasts/Broadcasts";
import { Encoder } from "../pages/encoder/Encoder";
import { Preview } from "../pages/encoder/Preview";
import { NotFound } from "../pages/NotFound";
import { Recordings } from "../pages/recordings/Recordings";
import { Replay } from "../pages/replay/Replay";
import { Studio } from "../pages/studio/Studio";
import { Watch } from "../pages/watch/Watch";
import { useStore } from "../state/react";
import { OUT_REASONS } from "../client/protocol";
import type { Entry, MeetingView, OutWhy, Phase, RefusalCode } from "../state/types";
import type { Wanted } from "./fixtures";
import { makeModel } from "./model";
import { Parts } from "./Parts";
import { fakeRecordings, fakeReplay } from "./replays";
import { fakeBroadcasts, fakeEncoder, fakeStudio, fakeWatch } from "./broadcasts";

const refuse = () => Promise.resolve({ ok: false as const, code: "wrong-name-or-password", retryAfter: null });

export default function Gallery() {
  const [query] = useState(() => {
    const read = new URLSearchParams(location.search);
    const theme = read.get("theme");
    // The choice of the address is not remembered for the other pages.
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
    const language = read.get("lang");
    if (language === "zh-CN" || language === "en") chooseLanguage(language);
    return read;
  });
  return <Shown query={query} />;
}

function Shown({ query }: { query: URLSearchParams }): ReactNode {
  switch (query.get("page")) {
    case "home":
      return <Home start={refuse} />;
    case "setup":
      return <Setup token={query.get("token") ?? "x"} send={refuse} />;
    case "sign-in":
      return <SignIn send={refuse} />;
    case "not-found":
      return <NotFound />;
    case "test":
      return <FakeTest kind={query.get("state") ?? "done"} />;
    case "watch":
      return <FakeWatch query={query} />;
    case "studio":
      return <FakeStudio query={query} />;
    case "encoder":
      return <FakeEncoder query={query} />;
    case "broadcasts":
      return <Broadcasts {...fakeBroadcasts(query)} />;
    case "replay":
      return <FakeReplay query={query} />;
    case "recordings":
      return <Recordings {...fakeRecordings(query)} />;
    case null:
    case "parts":
      return <Parts />;
    default:
      return <FakeMeeting query={query} />;
  }
}

function phaseOf(query: URLSearchParams): Phase {
  const now = Date.now();
  switch (query.get("page")) {
    case "prejoin": {
      const refused = query.get("refused") as RefusalCode | null;
      return {
        kind: "prejoin",
        joining: query.has("joining"),
        refused: refused ? { code: refused, retryAfter: null } : null,
        askPasscode: query.has("passcode"),
      };
    }
    case "waiting":
      return { kind: "knocking", since: now - 47_000, hostPresent: query.get("host") !== "no", recorded: query.has("recorded") };
    case "out": {
      const why = query.get("why") as OutWhy | null;
      const known = why === "lost" || why === "cancelled" || OUT_REASONS.some((reason) => reason === why);
      return { kind: "out", why: known && why ? why : "left", mayRejoin: why !== "banned" && why !== "ended", replay: query.has("recorded") ? "r" : null };
    }
    case "reconnecting":
      return { kind: "reconnecting", from: "in", since: now, until: now + 97_000 };
    default:
      return { kind: "in" };
  }
}

function wantedOf(query: URLSearchParams): Wanted {
  const error = query.get("error");
  return {
    people: Number(query.get("people") ?? 6),
    chinese: query.get("lang") === "zh-CN",
    host: query.get("role") !== "attendee",
    panel: query.get("panel") as MeetingView["panel"],
    layout: query.get("layout") === "speaker" ? "speaker" : "grid",
    screen: query.has("screen"),
    waiting: Number(query.get("waiting") ?? 0),
    notices: query.get("notices")?.split(",") ?? [],
    phase: phaseOf(query),
    camera: query.get("camera") !== "off",
    error: error === "denied" || error === "none" || error === "in-use" ? error : null,
    muted: query.has("muted"),
    page: 0,
    recording: recordingOf(query.get("recording")),
    door: { title: "", recording: query.has("recorded") ? "running" : query.has("planned") ? "planned" : null },
  };
}

function recordingOf(word: string | null): MeetingView["recording"] {
  if (word === null) return null;
  const since = Date.now() - 192_000;
  if (word === "trouble") return { id: "r", state: "suspended", trouble: "disk-full", since, recordedMs: 65_000 };
  return { id: "r", state: word === "paused" ? "paused" : "recording", since, recordedMs: 65_000 };
}

function FakeMeeting({ query }: { query: URLSearchParams }) {
  const [model] = useState(() => makeModel(wantedOf(query)));
  const view = useStore(model.view);
  const entry: Entry =
    query.get("by") === "number"
      ? { kind: "number", number: "482917365" }
      : query.get("by") === "link"
        ? { kind: "link", meeting: "k3v9tq2m", token: "x" }
        : { kind: "host", meeting: "k3v9tq2m" };
  return <PhaseView view={view} actions={model.actions} entry={entry} />;
}

function FakeReplay({ query }: { query: URLSearchParams }) {
  const [made] = useState(() => fakeReplay(query));
  const view = useStore(made.view);
  return <Replay view={view} position={made.position} previews={made.previews} actions={made.actions} />;
}

function FakeTest({ kind }: { kind: string }) {
  const figures: TestFigures = {
    reachMs: 14, socket: true, media: kind !== "blocked", transport: "udp", rttMs: 31, jitterMs: 4, lossUp: 0, lossDown: 0.004, upKbps: 2340, downKbps: 1980, busy: false,
  };
  const state: TestState =
    kind === "running"
      ? { kind, step: "speed", figures: { ...figures, upKbps: null, downKbps: null, lossUp: null, lossDown: null } }
      : kind === "ready"
        ? { kind }
        : { kind: "done", figures: kind === "blocked" ? { ...NOTHING, reachMs: 14, socket: true, media: false } : figures };
  return <NetworkTest state={state} devices={kind === "done" ? { microphone: "works", camera: "in-use" } : null} onStart={nothing} onDevices={nothing} />;
}

const nothing = () => undefined;

function FakeWatch({ query }: { query: URLSearchParams }) {
  const [made] = useState(() => fakeWatch(query));
  return <Watch view={useStore(made.view)} place={made.place} actions={made.actions} />;
}

function FakeEncoder({ query }: { query: URLSearchParams }) {
  const [made] = useState(() => fakeWatch(new URLSearchParams(query.has("waiting") ? "phase=waiting" : "steady")));
  return <Encoder {...fakeEncoder(query)} preview={<Preview model={made} />} />;
}

function FakeStudio({ query }: { query: URLSearchParams }) {
  const [made] = useState(() => fakeStudio(query));
  return <Studio view={useStore(made.view)} actions={made.actions} />;
}
