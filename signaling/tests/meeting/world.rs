//! A meeting with its caller and its clients, who check at each message what must always hold: events
//! numbered without gaps, nothing after `out`, nothing but the wait to those who wait, and a client
//! that follows the events knows what the meeting knows.

use crate::life::{falls_due, restarted};
use serde_json::Value;
use signaling::Meeting;
use signaling::ids::{Epoch, Millis, ParticipantId, Source};
use signaling::meeting::{Effect, Entry, Knock, Limits, MeetingSettings, RecordingCommand, RecordingNews};
use signaling::permission::exempt;
use signaling::protocol::*;
use signaling::role::Role;
use std::collections::{BTreeMap, BTreeSet};

pub const OPEN: Policy = Policy {
    waiting_room: false,
    locked: false,
    may_unmute: true,
    may_show_camera: true,
    may_share: true,
    may_chat: true,
    may_rename: true,
    mute_on_entry: false,
};

pub fn settings() -> MeetingSettings {
    MeetingSettings {
        id: "m-1".into(),
        title: "Weekly".into(),
        number: "482915073".into(),
        join_url: "https://meet.example.org/j/m-1#secret".into(),
        capacity: 9,
        slots: SlotCounts { video: 9, audio: 5 },
        policy: OPEN,
        numbers_wait: true,
        auto_record: false,
        limits: Limits::default(),
    }
}

/// One seat's client, as the page would be.
#[derive(Default)]
pub struct Client {
    pub seat: String,
    pub identity: Option<String>,
    pub connected: bool,
    /// The network is gone and neither side has noticed: nothing arrives.
    pub dark: bool,
    /// Took up the seat while an older connection still has it.
    replacing: bool,
    /// The last event number seen; 0 for a page that knows nothing.
    pub last_event: u64,
    /// The next event may jump, since it must replace all.
    fresh: bool,
    pub inside: bool,
    pub epoch: Epoch,
    pub out: Option<OutReason>,
    pub host_present: bool,
    pub meeting: Option<MeetingInfo>,
    pub policy: Option<Policy>,
    pub participants: BTreeMap<ParticipantId, Participant>,
    pub waiting: BTreeMap<ParticipantId, WaitingPerson>,
    pub chat: Vec<ChatMessage>,
    pub recording: Option<Recording>,
    /// What somebody who waits knows.
    pub recorded: bool,
    /// Since they were taken last.
    events: Vec<Event>,
    last_reply: Option<ServerMessage>,
    pub next_command: u64,
}

pub struct World {
    pub now: Millis,
    pub meeting: Meeting,
    pub clients: BTreeMap<ParticipantId, Client>,
    /// What the router forwards.
    pub gates: BTreeSet<(ParticipantId, Source)>,
    /// What is recorded, and whether it is paused.
    pub recorded: Option<(String, bool)>,
    pub ended: bool,
    /// Of recordings.
    pub marks: Vec<String>,
    /// Identities.
    pub banned: Vec<String>,
    /// What came out last, in order.
    pub effects: Vec<Effect>,
    seats_made: u32,
    /// The durable state as it was persisted last.
    pub stored: Value,
    /// Who may read which message, worked out beside the meeting.
    readers: BTreeMap<u64, BTreeSet<ParticipantId>>,
    /// Who would read the message that is being sent, if it is.
    readers_now: Option<BTreeSet<ParticipantId>>,
}

impl World {
    pub fn new(settings: MeetingSettings) -> Self {
        let now = Millis(1_795_000_000_000);
        let meeting = Meeting::new(settings, now);
        let stored = durable(&meeting);
        Self {
            now,
            meeting,
            clients: BTreeMap::new(),
            gates: BTreeSet::new(),
            recorded: None,
            ended: false,
            marks: Vec::new(),
            banned: Vec::new(),
            effects: Vec::new(),
            seats_made: 0,
            stored,
            readers: BTreeMap::new(),
            readers_now: None,
        }
    }

    /// A meeting with the usual settings but these rules.
    pub fn with(policy: Policy) -> Self {
        Self::new(MeetingSettings { policy, ..settings() })
    }

    pub fn host(&mut self, name: &str) -> ParticipantId {
        self.knock(name, Entry::Host, None).expect("a host comes in")
    }

    pub fn by_link(&mut self, name: &str) -> ParticipantId {
        self.knock(name, Entry::Link, None).expect("the door opens")
    }

    pub fn knock(&mut self, name: &str, entry: Entry, identity: Option<&str>) -> Result<ParticipantId, RefusalCode> {
        self.knock_as(name, entry, identity, None)
    }

    /// Somebody signed in.
    pub fn knock_as(
        &mut self,
        name: &str,
        entry: Entry,
        identity: Option<&str>,
        account: Option<i64>,
    ) -> Result<ParticipantId, RefusalCode> {
        self.seats_made += 1;
        let seat = format!("seat-{}", self.seats_made);
        let identity = identity.map(str::to_owned);
        let knock = Knock { name: name.into(), entry, account, identity: identity.clone(), seat_secret: seat.clone() };
        let result = self.meeting.knock(self.now, knock);
        if let Ok(participant) = result {
            let client = Client { seat, identity, connected: true, fresh: true, next_command: 1, ..Client::default() };
            assert!(self.clients.insert(participant, client).is_none(), "an id was given twice");
        }
        self.carry_out();
        result
    }

    /// Sends a command under the next id and gives what it was answered.
    pub fn ask(&mut self, who: ParticipantId, command: Command) -> Result<Outcome, RefusalCode> {
        let client = self.clients.get_mut(&who).expect("a client");
        let id = client.next_command;
        client.next_command += 1;
        self.ask_as(who, id, command)
    }

    pub fn ask_as(&mut self, who: ParticipantId, id: u64, command: Command) -> Result<Outcome, RefusalCode> {
        self.readers_now = self.readers_of(who, &command);
        self.clients.get_mut(&who).expect("a client").last_reply = None;
        self.meeting.handle_command(self.now, who, id, command);
        self.carry_out();
        match self.clients.get_mut(&who).and_then(|client| client.last_reply.take()) {
            Some(ServerMessage::Reply { id: answered, result }) => {
                assert_eq!(answered, id);
                Ok(result)
            }
            Some(ServerMessage::Refused { id: answered, code, .. }) => {
                assert_eq!(answered, id);
                Err(code)
            }
            other => panic!("no answer but {other:?}"),
        }
    }

    /// Sends a command that must be carried out.
    pub fn done(&mut self, who: ParticipantId, command: Command) {
        assert_eq!(self.ask(who, command.clone()), Ok(Outcome::Done), "{command:?}");
    }

    pub fn disconnect(&mut self, who: ParticipantId) {
        self.clients.get_mut(&who).expect("a client").connected = false;
        self.meeting.disconnected(self.now, who);
        self.carry_out();
    }

    pub fn resume(&mut self, who: ParticipantId) -> Result<ParticipantId, RefusalCode> {
        let last_event = self.clients[&who].last_event;
        self.resume_from(who, last_event)
    }

    pub fn resume_from(&mut self, who: ParticipantId, last_event: u64) -> Result<ParticipantId, RefusalCode> {
        let seat = self.clients[&who].seat.clone();
        let result = self.meeting.resume(self.now, &seat, last_event);
        if result.is_ok() {
            let client = self.clients.get_mut(&who).expect("a client");
            client.replacing = client.connected;
            client.connected = true;
            client.dark = false;
            client.fresh = true;
            client.last_event = last_event;
        }
        self.carry_out();
        if result.is_ok() {
            self.clients.get_mut(&who).expect("a client").fresh = false;
        }
        result
    }

    /// Somebody asks for it by REST.
    pub fn record(&mut self, what: RecordingCommand) -> Result<(), RefusalCode> {
        let result = self.meeting.handle_recording(self.now, what);
        self.carry_out();
        result
    }

    /// Who carries recordings out says something of the one that runs.
    pub fn news(&mut self, news: RecordingNews) {
        let Some((id, _)) = self.recorded.clone() else { return };
        if matches!(news, RecordingNews::Ended(_)) {
            self.recorded = None;
        }
        self.meeting.handle_recording_news(self.now, &id, news);
        self.carry_out();
    }

    /// Time passes; what falls due meanwhile happens when it is due.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now.plus(milliseconds);
        while falls_due(&mut self.meeting, &mut self.now, until) {
            self.carry_out();
        }
    }

    /// The server is killed and starts again from what was stored last.
    pub fn restart(&mut self) {
        self.meeting = restarted(&self.meeting, self.now);
        self.recorded = None;
        for client in self.clients.values_mut() {
            client.connected = false;
        }
        self.carry_out();
    }

    /// What somebody was told since this was asked last.
    pub fn told(&mut self, who: ParticipantId) -> Vec<Event> {
        std::mem::take(&mut self.clients.get_mut(&who).expect("a client").events)
    }

    pub fn participant(&self, who: ParticipantId) -> Participant {
        self.meeting.participants().find(|participant| participant.id == who).expect("somebody inside")
    }

    pub fn participants_role(&self, who: ParticipantId) -> Option<Role> {
        self.meeting.participants().find(|participant| participant.id == who).map(|participant| participant.role)
    }

    pub fn is_inside(&self, who: ParticipantId) -> bool {
        self.meeting.participants().any(|participant| participant.id == who)
    }

    pub fn waits(&self, who: ParticipantId) -> bool {
        self.meeting.waiting().any(|person| person.id == who)
    }

    pub fn forwards(&self, who: ParticipantId, source: Source) -> bool {
        self.gates.contains(&(who, source))
    }

    /// Carries all effects out, as the caller would.
    pub fn carry_out(&mut self) {
        self.effects.clear();
        let mut persisted = false;
        while let Some(effect) = self.meeting.poll_effect() {
            assert!(!self.ended, "after the end: {effect:?}");
            self.effects.push(effect.clone());
            match effect {
                Effect::Send { to, message } => self.receive(to, message),
                Effect::Replace { participant, message } => {
                    let client = self.clients.get_mut(&participant).expect("a client");
                    assert!(std::mem::take(&mut client.replacing), "there was no older connection");
                    assert!(matches!(
                        message,
                        ServerMessage::Event { event: Event::Out { reason: OutReason::Replaced }, .. }
                    ));
                }
                Effect::CloseSocket { participant } => {
                    let client = self.clients.get_mut(&participant).expect("a client");
                    assert!(client.connected, "closed twice");
                    assert!(client.out.is_some(), "closed without a word");
                    client.connected = false;
                    if client.out == Some(OutReason::ServerStopping) {
                        client.out = None;
                    }
                }
                Effect::SetGate { participant, epoch, source, open } => {
                    let rights = self.meeting.media_allowed(participant);
                    assert_eq!(rights.map(|rights| rights.epoch), Some(epoch), "a gate of an admission that is over");
                    let changed = match open {
                        true => self.gates.insert((participant, source)),
                        false => self.gates.remove(&(participant, source)),
                    };
                    assert!(changed, "a gate that was so already");
                }
                Effect::EndMedia { participant, .. } => self.gates.retain(|(whose, _)| *whose != participant),
                Effect::StartRecording { id } => {
                    assert_eq!(self.recorded.replace((id, false)), None);
                }
                Effect::PauseRecording { id } => {
                    assert_eq!(self.recorded.replace((id.clone(), true)), Some((id, false)))
                }
                Effect::ResumeRecording { id } => {
                    assert_eq!(self.recorded.replace((id.clone(), false)), Some((id, true)))
                }
                Effect::StopRecording { id } => assert_eq!(self.recorded.take().map(|(known, _)| known), Some(id)),
                Effect::MarkRecording { id, text } => {
                    assert_eq!(self.recorded.as_ref().map(|(known, _)| known), Some(&id));
                    self.marks.push(text);
                }
                Effect::Banned { identity } => self.banned.push(identity),
                Effect::Persist => persisted = true,
                Effect::Ended => self.ended = true,
            }
        }
        let durable = durable(&self.meeting);
        assert!(persisted || durable == self.stored, "a durable change was not announced");
        let written = |state: &Value| state["chat"]["written"].as_u64().expect("a number");
        if let Some(readers) = self.readers_now.take()
            && written(&durable) > written(&self.stored)
        {
            self.readers.insert(written(&durable), readers);
        }
        self.stored = durable;
        self.check();
    }

    /// A client takes a message.
    fn receive(&mut self, to: ParticipantId, message: ServerMessage) {
        let client = self.clients.get_mut(&to).expect("a client");
        assert!(client.connected && !client.replacing, "sent to a closed socket: {message:?}");
        assert_eq!(client.out, None, "sent after out: {message:?}");
        if client.dark {
            if let ServerMessage::Event { event: Event::Out { reason }, .. } = message {
                client.out = Some(reason);
            }
            return;
        }
        let ServerMessage::Event { number, event } = message else {
            client.last_reply = Some(message);
            return;
        };
        let replaces_all = matches!(event, Event::Welcome { .. } | Event::Waiting { .. });
        if client.fresh && replaces_all {
            assert!(number > client.last_event, "numbers went back");
        } else {
            assert_eq!(number, client.last_event + 1, "a gap before {event:?}");
        }
        client.fresh = false;
        client.last_event = number;
        let may_hear = client.inside || replaces_all || matches!(event, Event::Out { .. });
        assert!(may_hear, "somebody who waits was told {event:?}");
        client.events.push(event.clone());
        client.follow(to, event);
    }

    fn check(&mut self) {
        let recording = self.meeting.recording();
        let carried_out = self.recorded.as_ref().map(|(id, paused)| (id.clone(), *paused));
        let described = recording.clone().map(|one| (one.id, one.state == RecordingState::Paused));
        assert_eq!(carried_out, described, "something else is recorded than people are told");
        for (id, source) in &self.gates {
            let client = &self.clients[id];
            assert!(client.inside || client.dark || !client.connected, "{source:?} of {id} is forwarded");
        }
        let forwarded: BTreeSet<_> = self
            .meeting
            .participants()
            .flat_map(|participant| on(&participant).into_iter().map(move |source| (participant.id, source)))
            .collect();
        assert_eq!(self.gates, forwarded, "the router forwards something else than people are shown");
        let inside: BTreeMap<_, _> = self.meeting.participants().map(|one| (one.id, one)).collect();
        let waiting: BTreeMap<_, _> = self.meeting.waiting().map(|one| (one.id, one)).collect();
        for readers in self.readers.values_mut() {
            readers.retain(|reader| inside.contains_key(reader));
        }
        let host_present = inside.values().any(|one| exempt(one.role) && one.connected);
        for (id, client) in &self.clients {
            let seated = inside.get(id).map(|one| one.connected);
            assert!(client.out.is_none() || !inside.contains_key(id) && !waiting.contains_key(id));
            if !client.connected {
                assert_ne!(seated, Some(true));
                continue;
            }
            if client.dark {
                continue;
            }
            let Some(me) = inside.get(id) else {
                assert!(waiting.contains_key(id) && !client.inside, "{id} believes to be inside");
                assert!(client.participants.is_empty() && client.chat.is_empty() && client.waiting.is_empty());
                assert_eq!(client.host_present, host_present);
                assert_eq!(client.recorded, recording.is_some());
                assert_eq!(client.recording, None);
                continue;
            };
            assert!(client.inside && me.connected);
            assert_eq!(client.participants, inside, "{id} sees other people");
            assert_eq!(client.recording, recording, "{id} knows of another recording");
            assert_eq!(client.policy.as_ref(), Some(self.meeting.policy()), "{id} knows other rules");
            assert_eq!(self.meeting.media_allowed(*id).map(|rights| rights.epoch), Some(client.epoch));
            match exempt(me.role) {
                true => assert_eq!(client.waiting, waiting, "{id} sees others waiting"),
                false => assert!(client.waiting.is_empty(), "{id} sees who waits"),
            }
            let readable = self.readers.iter().filter(|(_, readers)| readers.contains(id)).map(|(message, _)| *message);
            let read: Vec<_> = client.chat.iter().map(|message| message.id).collect();
            assert_eq!(read, readable.collect::<Vec<_>>(), "{id} reads another chat");
        }
    }

    /// Who should read a message, were it written now.
    fn readers_of(&self, from: ParticipantId, command: &Command) -> Option<BTreeSet<ParticipantId>> {
        let Command::SendChat { to, .. } = command else { return None };
        let inside = self.meeting.participants();
        Some(match to {
            Audience::Everyone => inside.map(|one| one.id).collect(),
            Audience::Hosts => inside.filter(|one| exempt(one.role) || one.id == from).map(|one| one.id).collect(),
            Audience::One { participant } => [from, *participant].into(),
        })
    }
}

impl Client {
    fn follow(&mut self, me: ParticipantId, event: Event) {
        match event {
            Event::Waiting { you, seat, meeting, host_present, recorded } => {
                assert_eq!((you, &seat), (me, &self.seat));
                assert_eq!(meeting.join_url, None);
                self.inside = false;
                self.host_present = host_present;
                self.recorded = recorded;
                self.recording = None;
                self.participants.clear();
                self.waiting.clear();
                self.chat.clear();
                self.policy = None;
            }
            Event::Welcome { you, seat, epoch, meeting, policy, participants, waiting, chat, recording, .. } => {
                assert_eq!((you, &seat), (me, &self.seat));
                assert!(self.inside || epoch > self.epoch, "let in again under an old epoch");
                self.inside = true;
                self.epoch = epoch;
                self.meeting = Some(meeting);
                self.policy = Some(policy);
                self.participants = participants.into_iter().map(|one| (one.id, one)).collect();
                self.waiting = waiting.into_iter().map(|one| (one.id, one)).collect();
                self.chat = chat;
                self.recording = recording;
            }
            Event::Joined { participant } => _ = self.participants.insert(participant.id, participant),
            Event::Updated { participant } => {
                let known = self.participants.insert(participant.id, participant);
                assert!(known.is_some(), "an update of somebody unknown");
            }
            Event::TurnedOff { participants, sources } => {
                assert!(participants.is_sorted() && !participants.is_empty());
                for one in participants {
                    let known = self.participants.get_mut(&one).expect("an update of somebody unknown");
                    sources.iter().for_each(|source| *flag(known, *source) = false);
                }
            }
            Event::Left { participant } => assert!(self.participants.remove(&participant).is_some()),
            Event::Knocked { person } => assert!(self.waiting.insert(person.id, person).is_none()),
            Event::KnockEnded { participant } => assert!(self.waiting.remove(&participant).is_some()),
            Event::PolicyChanged { policy, .. } => self.policy = Some(policy),
            Event::RecordingChanged { recording, ended, .. } => {
                let before = std::mem::replace(&mut self.recording, recording);
                if let Some(ended) = ended {
                    assert_eq!(before.map(|before| before.id), Some(ended.id));
                    assert_eq!(self.recording, None);
                }
            }
            Event::Chat { message } => self.chat.push(message),
            Event::Muted { .. } | Event::AskedToUnmute { .. } => {}
            Event::Out { reason } => self.out = Some(reason),
        }
    }
}

const fn flag(participant: &mut Participant, source: Source) -> &mut bool {
    match source {
        Source::Microphone => &mut participant.microphone,
        Source::Camera => &mut participant.camera,
        Source::Screen => &mut participant.screen,
        Source::ScreenAudio => &mut participant.screen_audio,
    }
}

pub fn on(participant: &Participant) -> Vec<Source> {
    let flags = [participant.microphone, participant.camera, participant.screen, participant.screen_audio];
    Source::ALL.into_iter().zip(flags).filter(|(_, on)| *on).map(|(source, _)| source).collect()
}

/// The snapshot without what may change unannounced: event numbers and the memory of answers.
fn durable(meeting: &Meeting) -> Value {
    let mut value = serde_json::to_value(meeting.snapshot()).expect("serializes");
    if let Some(seats) = value["seats"].as_object_mut() {
        for seat in seats.values_mut().filter_map(Value::as_object_mut) {
            seat.remove("outbox");
            seat.remove("answers");
        }
    }
    value
}

pub const fn microphone(on: bool) -> Command {
    Command::SetSource { source: Source::Microphone, on }
}

pub const fn source(source: Source, on: bool) -> Command {
    Command::SetSource { source, on }
}

pub fn say(text: &str) -> Command {
    Command::SendChat { to: Audience::Everyone, text: text.into() }
}

pub const fn give(participant: ParticipantId, role: Role) -> Command {
    Command::SetRole { participant, role }
}

pub const fn rules(policy: Policy) -> Command {
    Command::SetPolicy { policy }
}
