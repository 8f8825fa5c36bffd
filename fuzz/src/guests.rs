//! A meeting with its caller and with guests who check what reaches them. The meeting checks itself too
//! (`check_invariants`, in every build with debug assertions). Knows no bytes of a fuzzer.

use crate::life::{falls_due, restarted};
use signaling::Meeting;
use signaling::ids::{Epoch, Millis, ParticipantId, Source};
use signaling::meeting::{Effect, Entry, Knock, Limits, MeetingSettings, Rate};
use signaling::protocol::{Command, Event, OutReason, Policy, RefusalCode, ServerMessage, SlotCounts};
use std::collections::{BTreeMap, BTreeSet};

/// Bounds so small that a few operations reach them.
const LIMITS: Limits = Limits {
    seat_kept: 120_000,
    waiting: 3,
    event_buffer: 6,
    command_memory: 4,
    commands: Rate { per_second: 20, burst: 60 },
    chat_characters: 40,
    chat: Rate { per_second: 5, burst: 10 },
    chat_kept: 5,
    log_kept: 8,
    spotlights: 2,
    bans: 3,
};

/// What one seat has seen.
#[derive(Debug, Default)]
struct Guest {
    seat: String,
    connected: bool,
    /// The number of the last event, or what it said so when it came back.
    last_event: u64,
    /// The highest number ever given on the seat.
    highest: u64,
    /// Came (back), and was told nothing yet.
    fresh: bool,
    /// An older connection is to be closed.
    replacing: bool,
    out: Option<OutReason>,
    answers: Vec<u64>,
}

/// The meeting and all who ever came.
pub struct Guests {
    meeting: Meeting,
    now: Millis,
    guests: BTreeMap<ParticipantId, Guest>,
    gates: BTreeSet<(ParticipantId, Epoch, Source)>,
    seats_made: u32,
    ended: bool,
    /// Whether each message is written as text and read again, which takes most of the time.
    as_text: bool,
}

impl Guests {
    /// Nobody there. Each bit of `rules` is one of the policy's.
    #[must_use]
    pub fn new(rules: u8, as_text: bool) -> Self {
        let now = Millis(1_795_000_000_000);
        let settings = MeetingSettings {
            id: "m-7Qd2vXk0".into(),
            title: "Weekly".into(),
            number: "482915073".into(),
            join_url: "https://meet.example.org/j/m-7Qd2vXk0#secret".into(),
            capacity: 5,
            slots: SlotCounts { video: 9, audio: 5 },
            policy: policy(rules),
            numbers_wait: true,
            auto_record: rules & 1 != 0,
            limits: LIMITS,
        };
        Self {
            meeting: Meeting::new(settings, now),
            now,
            guests: BTreeMap::new(),
            gates: BTreeSet::new(),
            seats_made: 0,
            ended: false,
            as_text,
        }
    }

    /// Somebody comes; his seat's secret is `seat-` and how many came before him, from 1.
    ///
    /// # Errors
    /// As the meeting's.
    pub fn knock(&mut self, name: &str, entry: Entry, identity: Option<String>) -> Result<ParticipantId, RefusalCode> {
        self.seats_made += 1;
        let seat = format!("seat-{}", self.seats_made);
        let knock = Knock { name: name.into(), entry, account: None, identity, seat_secret: seat.clone() };
        let result = self.meeting.knock(self.now, knock);
        if let Ok(participant) = result {
            let guest = Guest { seat, connected: true, fresh: true, ..Guest::default() };
            assert!(self.guests.insert(participant, guest).is_none(), "{participant} was given twice");
        }
        self.carry_out();
        result
    }

    /// Somebody comes back, saying that he saw so many events.
    ///
    /// # Errors
    /// As the meeting's.
    pub fn resume(&mut self, seat: &str, last_event: u64) -> Result<ParticipantId, RefusalCode> {
        let result = self.meeting.resume(self.now, seat, last_event);
        if let Ok(participant) = result {
            let guest = self.guests.get_mut(&participant).expect("a guest");
            assert!(guest.out.is_none() && guest.seat == seat, "{guest:?} came back");
            guest.replacing = guest.connected;
            guest.connected = true;
            guest.fresh = true;
            guest.last_event = last_event;
        }
        self.carry_out();
        if let Ok(participant) = result {
            self.guests.get_mut(&participant).expect("a guest").fresh = false;
        }
        result
    }

    /// Somebody asks for something; one who is connected is answered once.
    pub fn command(&mut self, who: ParticipantId, id: u64, command: Command) {
        let Some(guest) = self.guests.get_mut(&who) else { return };
        guest.answers.clear();
        let expected = if guest.connected { vec![id] } else { vec![] };
        self.meeting.handle_command(self.now, who, id, command);
        self.carry_out();
        assert_eq!(self.guests.get(&who).map(|guest| &guest.answers), Some(&expected), "answers");
    }

    /// A connection is lost.
    pub fn disconnect(&mut self, who: ParticipantId) {
        let Some(guest) = self.guests.get_mut(&who) else { return };
        guest.connected = false;
        self.meeting.disconnected(self.now, who);
        self.carry_out();
    }

    /// Time passes, and what falls due happens then.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now.plus(milliseconds);
        while falls_due(&mut self.meeting, &mut self.now, until) {
            self.carry_out();
        }
    }

    /// The server is killed and starts again.
    pub fn restart(&mut self) {
        self.meeting = restarted(&self.meeting, self.now);
        for guest in self.guests.values_mut() {
            guest.connected = false;
        }
        self.carry_out();
    }

    /// The server stops and tells so.
    pub fn stop(&mut self) {
        self.meeting.stop(self.now);
        self.carry_out();
        assert!(self.guests.values().all(|guest| !guest.connected), "somebody is still connected");
    }

    /// The server ends the meeting.
    pub fn end(&mut self) {
        self.meeting.end(self.now);
        self.carry_out();
        assert!(self.ended, "it goes on");
    }

    /// One of those who came, by any number; also one who is out.
    #[must_use]
    pub fn someone(&self, choice: usize) -> Option<ParticipantId> {
        self.guests.keys().nth(choice % self.guests.len().max(1)).copied()
    }

    /// The seat's secret of somebody, and the last event he saw.
    #[must_use]
    pub fn seat(&self, who: ParticipantId) -> Option<(String, u64)> {
        self.guests.get(&who).map(|guest| (guest.seat.clone(), guest.last_event))
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.meeting.poll_effect() {
            assert!(!self.ended, "after the end: {effect:?}");
            match effect {
                Effect::Send { to, message } => self.receive(to, &message),
                Effect::Replace { participant, .. } => {
                    let guest = self.guests.get_mut(&participant).expect("a guest");
                    assert!(std::mem::take(&mut guest.replacing), "there was no older connection");
                }
                Effect::CloseSocket { participant } => {
                    let guest = self.guests.get_mut(&participant).expect("a guest");
                    assert!(guest.connected && guest.out.is_some(), "closed twice or without a word: {guest:?}");
                    guest.connected = false;
                    guest.out.take_if(|reason| *reason == OutReason::ServerStopping);
                }
                Effect::SetGate { participant, epoch, source, open } => {
                    let gate = (participant, epoch, source);
                    let changed = if open { self.gates.insert(gate) } else { self.gates.remove(&gate) };
                    assert!(changed, "{gate:?} was so already");
                }
                Effect::EndMedia { participant, epoch } => {
                    self.gates.retain(|(whose, of, _)| (*whose, *of) != (participant, epoch));
                }
                Effect::StartRecording { .. }
                | Effect::PauseRecording { .. }
                | Effect::ResumeRecording { .. }
                | Effect::StopRecording { .. }
                | Effect::MarkRecording { .. }
                | Effect::Banned { .. }
                | Effect::Persist => {}
                Effect::Ended => self.ended = true,
            }
        }
        for (participant, epoch, source) in &self.gates {
            let rights = self.meeting.media_allowed(*participant).expect("a gate of somebody inside");
            assert!(rights.epoch == *epoch && rights.open_gates.contains(source), "{rights:?} forwards {source:?}");
        }
        assert_eq!(self.ended, self.meeting.has_ended());
    }

    fn receive(&mut self, to: ParticipantId, message: &ServerMessage) {
        if self.as_text {
            let text = serde_json::to_string(message).expect("serializes");
            assert_eq!(serde_json::from_str::<ServerMessage>(&text).as_ref().ok(), Some(message), "{text}");
        }
        let guest = self.guests.get_mut(&to).expect("a guest");
        assert!(guest.connected && !guest.replacing, "sent to a closed socket: {message:?}");
        assert_eq!(guest.out, None, "sent after out: {message:?}");
        match message {
            ServerMessage::Reply { id, .. } | ServerMessage::Refused { id, .. } => guest.answers.push(*id),
            ServerMessage::Event { number, event } => guest.note(*number, event),
            other => panic!("{other:?} is not the meeting's"),
        }
    }
}

impl Guest {
    fn note(&mut self, number: u64, event: &Event) {
        let replaces_all = matches!(event, Event::Welcome { .. } | Event::Waiting { .. });
        if self.fresh && replaces_all {
            assert!(number > self.highest, "{number} after {}", self.highest);
        } else {
            assert_eq!(self.last_event.checked_add(1), Some(number), "a gap before {event:?}");
        }
        self.fresh = false;
        if let Event::Out { reason } = event {
            self.out = Some(*reason);
            return;
        }
        self.last_event = number;
        self.highest = self.highest.max(number);
    }
}

/// The rules of which each is a bit; 0 is an open meeting.
#[must_use]
pub const fn policy(rules: u8) -> Policy {
    Policy {
        waiting_room: rules & 1 != 0,
        locked: rules & 2 != 0,
        may_unmute: rules & 4 == 0,
        may_show_camera: rules & 8 == 0,
        may_share: rules & 16 == 0,
        may_chat: rules & 32 == 0,
        may_rename: rules & 64 == 0,
        mute_on_entry: rules & 128 != 0,
    }
}
