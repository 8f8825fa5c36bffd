//! In, out and back to the waiting room: the only places where somebody's place changes.

use crate::ids::{Epoch, Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::meeting::effect::Effect;
use crate::meeting::seat::{Inside, Line, Place};
use crate::protocol::{Event, OutReason, Outcome, RecordingEndReason};
use crate::role::Role;

impl Meeting {
    /// Whether one more of this role would be within the plan's limit.
    pub(super) fn has_room_for(&self, role: Role) -> bool {
        let inside = self.state.seats.values().filter(|seat| seat.inside().is_some()).count();
        let for_a_host = usize::from(role != Role::Host && self.hosts() == 0);
        inside + for_a_host < usize::from(self.state.settings.capacity)
    }

    /// Hosts with a seat inside, connected or not.
    pub(super) fn hosts(&self) -> usize {
        self.state.seats.values().filter(|seat| seat.role == Role::Host && seat.inside().is_some()).count()
    }

    pub(super) fn how_many_wait(&self) -> usize {
        self.state.seats.values().filter(|seat| seat.inside().is_none()).count()
    }

    /// Lets somebody in; the caller has made sure that there is room and no lock.
    pub(super) fn let_in(&mut self, now: Millis, participant: ParticipantId) {
        let chat_from = self.state.chat.next_id();
        let Some(seat) = self.state.seats.get_mut(&participant) else { return };
        seat.epoch = Epoch(seat.epoch.0 + 1);
        seat.place = Place::Inside(Inside { joined_at: now, chat_from, ..Inside::default() });
        let entered = seat.participant(participant);
        self.changed = true;
        self.tell_everything(participant);
        if let Some(entered) = entered {
            self.tell_inside(Event::Joined { participant: entered }, Some(participant));
        }
    }

    /// Sends somebody back to the waiting room. Rights above an attendee's are not kept.
    pub(super) fn send_back(&mut self, now: Millis, participant: ParticipantId) {
        self.end_media(participant);
        let Some(seat) = self.state.seats.get_mut(&participant) else { return };
        seat.place = Place::Waiting { since: now, sent_back: true };
        seat.role = seat.role.min(Role::Attendee);
        let person = seat.waiting_person(participant);
        self.changed = true;
        self.tell_everything(participant);
        self.tell_inside(Event::Left { participant }, None);
        if let Some(person) = person {
            self.tell_admitting(Event::Knocked { person });
        }
    }

    /// Takes somebody's seat away. Media ends first, then he hears it, then the others. Where he asked
    /// for it himself, `command` is answered in between.
    pub(super) fn put_out(&mut self, participant: ParticipantId, reason: OutReason, command: Option<u64>) {
        self.end_media(participant);
        let Some(seat) = self.state.seats.remove(&participant) else { return };
        self.changed = true;
        if seat.connected() {
            if let Some(id) = command {
                self.reply(participant, id, Ok(Outcome::Done));
            }
            self.send_event(participant, seat.outbox.number_of_last_word(), Event::Out { reason });
            self.effect(Effect::CloseSocket { participant });
        }
        match seat.place {
            Place::Inside(_) => self.tell_inside(Event::Left { participant }, None),
            Place::Waiting { .. } => self.tell_admitting(Event::KnockEnded { participant }),
        }
    }

    /// Ends the session of somebody inside.
    fn end_media(&mut self, participant: ParticipantId) {
        if let Some(seat) = self.seat(participant).filter(|seat| seat.inside().is_some()) {
            let epoch = seat.epoch;
            self.effect(Effect::EndMedia { participant, epoch });
        }
    }

    /// Ends the meeting; `by` is who asked for it, with which command.
    pub(super) fn end_for_all(&mut self, now: Millis, by: Option<(ParticipantId, u64)>) {
        self.note(now, by.map(|(who, _)| who), "end", None, None);
        self.stop_recording(now, by.map(|(who, _)| who), RecordingEndReason::MeetingEnded);
        self.state.ended = true;
        self.state.records = false;
        for participant in self.ids(|seat| seat.inside().is_some()) {
            self.end_media(participant);
        }
        let seats = std::mem::take(&mut self.state.seats);
        self.persist_if_changed();
        if let Some((who, id)) = by {
            self.reply(who, id, Ok(Outcome::Done));
        }
        for (participant, seat) in seats {
            if seat.connected() {
                let number = seat.outbox.number_of_last_word();
                self.send_event(participant, number, Event::Out { reason: OutReason::Ended });
                self.effect(Effect::CloseSocket { participant });
            }
        }
        self.effect(Effect::Ended);
    }

    /// Gives up the seats whose time is over.
    pub(super) fn expire(&mut self, now: Millis) {
        let over = |line| matches!(line, Line::Lost { kept_until } if kept_until <= now);
        for participant in self.ids(|seat| over(seat.line)) {
            self.put_out(participant, OutReason::Left, None);
        }
    }
}
