/** A meeting without a server: what is asked changes the view at once, so that pages can be tried. */
import { Store } from "../state/store";
import type { MeetingActions, MeetingModel, MeetingView, OwnSource } from "../state/types";
import { layoutOf, makeView, type Wanted } from "./fixtures";
import { fakeNumbers } from "./numbers";

export function makeModel(wanted: Wanted): MeetingModel {
  const store = new Store<MeetingView>(makeView(wanted));
  const change = (part: Partial<MeetingView>) => store.update((view) => ({ ...view, ...part }));
  const turn = (source: OwnSource, on: boolean): OwnSource => ({ ...source, on });
  const setOwn = (part: (own: NonNullable<MeetingView["own"]>) => Partial<NonNullable<MeetingView["own"]>>) =>
    store.update((view) => (view.own ? { ...view, own: { ...view.own, ...part(view.own) } } : view));
  let phase = 0;
  const nothing = () => undefined;
  const actions: MeetingActions = {
    setName: (name) => change({ name }),
    join: () => change({ phase: { kind: "knocking", since: Date.now(), hostPresent: true, recorded: false } }),
    cancel: () => change({ phase: { kind: "out", why: "cancelled", mayRejoin: true, replay: null } }),
    rejoin: () => change({ phase: { kind: "prejoin", joining: false, refused: null, askPasscode: false } }),
    chooseDevice: (kind, id) => store.update((view) => ({ ...view, devices: { ...view.devices, [kind]: { ...view.devices[kind], chosen: id } } })),
    retryDevice: nothing,
    testSpeaker: nothing,
    // A voice, roughly: louder and softer by turns.
    level: () => Math.abs(Math.sin((phase += 0.35))) * 0.75,
    unblockSound: () => change({ soundBlocked: false }),
    setMicrophone: (on) => {
      store.update((view) => ({ ...view, prejoin: { ...view.prejoin, microphone: turn(view.prejoin.microphone, on) } }));
      setOwn((own) => ({ microphone: turn(own.microphone, on), speakingWhileMuted: false }));
    },
    setCamera: (on) => {
      store.update((view) => ({ ...view, prejoin: { ...view.prejoin, camera: turn(view.prejoin.camera, on) } }));
      setOwn((own) => ({ camera: turn(own.camera, on) }));
    },
    setScreen: (on) => setOwn((own) => ({ screen: turn(own.screen, on) })),
    setShareMode: (shareMode) => setOwn(() => ({ shareMode })),
    setHand: (raised) => setOwn(() => ({ handRaised: raised, handPosition: raised ? 3 : null })),
    setVoiceOnly: (voiceOnly) => setOwn(() => ({ voiceOnly })),
    leave: () => change({ phase: { kind: "out", why: "left", mayRejoin: true, replay: null } }),
    setLayout: (choice) =>
      store.update((view) => ({ ...view, layout: layoutOf(view.people, { ...wanted, layout: choice === "speaker" ? "speaker" : "grid" }) })),
    setPage: (page) => store.update((view) => ({ ...view, layout: layoutOf(view.people, { ...wanted, page }) })),
    openPanel: (panel) => change({ panel }),
    dismiss: (id) => store.update((view) => ({ ...view, notices: view.notices.filter((notice) => notice.id !== id) })),
    answerAsk: (id) => actions.dismiss(id),
    tileSeen: nothing,
    measure: (participant) => fakeNumbers(participant === 1),
    sendChat: (to, text) =>
      store.update((view) => ({
        ...view,
        chat: {
          ...view.chat,
          lines: [...view.chat.lines, { id: `own-${view.chat.lines.length}`, from: 1, name: view.name, mine: true, to, toName: null, at: Date.now(), text, state: "sent" }],
        },
      })),
    resendChat: nothing,
    act: nothing,
    rename: nothing,
    admit: (id) =>
      store.update((view) => ({
        ...view,
        waiting: view.waiting.filter((person) => person.id !== id),
        notices: view.notices.filter((notice) => notice.what.kind !== "knock" || notice.what.person !== id),
      })),
    admitAll: () => store.update((view) => ({ ...view, waiting: [], notices: view.notices.filter((notice) => notice.what.kind !== "knock") })),
    deny: (id) => actions.admit(id),
    muteAll: nothing,
    setPolicy: (rules) => store.update((view) => (view.policy ? { ...view, policy: { ...view.policy, ...rules } } : view)),
    suspendAll: nothing,
    readLog: nothing,
    record: (what) =>
      store.update((view) => ({
        ...view,
        recording: what === "stop" ? null : { id: "r", state: what === "pause" ? "paused" : "recording", since: Date.now(), recordedMs: view.recording?.recordedMs ?? 0 },
      })),
    mark: nothing,
    end: () => change({ phase: { kind: "out", why: "ended", mayRejoin: false, replay: null } }),
  };
  return { view: store, actions, close: nothing };
}
