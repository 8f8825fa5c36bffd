// What the pages of a meeting may ask, each turned into what devices, server or page have to do. Keeps no
// state of its own; knows no component.

import { testSpeaker } from "../client/media/playout";
import type { Command, LogEntry, Outcome, ParticipantId } from "../client/protocol";
import type { Chat } from "./chat";
import type { LayoutState } from "./layout";
import { commandFor } from "./moderation";
import type { Notices } from "./notices";
import type { CaptureParts, PlayoutParts, SessionParts } from "./parts";
import { remember } from "./remembered";
import type { Roster } from "./roster";
import type { Button } from "./sources";
import { TileMeter } from "./statistics";
import type { Store } from "./store";
import type { MeetingActions, MeetingView, PersonAction } from "./types";

/** The meeting as its actions see it. */
export interface Doing {
  view: Store<MeetingView>;
  capture: CaptureParts;
  playout: PlayoutParts;
  notices: Notices;
  chat: Chat;
  session: () => SessionParts | null;
  roster: () => Roster | null;
  page: () => LayoutState;
  turnPage: (change: Partial<LayoutState>) => void;
  show: (panel: MeetingView["panel"]) => void;
  keepLog: (log: LogEntry[]) => void;
  seen: (tile: string, height: number) => void;
  join: (passcode?: string) => void;
  rejoin: () => void;
  leave: (why: "left" | "cancelled") => void;
  turn: (button: Button, on: boolean) => void;
  /** Rejects with the refusal. */
  send: (command: Command) => Promise<Outcome>;
  /** A refusal becomes a notice. */
  ask: (command: Command) => Promise<Outcome | null>;
}

export function meetingActions(doing: Doing): MeetingActions {
  const { capture, chat, notices, playout, turn, turnPage } = doing;
  const ask = (command: Command) => void doing.ask(command);
  const inside = () => {
    const roster = doing.roster();
    return roster?.inside ? roster : null;
  };
  return {
    setName: (name) => {
      remember("name", name);
      doing.view.update((view) => ({ ...view, name }));
    },
    join: (passcode) => doing.join(passcode),
    cancel: () => doing.leave("cancelled"),
    rejoin: () => doing.rejoin(),
    chooseDevice: (kind, id) => {
      capture.choose(kind, id).catch(() => {});
      if (kind === "speaker") void playout.setSpeaker(id);
    },
    retryDevice: (kind) => {
      if (kind !== "speaker") turn(kind, true);
    },
    testSpeaker: () => void testSpeaker(capture.chosen("speaker")),
    level: () => capture.level(),
    unblockSound: () => playout.unblock(),
    setMicrophone: (on) => turn("microphone", on),
    setCamera: (on) => turn("camera", on),
    setScreen: (on) => turn("screen", on),
    setShareMode: (mode) => {
      capture.setShareMode(mode);
      doing.session()?.setShareMode(mode);
      turnPage({});
    },
    setHand: (raised) => ask({ do: "set-hand", raised }),
    setVoiceOnly: (voiceOnly) => {
      if (voiceOnly && capture.isOn("camera")) turn("camera", false);
      turnPage({ voiceOnly });
    },
    leave: () => doing.leave("left"),
    setLayout: (choice) => turnPage({ choice, page: 0 }),
    setPage: (page) => turnPage({ page }),
    openPanel: (panel) => {
      if (panel === "chat") notices.remove((what) => what.kind === "chat");
      doing.show(panel);
    },
    dismiss: (notice) => notices.dismiss(notice),
    answerAsk: (notice, yes) => {
      const what = notices.find(notice);
      notices.dismiss(notice);
      if (!yes || what?.kind !== "asked-to-unmute") return;
      turn(what.source === "camera" ? "camera" : what.source === "microphone" ? "microphone" : "screen", true);
    },
    tileSeen: (key, height) => doing.seen(key, height),
    measure: (participant, source) => {
      const meter = new TileMeter(doing.session);
      return () => {
        const roster = inside();
        const own = roster?.you === participant;
        return meter.read({ participant, source, own }, roster?.inside?.downlinkKbps ?? null);
      };
    },
    sendChat: (to, text) => {
      const roster = inside();
      if (roster) chat.send(roster, to, text, doing.send);
    },
    resendChat: (line) => {
      const roster = inside();
      if (roster) chat.resend(roster, line, doing.send);
    },
    act: (person, action) => act(doing, person, action),
    rename: (participant, name) => ask({ do: "rename", participant, name }),
    admit: (participant) => ask({ do: "admit", participant }),
    admitAll: () => void admitAll(doing),
    deny: (participant) => ask({ do: "deny", participant }),
    muteAll: (mayUnmute) => ask({ do: "mute-all", mayUnmute }),
    setPolicy: (rules) => {
      const policy = doing.roster()?.inside?.policy;
      if (policy) ask({ do: "set-policy", policy: { ...policy, ...rules } });
    },
    suspendAll: () => ask({ do: "suspend-all" }),
    readLog: () =>
      void doing.ask({ do: "read-log" }).then((outcome) => {
        if (outcome?.kind === "log") doing.keepLog(outcome.entries);
      }),
    record: (what) => ask({ do: `${what}-recording` }),
    mark: (text) =>
      void doing.ask({ do: "mark", text }).then((outcome) => {
        if (outcome) notices.add({ kind: "marked" });
      }),
    end: () => ask({ do: "end" }),
  };
}

async function admitAll({ ask, notices }: Doing): Promise<void> {
  const outcome = await ask({ do: "admit-all" });
  if (outcome?.kind === "admitted" && outcome.waiting > 0) {
    notices.add({ kind: "refused", refusal: { code: "meeting-full", retryAfter: null } });
  }
}

function act({ ask, page, turnPage }: Doing, participant: ParticipantId, action: Exclude<PersonAction, "rename" | "chat">): void {
  if (action === "pin" || action === "unpin") {
    const pinned = new Set(page().pinned);
    if (action === "pin") pinned.add(participant);
    else pinned.delete(participant);
    turnPage({ pinned });
  } else void ask(commandFor(action, participant));
}
