//! The moderation log: who did what to whom. Knows no rules.

use crate::ids::{Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::protocol::{LogDetail, LogEntry};

impl Meeting {
    /// Writes an entry; call it while those concerned still have their names.
    pub(super) fn note(
        &mut self,
        now: Millis,
        by: Option<ParticipantId>,
        action: &str,
        on: Option<ParticipantId>,
        detail: Option<LogDetail>,
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
