//! The roles of design §1. Knows nothing of what they permit: that is the permission table's.

use serde::{Deserialize, Serialize};

/// What somebody is in a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Watches and hears, asks to speak.
    Listener,
    /// Speaks and shows unless forbidden.
    Attendee,
    /// All rights but ending, deleting and naming hosts.
    CoHost,
    /// All rights.
    Host,
}
