//! The meeting core: decides, then describes what is to be done. Knows no socket, worker or store.

mod admission;
mod answers;
mod chat;
mod command;
mod connection;
mod door;
mod effect;
#[cfg(debug_assertions)]
mod invariants;
mod log;
mod moderation;
mod outbox;
mod own;
mod recording;
mod roles;
mod rules;
mod seat;
mod settings;
mod snapshot;
mod tell;
mod text;

pub use effect::{Counts, Effect, Entry, Knock, MediaRights, RecordingCommand, RecordingNews};
pub use settings::{Limits, MeetingSettings, Rate};
pub use snapshot::MeetingSnapshot;
pub use text::{CHAT_MAX, MARK_MAX, NAME_MAX, clean_line};

use crate::ids::{Millis, ParticipantId};
use crate::permission::{Action, permits};
use crate::protocol::{
    ChatMessage, LogEntry, MeetingInfo, OutReason, Participant, Policy, RecordingEndReason, RefusalCode, WaitingPerson,
};
use crate::role::Role;
use seat::{Line, Seat};
use snapshot::State;
use std::collections::VecDeque;

/// One meeting.
///
/// Four kinds of methods, as in every core of this server:
/// - **told**: [`knock`](Self::knock), [`resume`](Self::resume), [`disconnected`](Self::disconnected),
///   [`handle_command`](Self::handle_command), [`handle_timeout`](Self::handle_timeout),
///   [`handle_recording`](Self::handle_recording), [`handle_recording_news`](Self::handle_recording_news),
///   [`end`](Self::end), [`stop`](Self::stop): each is told the time, decides at once and never fails half-way;
/// - **polled** after each of them until `None`: [`poll_effect`](Self::poll_effect); then
///   [`poll_timeout`](Self::poll_timeout) says when [`handle_timeout`](Self::handle_timeout) is due;
/// - **asked** at any time: [`media_allowed`](Self::media_allowed), [`participants`](Self::participants), …;
/// - **stored**: [`snapshot`](Self::snapshot) and [`restore`](Self::restore).
///
/// Two numbers never go back: a seat's event number, and a participant's epoch, which rises with each
/// admission. What bears an older epoch passes no more.
pub struct Meeting {
    /// All that survives a restart.
    state: State,
    effects: VecDeque<Effect>,
    /// Something in `state` changed since the last [`Effect::Persist`].
    changed: bool,
    /// What those who wait were told last.
    host_present: bool,
    recording: Option<recording::Running>,
    /// The time that the caller told last.
    now: Millis,
    #[cfg(debug_assertions)]
    shadow: invariants::Shadow,
}

impl Meeting {
    /// A meeting with nobody in it.
    #[must_use]
    pub fn new(settings: MeetingSettings, now: Millis) -> Self {
        Self::from_state(State::new(settings, now))
    }

    /// The meeting as it was when the snapshot was taken, with nobody connected: seats are kept from
    /// `now` on as after a lost connection. Bans, the lock, roles, mutes and hands are as they were.
    #[must_use]
    pub fn restore(snapshot: MeetingSnapshot, now: Millis) -> Self {
        let mut state = snapshot.into_state();
        let kept_until = now.plus(state.settings.limits.seat_kept);
        for seat in state.seats.values_mut() {
            seat.line = Line::Lost { kept_until };
        }
        Self::from_state(state)
    }

    fn from_state(state: State) -> Self {
        Self {
            #[cfg(debug_assertions)]
            shadow: invariants::Shadow::of(&state),
            state,
            effects: VecDeque::new(),
            changed: false,
            host_present: false,
            recording: None,
            now: Millis(0),
        }
    }

    /// All that must survive a restart. Bears the secrets of seats: keep it as you keep passwords.
    #[must_use]
    pub fn snapshot(&self) -> MeetingSnapshot {
        MeetingSnapshot::of(self.state.clone())
    }

    /// What the caller must do next; call until `None` after each method that is told the time.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Self::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        let lost = self.state.seats.values().filter_map(|seat| match seat.line {
            Line::Connected => None,
            Line::Lost { kept_until } => Some(kept_until),
        });
        lost.min()
    }

    /// Gives up the seats whose time is over.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.begin(now);
        self.expire(now);
        self.finish();
    }

    /// Ends the meeting for everybody, by the server's own decision.
    pub fn end(&mut self, now: Millis) {
        self.begin(now);
        if !self.state.ended {
            self.end_for_all(now, None);
        }
        self.finish();
    }

    /// An account was shut out of the server: so are all its seats, those that wait or are kept, too.
    pub fn shut_out(&mut self, now: Millis, account: i64) {
        self.begin(now);
        for whom in self.ids(|seat| seat.account == Some(account)) {
            self.note(now, None, "remove", Some(whom), None);
            self.put_out(whom, OutReason::Removed, None);
        }
        self.finish();
    }

    /// The server stops: everybody is told, seats stay kept for a restart, and so does the wish to record.
    pub fn stop(&mut self, now: Millis) {
        self.begin(now);
        self.stop_recording(now, None, RecordingEndReason::Stopped);
        self.disconnect_all(now);
        self.finish();
    }

    /// What a participant's media session may do now; `None` for those who are not inside. Ask when an
    /// offer comes, and again before the session is made: the epoch must still be the same.
    #[must_use]
    pub fn media_allowed(&self, participant: ParticipantId) -> Option<MediaRights> {
        let seat = self.state.seats.get(&participant)?;
        let inside = seat.inside()?;
        Some(MediaRights { epoch: seat.epoch, role: seat.role, open_gates: inside.on.iter().copied().collect() })
    }

    /// Whether a participant is inside and his role permits an action, for what is asked by other ways
    /// than commands. A rule of the meeting may still forbid it.
    #[must_use]
    pub fn permits(&self, participant: ParticipantId, action: Action) -> bool {
        self.seat(participant).is_some_and(|seat| seat.inside().is_some() && permits(seat.role, action))
    }

    /// Whose seat a secret opens, without taking it up; for asking by other ways than the socket.
    #[must_use]
    pub fn bearer(&self, seat_secret: &str) -> Option<ParticipantId> {
        let mut seats = self.state.seats.iter();
        seats.find(|(_, seat)| seat.secret.is(seat_secret)).map(|(id, _)| *id)
    }

    /// What stays the same when the browser or account of somebody with a seat comes again.
    #[must_use]
    pub fn identity(&self, participant: ParticipantId) -> Option<&str> {
        self.seat(participant)?.identity.as_deref()
    }

    /// What may be known from outside.
    #[must_use]
    pub fn info(&self) -> MeetingInfo {
        self.state.settings.info(self.state.started_at, false)
    }

    /// The rules as they are now.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.state.policy
    }

    /// Whether it is over.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.state.ended
    }

    /// Everybody inside, in the order of their ids.
    pub fn participants(&self) -> impl Iterator<Item = Participant> + '_ {
        self.state.seats.iter().filter_map(|(id, seat)| seat.participant(*id))
    }

    /// Everybody who waits, in the order of their ids.
    pub fn waiting(&self) -> impl Iterator<Item = WaitingPerson> + '_ {
        self.state.seats.iter().filter_map(|(id, seat)| seat.waiting_person(*id))
    }

    /// The newest messages to everyone, oldest first.
    pub fn public_chat(&self) -> impl Iterator<Item = &ChatMessage> {
        self.state.chat.public()
    }

    /// The moderation log, oldest first.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.state.log.iter()
    }

    /// How many are where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for seat in self.state.seats.values() {
            counts.connected += usize::from(seat.connected());
            match seat.inside() {
                Some(_) => counts.admitted += 1,
                None => counts.waiting += 1,
            }
        }
        counts
    }

    fn seat(&self, participant: ParticipantId) -> Option<&Seat> {
        self.state.seats.get(&participant)
    }

    /// The role of somebody inside.
    fn role_inside(&self, participant: ParticipantId) -> Result<Role, RefusalCode> {
        let seat = self.seat(participant).filter(|seat| seat.inside().is_some());
        seat.map(|seat| seat.role).ok_or(RefusalCode::UnknownParticipant)
    }

    fn ids(&self, of: impl Fn(&Seat) -> bool) -> Vec<ParticipantId> {
        self.state.seats.iter().filter(|(_, seat)| of(seat)).map(|(id, _)| *id).collect()
    }

    /// Every method that is told the time begins with this …
    fn begin(&mut self, now: Millis) {
        self.now = now;
        #[cfg(debug_assertions)]
        self.shadow.begin(&self.state);
    }

    /// … and ends with this.
    fn finish(&mut self) {
        self.keep_recording_in_step();
        self.tell_whether_host_is_present();
        self.persist_if_changed();
        #[cfg(debug_assertions)]
        self.check_invariants();
    }
}
