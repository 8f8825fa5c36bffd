//! Connections of seats: lost, taken up again, replaced. Knows nothing of what happens inside.

use crate::ids::{Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::meeting::answers::Answers;
use crate::meeting::effect::Effect;
use crate::meeting::seat::Line;
use crate::protocol::{Event, OutReason, RefusalCode, ServerMessage};

impl Meeting {
    /// Somebody comes back to his seat. He gets the events after `last_event`, or everything afresh
    /// where some are gone or where he says 0, which also begins the ids of commands anew. An older
    /// connection of the seat is replaced.
    ///
    /// # Errors
    /// `MeetingEnded`, `Banned`, `SeatGone`.
    pub fn resume(&mut self, now: Millis, seat_secret: &str, last_event: u64) -> Result<ParticipantId, RefusalCode> {
        self.begin(now);
        self.expire(now);
        let result = self.take_up(seat_secret, last_event);
        self.finish();
        result
    }

    fn take_up(&mut self, seat_secret: &str, last_event: u64) -> Result<ParticipantId, RefusalCode> {
        if self.state.ended {
            return Err(RefusalCode::MeetingEnded);
        }
        let Some(participant) = self.bearer(seat_secret) else {
            let banned = self.state.banned.seats.iter().any(|seat| seat.is(seat_secret));
            return Err(if banned { RefusalCode::Banned } else { RefusalCode::SeatGone });
        };
        let seat = self.state.seats.get_mut(&participant).ok_or(RefusalCode::SeatGone)?;
        let was = std::mem::replace(&mut seat.line, Line::Connected);
        seat.outbox.catch_up(last_event);
        if last_event == 0 {
            seat.answers = Answers::default();
        }
        let last_word = seat.outbox.number_of_last_word();
        let missed = seat.outbox.after(last_event);
        if was == Line::Connected {
            let event = Event::Out { reason: OutReason::Replaced };
            let message = ServerMessage::Event { number: last_word, event };
            self.effect(Effect::Replace { participant, message });
        }
        // What he missed may say of himself that he was away, so he hears with the others that he is back.
        let knows_already = if missed.is_none() { Some(participant) } else { None };
        match missed {
            Some(missed) => {
                for (number, event) in missed {
                    self.send_event(participant, number, Event::clone(&event));
                }
            }
            None => self.tell_everything(participant),
        }
        if was != Line::Connected {
            let back = self.seat(participant).and_then(|seat| seat.participant(participant));
            if let Some(back) = back {
                self.tell_inside(Event::Joined { participant: back }, knows_already);
            }
        }
        Ok(participant)
    }

    /// A participant's connection was lost: the seat is kept for a while. Not to be called for a
    /// connection that was replaced.
    pub fn disconnected(&mut self, now: Millis, participant: ParticipantId) {
        self.begin(now);
        let kept_until = now.plus(self.state.settings.limits.seat_kept);
        if let Some(seat) = self.state.seats.get_mut(&participant)
            && seat.connected()
        {
            seat.line = Line::Lost { kept_until };
            self.tell_updated(participant, Some(participant));
        }
        self.finish();
    }

    /// Tells everybody that the server stops, and keeps all seats.
    pub(super) fn disconnect_all(&mut self, now: Millis) {
        let kept_until = now.plus(self.state.settings.limits.seat_kept);
        for participant in self.ids(|seat| seat.connected()) {
            let Some(seat) = self.state.seats.get_mut(&participant) else { continue };
            seat.line = Line::Lost { kept_until };
            let number = seat.outbox.number_of_last_word();
            self.send_event(participant, number, Event::Out { reason: OutReason::ServerStopping });
            self.effect(Effect::CloseSocket { participant });
            self.changed = true;
        }
    }
}
