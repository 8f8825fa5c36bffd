//! What people do for themselves: sources, hand, name, chat.

use crate::ids::{Millis, ParticipantId, Source};
use crate::meeting::Meeting;
use crate::meeting::chat::Readers;
use crate::meeting::command::need;
use crate::meeting::effect::Effect;
use crate::meeting::text::{clean_chat, clean_name};
use crate::permission::{Action, Rule, allows, exempt, permits_on};
use crate::protocol::{Audience, ChatMessage, Event, LogDetail, Outcome, RefusalCode};
use crate::role::Role;

impl Meeting {
    pub(super) fn set_source(
        &mut self,
        me: ParticipantId,
        role: Role,
        source: Source,
        on: bool,
    ) -> Result<Outcome, RefusalCode> {
        if !on {
            if self.turn_off(me, &[source], None) {
                self.tell_updated(me, None);
            }
            return Ok(Outcome::Done);
        }
        need(role, Action::Publish)?;
        let allowed = allows(&self.state.policy, role, Rule::of(source));
        let Some(seat) = self.state.seats.get_mut(&me) else { return Err(RefusalCode::NotAdmitted) };
        let epoch = seat.epoch;
        let Some(inside) = seat.inside_mut() else { return Err(RefusalCode::NotAdmitted) };
        if inside.on.contains(&source) {
            return Ok(Outcome::Done);
        }
        let asked = inside.asked.remove(&source);
        if !allowed && !asked {
            return Err(RefusalCode::ForbiddenByPolicy);
        }
        inside.on.insert(source);
        self.changed = true;
        self.effect(Effect::SetGate { participant: me, epoch, source, open: true });
        self.tell_updated(me, None);
        Ok(Outcome::Done)
    }

    /// Turns sources off that are on, closing their gates; whether there were any. What was asked for
    /// is asked no more. `by` is the host who did it, whom the participant is told.
    pub(super) fn turn_off(&mut self, of: ParticipantId, sources: &[Source], by: Option<ParticipantId>) -> bool {
        let Some(seat) = self.state.seats.get_mut(&of) else { return false };
        let epoch = seat.epoch;
        let Some(inside) = seat.inside_mut() else { return false };
        let mut turned_off = Vec::new();
        for source in sources {
            self.changed |= inside.asked.remove(source);
            if inside.on.remove(source) {
                turned_off.push(*source);
            }
        }
        for source in &turned_off {
            self.changed = true;
            self.effect(Effect::SetGate { participant: of, epoch, source: *source, open: false });
        }
        if let Some(by) = by {
            for source in &turned_off {
                self.tell(of, Event::Muted { source: *source, by });
            }
        }
        !turned_off.is_empty()
    }

    pub(super) fn set_hand(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        raised: bool,
    ) -> Result<Outcome, RefusalCode> {
        need(role, Action::RaiseHand)?;
        // No two at the same time, and never before an earlier one: the times are the queue.
        let next = now.max(self.state.last_hand.plus(1));
        let Some(inside) = self.state.seats.get_mut(&me).and_then(|seat| seat.inside_mut()) else {
            return Err(RefusalCode::NotAdmitted);
        };
        if inside.hand_raised_at.is_some() == raised {
            return Ok(Outcome::Done);
        }
        inside.hand_raised_at = raised.then_some(next);
        if raised {
            self.state.last_hand = next;
        }
        self.changed = true;
        self.tell_updated(me, None);
        Ok(Outcome::Done)
    }

    pub(super) fn rename(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        whose: ParticipantId,
        name: &str,
    ) -> Result<Outcome, RefusalCode> {
        if whose == me {
            need(role, Action::RenameSelf)?;
            if !allows(&self.state.policy, role, Rule::Rename) {
                return Err(RefusalCode::ForbiddenByPolicy);
            }
        } else {
            need(role, Action::RenameOthers)?;
            if !permits_on(role, Action::RenameOthers, self.role_inside(whose)?) {
                return Err(RefusalCode::NotPermitted);
            }
        }
        let name = clean_name(name).ok_or(RefusalCode::BadName)?;
        if self.seat(whose).is_some_and(|seat| seat.name == name) {
            return Ok(Outcome::Done);
        }
        self.note(now, Some(me), "rename", Some(whose), Some(LogDetail::Name { name: name.clone() }));
        if let Some(seat) = self.state.seats.get_mut(&whose) {
            seat.name = name;
        }
        self.tell_updated(whose, None);
        Ok(Outcome::Done)
    }

    pub(super) fn send_chat(
        &mut self,
        now: Millis,
        me: ParticipantId,
        role: Role,
        to: Audience,
        text: &str,
    ) -> Result<Outcome, RefusalCode> {
        need(role, Action::Chat)?;
        let (readers, to_hosts) = match to {
            Audience::Everyone => (Readers::Everyone, false),
            Audience::Hosts => {
                let hosts = self.ids(|seat| exempt(seat.role) && seat.inside().is_some());
                (Readers::These(hosts.into_iter().chain([me]).collect()), true)
            }
            Audience::One { participant } => {
                let to_host = exempt(self.role_inside(participant)?);
                (Readers::These([me, participant].into()), to_host)
            }
        };
        if !to_hosts && !allows(&self.state.policy, role, Rule::Chat) {
            return Err(RefusalCode::ForbiddenByPolicy);
        }
        let text = clean_chat(text, self.state.settings.limits.chat_characters).ok_or(RefusalCode::BadText)?;
        let limits = self.state.settings.limits;
        let Some(seat) = self.state.seats.get_mut(&me) else { return Err(RefusalCode::NotAdmitted) };
        if !seat.chat_rate.take(now, limits.chat) {
            return Err(RefusalCode::TooMany);
        }
        let id = self.state.chat.next_id();
        let message = ChatMessage { id, from: me, name: seat.name.clone(), to, at: now, text };
        self.changed = true;
        match &readers {
            Readers::Everyone => self.tell_inside(Event::Chat { message: message.clone() }, None),
            Readers::These(these) => {
                for reader in these {
                    self.tell(*reader, Event::Chat { message: message.clone() });
                }
            }
        }
        self.state.chat.keep(message, readers, limits.chat_kept);
        Ok(Outcome::Done)
    }
}
