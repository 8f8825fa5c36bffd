//! What hosts and co-hosts do to one person. Who may is the permission table's to say.

use crate::ids::{Millis, ParticipantId, Source};
use crate::meeting::Meeting;
use crate::meeting::command::{Answer, By, need};
use crate::meeting::effect::Effect;
use crate::permission::{Action, permits_on};
use crate::protocol::{Event, LogDetail, OutReason, Outcome, RefusalCode};
use crate::role::Role;

impl Meeting {
    /// Whether the role permits it on somebody inside; gives that one's role.
    pub(super) fn need_on(&self, role: Role, action: Action, on: ParticipantId) -> Result<Role, RefusalCode> {
        need(role, action)?;
        let theirs = self.role_inside(on)?;
        if permits_on(role, action, theirs) { Ok(theirs) } else { Err(RefusalCode::NotPermitted) }
    }

    /// Whether the role permits it on somebody else inside.
    fn need_on_other(
        &self,
        me: ParticipantId,
        role: Role,
        action: Action,
        on: ParticipantId,
    ) -> Result<(), RefusalCode> {
        if me == on {
            return Err(RefusalCode::NotPermitted);
        }
        self.need_on(role, action, on).map(|_| ())
    }

    fn waits(&self, participant: ParticipantId) -> bool {
        self.seat(participant).is_some_and(|seat| seat.inside().is_none())
    }

    pub(super) fn admit(&mut self, By { now, me, role }: By, whom: ParticipantId) -> Answer {
        need(role, Action::Admit)?;
        if !self.waits(whom) {
            // Two hosts may press the same button.
            return self.role_inside(whom).map(|_| Outcome::Done);
        }
        if self.state.policy.locked {
            return Err(RefusalCode::MeetingLocked);
        }
        if !self.has_room_for(Role::Attendee) {
            return Err(RefusalCode::MeetingFull);
        }
        self.admit_one(now, me, whom);
        Ok(Outcome::Done)
    }

    pub(super) fn admit_all(&mut self, By { now, me, role }: By) -> Answer {
        need(role, Action::Admit)?;
        if self.state.policy.locked {
            return Err(RefusalCode::MeetingLocked);
        }
        let mut queue: Vec<_> = self.waiting().map(|person| (person.since, person.id)).collect();
        queue.sort_unstable();
        let mut admitted = 0;
        for (_, whom) in queue {
            if !self.has_room_for(Role::Attendee) {
                break;
            }
            self.admit_one(now, me, whom);
            admitted += 1;
        }
        let waiting = u16::try_from(self.how_many_wait()).unwrap_or(u16::MAX);
        Ok(Outcome::Admitted { admitted, waiting })
    }

    fn admit_one(&mut self, now: Millis, me: ParticipantId, whom: ParticipantId) {
        self.note(now, Some(me), "admit", Some(whom), None);
        self.tell_admitting(Event::KnockEnded { participant: whom });
        self.let_in(now, whom);
    }

    pub(super) fn deny(&mut self, By { now, me, role }: By, whom: ParticipantId) -> Answer {
        need(role, Action::Admit)?;
        if !self.waits(whom) {
            return Err(RefusalCode::UnknownParticipant);
        }
        self.note(now, Some(me), "deny", Some(whom), None);
        self.put_out(whom, OutReason::Denied, None);
        Ok(Outcome::Done)
    }

    pub(super) fn mute(&mut self, By { now, me, role }: By, whom: ParticipantId, source: Source) -> Answer {
        self.need_on(role, Action::Mute, whom)?;
        if self.turn_off(whom, &[source], Some(me)) {
            self.note(now, Some(me), "mute", Some(whom), Some(LogDetail::Source { source }));
            self.tell_updated(whom, None);
        }
        Ok(Outcome::Done)
    }

    pub(super) fn ask_to_unmute(&mut self, By { now, me, role }: By, whom: ParticipantId, source: Source) -> Answer {
        let theirs = self.need_on(role, Action::AskToUnmute, whom)?;
        // To hear a listener, make him an attendee first.
        need(theirs, Action::Publish)?;
        let Some(inside) = self.state.seats.get_mut(&whom).and_then(|seat| seat.inside_mut()) else {
            return Err(RefusalCode::UnknownParticipant);
        };
        if inside.on.contains(&source) {
            return Ok(Outcome::Done);
        }
        inside.asked.insert(source);
        self.note(now, Some(me), "ask-to-unmute", Some(whom), Some(LogDetail::Source { source }));
        self.tell(whom, Event::AskedToUnmute { source, by: me });
        Ok(Outcome::Done)
    }

    pub(super) fn lower_hand(&mut self, By { now, me, role }: By, whose: ParticipantId) -> Answer {
        self.need_on(role, Action::LowerHand, whose)?;
        let inside = self.state.seats.get_mut(&whose).and_then(|seat| seat.inside_mut());
        if inside.is_some_and(|inside| inside.hand_raised_at.take().is_some()) {
            self.note(now, Some(me), "lower-hand", Some(whose), None);
            self.tell_updated(whose, None);
        }
        Ok(Outcome::Done)
    }

    pub(super) fn set_spotlight(&mut self, By { now, me, role }: By, whose: ParticipantId, on: bool) -> Answer {
        self.need_on(role, Action::Spotlight, whose)?;
        let others = self.ids(|seat| seat.inside().is_some_and(|inside| inside.spotlight)).len();
        let bound = usize::from(self.state.settings.limits.spotlights);
        let Some(inside) = self.state.seats.get_mut(&whose).and_then(|seat| seat.inside_mut()) else {
            return Err(RefusalCode::UnknownParticipant);
        };
        if inside.spotlight == on {
            return Ok(Outcome::Done);
        }
        if on && others >= bound {
            return Err(RefusalCode::TooMany);
        }
        inside.spotlight = on;
        self.note(now, Some(me), "set-spotlight", Some(whose), Some(LogDetail::Spotlight { on }));
        self.tell_updated(whose, None);
        Ok(Outcome::Done)
    }

    pub(super) fn send_to_waiting_room(&mut self, By { now, me, role }: By, whom: ParticipantId) -> Answer {
        self.need_on_other(me, role, Action::SendToWaitingRoom, whom)?;
        if self.how_many_wait() >= usize::from(self.state.settings.limits.waiting) {
            return Err(RefusalCode::TooMany);
        }
        self.note(now, Some(me), "send-to-waiting-room", Some(whom), None);
        self.send_back(now, whom);
        Ok(Outcome::Done)
    }

    /// Also of somebody who waits. A ban holds for the seat and for the identity, all of whose other
    /// seats go with it, but for those that `role` may not remove.
    pub(super) fn remove(&mut self, By { now, me, role }: By, whom: ParticipantId, ban: bool) -> Answer {
        need(role, Action::Remove)?;
        if !self.waits(whom) {
            self.need_on_other(me, role, Action::Remove, whom)?;
        }
        if !ban {
            self.note(now, Some(me), "remove", Some(whom), None);
            self.put_out(whom, OutReason::Removed, None);
            return Ok(Outcome::Done);
        }
        if self.state.banned.identities.len() >= self.state.settings.limits.bans {
            return Err(RefusalCode::TooMany);
        }
        let identity = self.seat(whom).and_then(|seat| seat.identity.clone());
        let mut out = vec![whom];
        if let Some(identity) = identity {
            let same = self.ids(|seat| seat.identity.as_ref() == Some(&identity));
            out.extend(same.into_iter().filter(|other| {
                let theirs = self.seat(*other).map_or(Role::Listener, |seat| seat.role);
                *other != whom && *other != me && theirs != Role::Host && permits_on(role, Action::Remove, theirs)
            }));
            self.state.banned.identities.insert(identity.clone());
            self.effect(Effect::Banned { identity });
        }
        for whom in out {
            self.note(now, Some(me), "ban", Some(whom), None);
            if let Some(seat) = self.state.seats.get(&whom)
                && self.state.banned.seats.len() < self.state.settings.limits.bans
            {
                self.state.banned.seats.insert(seat.secret.clone());
            }
            self.put_out(whom, OutReason::Banned, None);
        }
        Ok(Outcome::Done)
    }
}
