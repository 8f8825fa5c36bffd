//! The timeline: what happened while a recording ran, for chapters, speakers and chat of a replay. Knows no meeting.

use crate::journal;
use serde::{Deserialize, Serialize};

/// What happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In milliseconds since the recording began.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Event {
    /// Somebody is in.
    Joined {
        /// Who.
        participant: u32,
        /// Their name.
        name: String,
    },
    /// Somebody is in no more.
    Left {
        /// Who.
        participant: u32,
    },
    /// Somebody goes by another name.
    Renamed {
        /// Who.
        participant: u32,
        /// Their name from now on.
        name: String,
    },
    /// A microphone, camera or screen was turned on or off.
    Source {
        /// Whose.
        participant: u32,
        /// Which.
        source: String,
        /// On or off.
        on: bool,
    },
    /// Who speaks, the loudest first; nobody where empty.
    Speaking {
        /// Who.
        participants: Vec<u32>,
    },
    /// Somebody wrote to everybody.
    Chat {
        /// Who.
        participant: u32,
        /// Their name then.
        name: String,
        /// What.
        text: String,
    },
    /// The host marked this place.
    Mark {
        /// What it is called.
        text: String,
    },
}

/// The entries of a timeline that are whole, in their order.
#[must_use]
pub fn read(bytes: &[u8]) -> Vec<Entry> {
    journal::read(bytes)
}
