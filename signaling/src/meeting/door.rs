//! The door: who comes for the first time. Who comes back to a seat is `connection`'s.

use crate::ids::{Epoch, Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::meeting::answers::Answers;
use crate::meeting::effect::{Entry, Knock};
use crate::meeting::outbox::Outbox;
use crate::meeting::seat::{Line, Place, Seat, SeatSecret};
use crate::meeting::settings::Bucket;
use crate::meeting::text::clean_name;
use crate::protocol::{Event, OutReason, RefusalCode};
use crate::role::Role;

impl Meeting {
    /// Somebody comes, by a right that the caller has checked. He is inside or in the waiting room
    /// when this returns, and is told so by an effect; where it refuses, nothing changed.
    ///
    /// # Errors
    /// `MeetingEnded`, `BadName`, `Banned`, `MeetingLocked`, `MeetingFull`, or `TooMany` where the
    /// waiting room is full. A host is stopped by neither lock nor ban.
    pub fn knock(&mut self, now: Millis, knock: Knock) -> Result<ParticipantId, RefusalCode> {
        self.begin(now);
        self.expire(now);
        let result = self.take_seat(now, knock);
        self.finish();
        result
    }

    fn take_seat(&mut self, now: Millis, knock: Knock) -> Result<ParticipantId, RefusalCode> {
        if self.state.ended {
            return Err(RefusalCode::MeetingEnded);
        }
        let name = clean_name(&knock.name).ok_or(RefusalCode::BadName)?;
        let role = if knock.entry == Entry::Host { Role::Host } else { Role::Attendee };
        let waits = match knock.entry {
            Entry::Host => false,
            Entry::Link => self.state.policy.waiting_room,
            Entry::Number => self.state.policy.waiting_room || self.state.settings.numbers_wait,
        };
        if role != Role::Host {
            if knock.identity.as_ref().is_some_and(|identity| self.state.banned.identities.contains(identity)) {
                return Err(RefusalCode::Banned);
            }
            if self.state.policy.locked {
                return Err(RefusalCode::MeetingLocked);
            }
        }
        if waits {
            if self.how_many_wait() >= usize::from(self.state.settings.limits.waiting) {
                return Err(RefusalCode::TooMany);
            }
        } else if !self.has_room_for(role) {
            let absent = self.absent_host().filter(|_| role == Role::Host).ok_or(RefusalCode::MeetingFull)?;
            self.put_out(absent, OutReason::Left, None);
        }
        let number = self.state.last_participant.checked_add(1).ok_or(RefusalCode::TooMany)?;
        self.state.last_participant = number;
        let participant = ParticipantId(number);
        self.state.seats.insert(
            participant,
            Seat {
                secret: SeatSecret(knock.seat_secret),
                identity: knock.identity,
                name,
                role,
                account: knock.account,
                entry: knock.entry,
                epoch: Epoch(0),
                place: Place::Waiting { since: now, sent_back: false },
                line: Line::Connected,
                outbox: Outbox::default(),
                answers: Answers::default(),
                command_rate: Bucket::default(),
                chat_rate: Bucket::default(),
            },
        );
        self.changed = true;
        if waits {
            self.tell_everything(participant);
            let person = self.seat(participant).and_then(|seat| seat.waiting_person(participant));
            if let Some(person) = person {
                self.tell_admitting(Event::Knocked { person });
            }
        } else {
            self.let_in(now, participant);
        }
        Ok(participant)
    }

    /// A host whose connection is lost, whose place a host may take where all others are taken.
    fn absent_host(&self) -> Option<ParticipantId> {
        self.ids(|seat| seat.role == Role::Host && seat.inside().is_some() && !seat.connected()).first().copied()
    }
}
