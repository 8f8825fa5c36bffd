//! What people are told of a recording of their meeting. Knows no files.

use crate::ids::Millis;
use serde::{Deserialize, Serialize};

/// A recording under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Names it, also when it is over.
    pub id: String,
    /// How it stands.
    pub state: RecordingState,
    /// What keeps it from going on; it does by itself when that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<RecordingTrouble>,
    /// Since when it stands so.
    pub since: Millis,
    /// Milliseconds that were recorded until `since`.
    pub recorded_ms: u64,
}

/// How a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingState {
    /// What people say and show is kept.
    Recording,
    /// Nothing is kept, as somebody wanted.
    Paused,
    /// Nothing is kept, because of the trouble.
    Suspended,
}

/// What keeps a recording from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingTrouble {
    /// There is no room on the server's disk.
    DiskFull,
    /// The server's disk can't be written to.
    ReadOnly,
    /// The server's disk does not keep up.
    Slow,
    /// Something else is wrong with it.
    Failed,
}

/// The end of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingEnd {
    /// Which.
    pub id: String,
    /// Why.
    pub why: RecordingEndReason,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingEndReason {
    /// Somebody stopped it, or the server stops.
    Stopped,
    /// It became as large as it may.
    Quota,
    /// The server can't go on with it.
    Failed,
    /// The meeting ended, or nobody is in it any more.
    MeetingEnded,
}
