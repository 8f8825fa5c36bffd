//! What hosts and co-hosts do to everybody: the rules, mute all, suspend all.

use crate::ids::{Millis, ParticipantId, Source};
use crate::meeting::Meeting;
use crate::meeting::command::need;
use crate::permission::{Action, exempt};
use crate::protocol::{Event, LogDetail, Outcome, Policy, PolicyChange, PolicyField, RefusalCode};
use crate::role::Role;

impl Meeting {
    pub(super) fn set_policy(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        policy: Policy,
    ) -> Result<Outcome, RefusalCode> {
        need(role, Action::SetPolicy)?;
        let changes = changes(&self.state.policy, &policy);
        if changes.is_empty() {
            return Ok(Outcome::Done);
        }
        self.note(now, Some(me), "set-policy", None, Some(LogDetail::Policy { changes }));
        self.replace_policy(me, policy);
        Ok(Outcome::Done)
    }

    /// Puts new rules in force: what they forbid and what is on goes off. Who speaks goes on speaking.
    fn replace_policy(&mut self, me: ParticipantId, policy: Policy) {
        if self.state.policy == policy {
            return;
        }
        let before = std::mem::replace(&mut self.state.policy, policy);
        self.changed = true;
        let mut forbidden = Vec::new();
        if before.may_show_camera && !policy.may_show_camera {
            forbidden.push(Source::Camera);
        }
        if before.may_share && !policy.may_share {
            forbidden.extend([Source::Screen, Source::ScreenAudio]);
        }
        self.turn_all_off(&forbidden, me, exempt);
        self.tell_inside(Event::PolicyChanged { policy, by: Some(me) }, None);
    }

    /// Turns sources off for everybody inside but those whose role is spared. All are told in one event each:
    /// with 300 open microphones an event about each would be 90,000.
    fn turn_all_off(&mut self, sources: &[Source], by: ParticipantId, spared: impl Fn(Role) -> bool) {
        let mut turned_off = self.ids(|seat| seat.inside().is_some() && !spared(seat.role));
        turned_off.retain(|participant| self.turn_off(*participant, sources, Some(by)));
        if !turned_off.is_empty() {
            self.tell_inside(Event::TurnedOff { participants: turned_off, sources: sources.to_vec() }, None);
        }
    }

    pub(super) fn mute_all(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        may_unmute: bool,
    ) -> Result<Outcome, RefusalCode> {
        need(role, Action::Mute)?;
        let changes = vec![PolicyChange { field: PolicyField::MayUnmute, on: may_unmute }];
        self.note(now, Some(me), "mute-all", None, Some(LogDetail::Policy { changes }));
        self.turn_all_off(&[Source::Microphone], me, exempt);
        self.replace_policy(me, Policy { may_unmute, ..self.state.policy });
        Ok(Outcome::Done)
    }

    /// Hosts go off, too: whatever is wrong may come from their own page. They may turn on again.
    pub(super) fn suspend_all(&mut self, now: Millis, me: ParticipantId, role: Role) -> Result<Outcome, RefusalCode> {
        need(role, Action::SuspendAll)?;
        self.note(now, Some(me), "suspend-all", None, None);
        self.turn_all_off(&Source::ALL, me, |_| false);
        let suspended = Policy {
            locked: true,
            may_unmute: false,
            may_show_camera: false,
            may_share: false,
            may_chat: false,
            ..self.state.policy
        };
        self.replace_policy(me, suspended);
        Ok(Outcome::Done)
    }
}

/// What differs.
fn changes(before: &Policy, after: &Policy) -> Vec<PolicyChange> {
    let of = |field, value: fn(&Policy) -> bool| {
        (value(before) != value(after)).then(|| PolicyChange { field, on: value(after) })
    };
    [
        of(PolicyField::Locked, |policy| policy.locked),
        of(PolicyField::WaitingRoom, |policy| policy.waiting_room),
        of(PolicyField::MayUnmute, |policy| policy.may_unmute),
        of(PolicyField::MayShowCamera, |policy| policy.may_show_camera),
        of(PolicyField::MayShare, |policy| policy.may_share),
        of(PolicyField::MayChat, |policy| policy.may_chat),
        of(PolicyField::MayRename, |policy| policy.may_rename),
        of(PolicyField::MuteOnEntry, |policy| policy.mute_on_entry),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_which_rules_changed() {
        let before = Policy {
            waiting_room: true,
            locked: false,
            may_unmute: true,
            may_show_camera: true,
            may_share: true,
            may_chat: true,
            may_rename: true,
            mute_on_entry: false,
        };
        assert!(changes(&before, &before).is_empty());
        let after = Policy { locked: true, may_share: false, ..before };
        let change = |field, on| PolicyChange { field, on };
        assert_eq!(changes(&before, &after), [change(PolicyField::Locked, true), change(PolicyField::MayShare, false)]);
        assert_eq!(changes(&after, &before), [change(PolicyField::Locked, false), change(PolicyField::MayShare, true)]);
    }
}
