//! Telling people: numbering, buffering, and who is told what. Decides nothing about the meeting.

use crate::ids::ParticipantId;
use crate::meeting::answers::Refusal;
use crate::meeting::effect::{Effect, Entry};
use crate::meeting::{Meeting, seat::Place};
use crate::protocol::{Event, Outcome, ServerMessage};
use std::sync::Arc;

impl Meeting {
    pub(super) fn effect(&mut self, effect: Effect) {
        #[cfg(debug_assertions)]
        self.shadow.follow(&effect);
        self.effects.push_back(effect);
    }

    /// Tells one participant; who lost his connection gets it when he comes back.
    pub(super) fn tell(&mut self, to: ParticipantId, event: Event) {
        self.tell_shared(to, &Arc::new(event));
    }

    /// Tells everybody inside but one.
    pub(super) fn tell_inside(&mut self, event: Event, but: Option<ParticipantId>) {
        let event = Arc::new(event);
        for to in self.ids(|seat| seat.inside().is_some()) {
            if Some(to) != but {
                self.tell_shared(to, &event);
            }
        }
    }

    /// Tells those who may let people in.
    pub(super) fn tell_admitting(&mut self, event: Event) {
        let event = Arc::new(event);
        for to in self.ids(|seat| seat.may_admit()) {
            self.tell_shared(to, &event);
        }
    }

    fn tell_shared(&mut self, to: ParticipantId, event: &Arc<Event>) {
        let bound = self.state.settings.limits.event_buffer;
        let Some(seat) = self.state.seats.get_mut(&to) else { return };
        let number = seat.outbox.push(Arc::clone(event), bound);
        if seat.connected() {
            self.send_event(to, number, Event::clone(event));
        }
    }

    pub(super) fn send_event(&mut self, to: ParticipantId, number: u64, event: Event) {
        self.effect(Effect::Send { to, message: ServerMessage::Event { number, event } });
    }

    /// Tells everybody inside how a participant is now.
    pub(super) fn tell_updated(&mut self, participant: ParticipantId, but: Option<ParticipantId>) {
        if let Some(participant) = self.seat(participant).and_then(|seat| seat.participant(participant)) {
            self.tell_inside(Event::Updated { participant }, but);
        }
    }

    /// Tells a participant everything there is to know for him, which replaces what he knew.
    pub(super) fn tell_everything(&mut self, to: ParticipantId) {
        let Some(event) = self.everything(to) else { return };
        let Some(seat) = self.state.seats.get_mut(&to) else { return };
        let number = seat.outbox.push_snapshot();
        if seat.connected() {
            self.send_event(to, number, event);
        }
    }

    fn everything(&self, you: ParticipantId) -> Option<Event> {
        let seat = self.seat(you)?;
        let secret = seat.secret.0.clone();
        let info = |with_link| self.state.settings.info(self.state.started_at, with_link);
        Some(match &seat.place {
            Place::Waiting { .. } => {
                let (host_present, recorded) = (self.host_present, self.recording.is_some());
                Event::Waiting { you, seat: secret, meeting: info(false), host_present, recorded }
            }
            Place::Inside(inside) => Event::Welcome {
                you,
                seat: secret,
                epoch: seat.epoch,
                meeting: info(seat.entry != Entry::Number),
                policy: self.state.policy,
                participants: self.participants().collect(),
                waiting: if seat.may_admit() { self.waiting().collect() } else { Vec::new() },
                chat: self.state.chat.readable(you, inside.chat_from),
                slots: self.state.settings.slots,
                recording: self.recording(),
            },
        })
    }

    /// Those who wait learn when a host comes or the last one goes.
    pub(super) fn tell_whether_host_is_present(&mut self) {
        let present = self.state.seats.values().any(|seat| seat.may_admit() && seat.connected());
        if present != self.host_present {
            self.host_present = present;
            for waiting in self.ids(|seat| seat.inside().is_none()) {
                self.tell_everything(waiting);
            }
        }
    }

    /// Answers a command, after what it changed is stored.
    pub(super) fn reply(&mut self, to: ParticipantId, id: u64, result: Result<Outcome, Refusal>) {
        self.persist_if_changed();
        let message = match result {
            Ok(result) => ServerMessage::Reply { id, result },
            Err(Refusal { code, retry_after }) => {
                ServerMessage::Refused { id, code, message: code.sentence().to_owned(), retry_after }
            }
        };
        self.effect(Effect::Send { to, message });
    }

    pub(super) fn persist_if_changed(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.effect(Effect::Persist);
        }
    }
}
