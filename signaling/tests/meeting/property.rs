//! Random commands of several people in any order. What must hold at each message is checked by
//! [`crate::world`]; here are the rules about whole steps, against a model of lock, plan and bans.

use crate::world::*;
use proptest::prelude::*;
use proptest::sample::Index;
use signaling::ids::{ParticipantId, Source};
use signaling::meeting::{Entry, MeetingSettings, Rate, RecordingCommand, RecordingNews};
use signaling::protocol::*;
use signaling::role::Role;
use std::collections::BTreeSet;

const CAPACITY: u16 = 5;
const RECORD: [RecordingCommand; 4] =
    [RecordingCommand::Start, RecordingCommand::Pause, RecordingCommand::Resume, RecordingCommand::Stop];

#[derive(Debug, Clone)]
enum Step {
    Knock {
        entry: Entry,
        browser: u8,
    },
    Command {
        by: Index,
        on: Index,
        what: What,
    },
    /// Sends the last command again.
    Repeat {
        by: Index,
    },
    Disconnect {
        who: Index,
    },
    /// From now on nothing reaches this page, and nobody notices.
    GoDark {
        who: Index,
    },
    /// Comes back, having seen what it saw, or as a new page.
    Resume {
        who: Index,
        anew: bool,
    },
    /// Who carries recordings out says something.
    News {
        news: RecordingNews,
    },
    /// Somebody asks for it by REST.
    Record {
        what: RecordingCommand,
    },
    Pass {
        seconds: u64,
    },
    Restart,
}

/// A command whose object is chosen among those who are there.
#[derive(Debug, Clone)]
enum What {
    Source(Source, bool),
    Hand(bool),
    Leave,
    Say,
    SayHosts,
    SayOne,
    Admit,
    AdmitAll,
    Deny,
    Mute(Source),
    MuteAll(bool),
    Ask(Source),
    LowerHand,
    Rename,
    Role(Role),
    Remove(bool),
    SendBack,
    Spotlight(bool),
    Policy([bool; 8]),
    Suspend,
    Record(RecordingCommand),
    Mark,
    ReadLog,
    End,
}

impl What {
    fn on(&self, participant: ParticipantId) -> Command {
        let text = String::from("hello");
        match *self {
            What::Source(source, on) => Command::SetSource { source, on },
            What::Hand(raised) => Command::SetHand { raised },
            What::Leave => Command::Leave,
            What::Say => Command::SendChat { to: Audience::Everyone, text },
            What::SayHosts => Command::SendChat { to: Audience::Hosts, text },
            What::SayOne => Command::SendChat { to: Audience::One { participant }, text },
            What::Admit => Command::Admit { participant },
            What::AdmitAll => Command::AdmitAll,
            What::Deny => Command::Deny { participant },
            What::Mute(source) => Command::Mute { participant, source },
            What::MuteAll(may_unmute) => Command::MuteAll { may_unmute },
            What::Ask(source) => Command::AskToUnmute { participant, source },
            What::LowerHand => Command::LowerHand { participant },
            What::Rename => Command::Rename { participant, name: format!("Renamed {participant}") },
            What::Role(role) => Command::SetRole { participant, role },
            What::Remove(ban) => Command::Remove { participant, ban },
            What::SendBack => Command::SendToWaitingRoom { participant },
            What::Spotlight(on) => Command::SetSpotlight { participant, on },
            What::Policy(
                [waiting_room, locked, may_unmute, may_show_camera, may_share, may_chat, may_rename, mute],
            ) => {
                let policy = Policy {
                    waiting_room,
                    locked,
                    may_unmute,
                    may_show_camera,
                    may_share,
                    may_chat,
                    may_rename,
                    mute_on_entry: mute,
                };
                Command::SetPolicy { policy }
            }
            What::Suspend => Command::SuspendAll,
            What::Record(RecordingCommand::Start) => Command::StartRecording,
            What::Record(RecordingCommand::Pause) => Command::PauseRecording,
            What::Record(RecordingCommand::Resume) => Command::ResumeRecording,
            What::Record(RecordingCommand::Stop) => Command::StopRecording,
            What::Mark => Command::Mark { text },
            What::ReadLog => Command::ReadLog,
            What::End => Command::End,
        }
    }
}

fn a_source() -> impl Strategy<Value = Source> {
    prop::sample::select(Source::ALL.to_vec())
}

fn a_role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Listener, Role::Attendee, Role::CoHost, Role::Host])
}

fn a_policy() -> impl Strategy<Value = [bool; 8]> {
    // Locked and waiting room are on in a third of the cases, so that meetings do not stand still.
    let rare = || prop::bool::weighted(0.3);
    let often = || prop::bool::weighted(0.7);
    (rare(), rare(), often(), often(), often(), often(), often(), rare())
        .prop_map(|(a, b, c, d, e, f, g, h)| [a, b, c, d, e, f, g, h])
}

fn a_command() -> impl Strategy<Value = What> {
    prop_oneof![
        8 => (a_source(), prop::bool::weighted(0.8)).prop_map(|(source, on)| What::Source(source, on)),
        3 => any::<bool>().prop_map(What::Hand),
        1 => Just(What::Leave),
        4 => prop::sample::select(vec![What::Say, What::SayHosts, What::SayOne]),
        6 => Just(What::Admit),
        2 => Just(What::AdmitAll),
        1 => Just(What::Deny),
        3 => a_source().prop_map(What::Mute),
        2 => any::<bool>().prop_map(What::MuteAll),
        3 => a_source().prop_map(What::Ask),
        1 => prop::sample::select(vec![What::LowerHand, What::Rename, What::ReadLog, What::Suspend]),
        4 => a_role().prop_map(What::Role),
        2 => any::<bool>().prop_map(What::Remove),
        3 => Just(What::SendBack),
        1 => any::<bool>().prop_map(What::Spotlight),
        3 => a_policy().prop_map(What::Policy),
        5 => prop::sample::select(RECORD.to_vec()).prop_map(What::Record),
        1 => Just(What::Mark),
    ]
}

fn some_news() -> impl Strategy<Value = RecordingNews> {
    use RecordingTrouble::{DiskFull, Slow};
    prop::sample::select(vec![
        RecordingNews::Trouble(Some(DiskFull)),
        RecordingNews::Trouble(Some(Slow)),
        RecordingNews::Trouble(None),
        RecordingNews::Ended(RecordingEndReason::Quota),
        RecordingNews::Ended(RecordingEndReason::Failed),
    ])
}

fn a_step() -> impl Strategy<Value = Step> {
    let entry = prop::sample::select(vec![Entry::Link, Entry::Link, Entry::Number, Entry::Host]);
    prop_oneof![
        8 => (entry, 0..4_u8).prop_map(|(entry, browser)| Step::Knock { entry, browser }),
        30 => (any::<Index>(), any::<Index>(), a_command()).prop_map(|(by, on, what)| Step::Command { by, on, what }),
        3 => any::<Index>().prop_map(|by| Step::Repeat { by }),
        3 => any::<Index>().prop_map(|who| Step::Disconnect { who }),
        2 => any::<Index>().prop_map(|who| Step::GoDark { who }),
        6 => (any::<Index>(), prop::bool::weighted(0.2)).prop_map(|(who, anew)| Step::Resume { who, anew }),
        2 => (1..100_u64).prop_map(|seconds| Step::Pass { seconds }),
        2 => some_news().prop_map(|news| Step::News { news }),
        2 => prop::sample::select(RECORD.to_vec()).prop_map(|what| Step::Record { what }),
        1 => Just(Step::Restart),
    ]
}

/// What the meeting is checked against beside what each client checks.
struct Model {
    world: World,
    banned: BTreeSet<String>,
    last_command: Vec<(ParticipantId, u64, Command, Result<Outcome, RefusalCode>)>,
}

impl Model {
    fn pick(&self, index: &Index, of: impl Fn(&Client) -> bool) -> Option<ParticipantId> {
        let some: Vec<_> = self.world.clients.iter().filter(|(_, client)| of(client)).map(|(id, _)| *id).collect();
        (!some.is_empty()).then(|| *index.get(&some))
    }

    fn inside(&self) -> BTreeSet<ParticipantId> {
        self.world.meeting.participants().map(|participant| participant.id).collect()
    }

    fn step(&mut self, step: &Step) {
        let (locked, before) = (self.world.meeting.policy().locked, self.inside());
        match step {
            Step::Knock { entry, browser } => self.knock(*entry, *browser),
            Step::Command { by, on, what } => {
                let Some(by) = self.pick(by, |client| client.connected && !client.dark) else { return };
                let Some(on) = self.pick(on, |client| client.out.is_none()) else { return };
                self.command(by, what.on(on));
            }
            Step::Repeat { by } => self.repeat(by),
            Step::Disconnect { who } => {
                if let Some(who) = self.pick(who, |client| client.connected) {
                    self.world.disconnect(who);
                }
            }
            Step::GoDark { who } => {
                if let Some(who) = self.pick(who, |client| client.connected) {
                    self.world.clients.get_mut(&who).expect("a client").dark = true;
                }
            }
            Step::Resume { who, anew } => self.resume(who, *anew),
            Step::News { news } => self.world.news(*news),
            Step::Record { what } => {
                let before = self.world.stored.clone();
                assert!(self.world.record(*what).is_ok() || self.world.stored == before);
            }
            Step::Pass { seconds } => self.world.pass(seconds * 1_000),
            Step::Restart => self.world.restart(),
        }
        let after = self.inside();
        assert!(after.len() <= usize::from(CAPACITY), "more than the plan allows");
        if locked && self.world.meeting.policy().locked {
            let came = after.difference(&before).filter(|id| self.world.participant(**id).role != Role::Host);
            assert_eq!(came.count(), 0, "somebody came into a locked meeting");
        }
    }

    fn knock(&mut self, entry: Entry, browser: u8) {
        let identity = format!("browser-{browser}");
        let locked = self.world.meeting.policy().locked;
        let result = self.world.knock("Somebody", entry, Some(&identity));
        if entry != Entry::Host {
            if self.banned.contains(&identity) {
                assert_eq!(result, Err(RefusalCode::Banned));
            } else if locked {
                assert_eq!(result, Err(RefusalCode::MeetingLocked));
            }
        }
        assert!(result.is_ok() || self.inside().len() + 1 >= usize::from(CAPACITY) || entry != Entry::Host);
    }

    fn command(&mut self, by: ParticipantId, command: Command) {
        let id = self.world.clients[&by].next_command;
        let before = self.world.stored.clone();
        let result = self.world.ask(by, command.clone());
        if result.is_err() {
            assert_eq!(self.world.stored, before, "{command:?} was refused, yet something changed");
        }
        if let (Command::Remove { participant, ban }, Ok(_)) = (&command, &result) {
            let out = &self.world.clients[participant];
            assert!(!self.inside().contains(participant) && !self.world.waits(*participant));
            if *ban {
                self.banned.extend(out.identity.clone());
            }
            let (seat, now) = (out.seat.clone(), self.world.now);
            assert!(self.world.meeting.resume(now, &seat, 1).is_err(), "the removed came back");
        }
        self.last_command.retain(|(who, ..)| *who != by);
        self.last_command.push((by, id, command, result));
    }

    fn repeat(&mut self, by: &Index) {
        let Some(by) = self.pick(by, |client| client.connected && !client.dark) else { return };
        let Some((_, id, command, answer)) = self.last_command.iter().find(|(who, ..)| *who == by).cloned() else {
            return;
        };
        let (again, before) = (matches!(command, Command::ReadLog), self.world.stored.clone());
        let repeated = self.world.ask_as(by, id, command);
        assert!(again || repeated == answer, "{repeated:?} instead of {answer:?}");
        assert_eq!(self.world.stored, before, "carried out twice");
        assert_eq!(self.world.effects.len(), 1, "more than the answer");
    }

    fn resume(&mut self, who: &Index, anew: bool) {
        let Some(who) = self.pick(who, |_| true) else { return };
        let client = &self.world.clients[&who];
        let out = client.out.is_some();
        let last_event = if anew { 0 } else { client.last_event };
        if last_event == 0 {
            self.last_command.retain(|(by, ..)| *by != who);
        }
        let result = self.world.resume_from(who, last_event);
        assert!(!(out && result.is_ok()), "a seat after its end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    // acceptance: SIM
    #[test]
    fn random_commands_in_any_order_keep_the_invariants(
        waiting_room in any::<bool>(),
        steps in prop::collection::vec(a_step(), 1..90),
        ends in prop::bool::weighted(0.2),
        auto_record in any::<bool>(),
    ) {
        let mut settings = MeetingSettings { capacity: CAPACITY, auto_record, policy: Policy { waiting_room, ..OPEN }, ..settings() };
        let plenty = Rate { per_second: 10_000, burst: 10_000 };
        settings.limits.commands = plenty;
        settings.limits.chat = plenty;
        settings.limits.event_buffer = 12;
        let mut world = World::new(settings);
        let host = world.host("Hanna");
        world.by_link("Ana");
        world.by_link("Bo");
        let mut model = Model { world, banned: BTreeSet::new(), last_command: Vec::new() };
        for step in &steps {
            model.step(step);
        }
        if ends && model.world.clients[&host].connected && !model.world.clients[&host].dark && model.world.participants_role(host) == Some(Role::Host) {
            model.command(host, What::End.on(host));
            prop_assert!(model.world.ended && model.world.meeting.counts().connected == 0);
        }
        model.world.pass(1_000_000);
        let left = model.world.clients.values().filter(|client| client.connected).count();
        let counts = model.world.meeting.counts();
        prop_assert_eq!(counts.admitted + counts.waiting, left, "seats nobody sits on drain to none");
    }
}
