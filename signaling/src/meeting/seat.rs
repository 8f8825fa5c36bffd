//! One seat: who sits there, where, and by which connection. Knows nothing of other seats.

use crate::ids::{Epoch, Millis, ParticipantId, Source};
use crate::meeting::answers::Answers;
use crate::meeting::effect::Entry;
use crate::meeting::outbox::Outbox;
use crate::meeting::settings::Bucket;
use crate::permission::{Action, permits};
use crate::protocol::{Participant, WaitingPerson};
use crate::role::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What brings its bearer back to the seat.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SeatSecret(pub(super) String);

impl SeatSecret {
    /// Compares in a time that tells nothing of where the two differ.
    pub(super) fn is(&self, given: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), given.as_bytes());
        let difference = ours.iter().zip(theirs).fold(0, |difference, (a, b)| difference | (a ^ b));
        ours.len() == theirs.len() && difference == 0
    }
}

impl fmt::Debug for SeatSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeatSecret(…)")
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) secret: SeatSecret,
    pub(super) identity: Option<String>,
    pub(super) name: String,
    pub(super) role: Role,
    /// Nobody is a guest.
    #[serde(default)]
    pub(super) account: Option<i64>,
    pub(super) entry: Entry,
    /// Of the newest admission; 0 before the first.
    pub(super) epoch: Epoch,
    pub(super) place: Place,
    #[serde(skip)]
    pub(super) line: Line,
    pub(super) outbox: Outbox,
    pub(super) answers: Answers,
    #[serde(skip)]
    pub(super) command_rate: Bucket,
    #[serde(skip)]
    pub(super) chat_rate: Bucket,
}

/// Where somebody is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Place {
    Waiting { since: Millis, sent_back: bool },
    Inside(Inside),
}

/// What only those have who are inside.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) joined_at: Millis,
    /// The sources whose gates are open.
    pub(super) on: BTreeSet<Source>,
    /// The sources that a host asked for: each may be turned on once whatever the rules say.
    pub(super) asked: BTreeSet<Source>,
    pub(super) hand_raised_at: Option<Millis>,
    pub(super) spotlight: bool,
    /// The first chat message after the admission.
    pub(super) chat_from: u64,
}

/// Whether there is a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Connected,
    Lost { kept_until: Millis },
}

impl Default for Line {
    /// After a restart nobody is connected; how long seats are kept is the restorer's to say.
    fn default() -> Self {
        Line::Lost { kept_until: Millis(0) }
    }
}

impl Seat {
    pub(super) const fn inside(&self) -> Option<&Inside> {
        match &self.place {
            Place::Inside(inside) => Some(inside),
            Place::Waiting { .. } => None,
        }
    }

    pub(super) const fn inside_mut(&mut self) -> Option<&mut Inside> {
        match &mut self.place {
            Place::Inside(inside) => Some(inside),
            Place::Waiting { .. } => None,
        }
    }

    pub(super) fn connected(&self) -> bool {
        self.line == Line::Connected
    }

    /// Inside with the right to let people in.
    pub(super) fn may_admit(&self) -> bool {
        self.inside().is_some() && permits(self.role, Action::Admit)
    }

    /// As the others see it; `None` for those who wait.
    pub(super) fn participant(&self, id: ParticipantId) -> Option<Participant> {
        let inside = self.inside()?;
        Some(Participant {
            id,
            name: self.name.clone(),
            role: self.role,
            guest: self.account.is_none(),
            microphone: inside.on.contains(&Source::Microphone),
            camera: inside.on.contains(&Source::Camera),
            screen: inside.on.contains(&Source::Screen),
            screen_audio: inside.on.contains(&Source::ScreenAudio),
            hand_raised_at: inside.hand_raised_at,
            spotlight: inside.spotlight,
            connected: self.connected(),
            joined_at: inside.joined_at,
        })
    }

    /// As hosts see it; `None` for those inside.
    pub(super) fn waiting_person(&self, id: ParticipantId) -> Option<WaitingPerson> {
        let Place::Waiting { since, sent_back } = self.place else { return None };
        Some(WaitingPerson { id, name: self.name.clone(), guest: self.account.is_none(), since, sent_back })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_equal_to_itself_only_and_is_not_printed() {
        let secret = SeatSecret("Zx81mPq0".into());
        assert!(secret.is("Zx81mPq0"));
        for other in ["", "Zx81mPq", "Zx81mPq1", "Zx81mPq00"] {
            assert!(!secret.is(other), "{other}");
        }
        assert!(!format!("{secret:?}").contains("Zx81"));
    }
}
