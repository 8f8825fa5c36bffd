//! The moderation log: who did what to whom. Knows words, no rules.

use crate::ids::{Millis, ParticipantId, Source};
use crate::meeting::Meeting;
use crate::protocol::LogEntry;
use crate::role::Role;

impl Meeting {
    /// Writes an entry; call it while those concerned still have their names.
    pub(super) fn note(
        &mut self,
        now: Millis,
        by: Option<ParticipantId>,
        action: &str,
        on: Option<ParticipantId>,
        detail: Option<String>,
    ) {
        let name = |who: Option<ParticipantId>| who.and_then(|who| self.seat(who)).map(|seat| seat.name.clone());
        let (by_name, on_name) = (name(by), name(on));
        self.state.log.push_back(LogEntry { at: now, by, by_name, action: action.to_owned(), on, on_name, detail });
        if self.state.log.len() > self.state.settings.limits.log_kept {
            self.state.log.pop_front();
        }
        self.changed = true;
    }
}

/// A source in a word for people.
pub(super) const fn source_word(source: Source) -> &'static str {
    match source {
        Source::Microphone => "microphone",
        Source::Camera => "camera",
        Source::Screen => "screen",
        Source::ScreenAudio => "screen sound",
    }
}

/// A role in a word for people.
pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Listener => "listener",
        Role::Attendee => "attendee",
        Role::CoHost => "co-host",
        Role::Host => "host",
    }
}
