//! Giving and taking roles.

use crate::ids::{Millis, ParticipantId, Source};
use crate::meeting::Meeting;
use crate::meeting::command::need;
use crate::permission::{Action, Rule, allows, exempt, permits};
use crate::protocol::{Event, LogDetail, Outcome, RefusalCode};
use crate::role::Role;

impl Meeting {
    pub(super) fn set_role(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        whose: ParticipantId,
        given: Role,
    ) -> Result<Outcome, RefusalCode> {
        need(role, Action::SetSpeaker)?;
        let had = self.role_inside(whose)?;
        let action = if exempt(had) || exempt(given) { Action::NameHosts } else { Action::SetSpeaker };
        self.need_on(role, action, whose)?;
        if had == given {
            return Ok(Outcome::Done);
        }
        if had == Role::Host && self.hosts() == 1 {
            return Err(RefusalCode::LastHost);
        }
        self.note(now, Some(me), "set-role", Some(whose), Some(LogDetail::Role { role: given }));
        let could_admit = permits(had, Action::Admit);
        if let Some(seat) = self.state.seats.get_mut(&whose) {
            seat.role = given;
        }
        let off: Vec<Source> = Source::ALL.into_iter().filter(|source| !self.may_keep_on(given, *source)).collect();
        self.turn_off(whose, &off, Some(me));
        self.tell_updated(whose, None);
        self.tell_who_waits(whose, could_admit, permits(given, Action::Admit));
        Ok(Outcome::Done)
    }

    /// Whether a source that is on stays on for this role under the rules as they are. Who speaks goes
    /// on speaking: [`crate::protocol::Policy::may_unmute`] is about turning it on.
    pub(super) fn may_keep_on(&self, role: Role, source: Source) -> bool {
        permits(role, Action::Publish)
            && (source == Source::Microphone || allows(&self.state.policy, role, Rule::of(source)))
    }

    /// Who gains the right to admit learns who waits; who loses it forgets.
    fn tell_who_waits(&mut self, to: ParticipantId, could: bool, can: bool) {
        let waiting: Vec<_> = if could == can { Vec::new() } else { self.waiting().collect() };
        for person in waiting {
            let participant = person.id;
            self.tell(to, if can { Event::Knocked { person } } else { Event::KnockEnded { participant } });
        }
    }
}
