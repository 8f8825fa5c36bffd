//! What is counted about encoders, for `/metrics`. Knows nothing of what counts.

use super::media::Refused;
use crate::telemetry::metrics::{Counter, Counters, Family, Gauge};

/// Connections of encoders, also of those that do not publish yet.
pub static CONNECTIONS: Gauge = Gauge::new("symposia_ingest_connections", "Connections of encoders that are open.");
/// Of those, the ones that publish.
pub static PUBLISHING: Gauge = Gauge::new("symposia_ingest_publishers", "Encoders that publish.");
/// Pictures and sounds.
pub static FRAMES: Counter = Counter::new("symposia_ingest_frames_total", "Pictures and sounds that encoders sent.");
/// Of those.
pub static BYTES: Counter =
    Counter::new("symposia_ingest_bytes_total", "Bytes of pictures and sounds that encoders sent.");
/// What came and could not be used.
pub static DROPPED: Counter = Counter::new(
    "symposia_ingest_dropped_total",
    "Tags of encoders that could not be read or come before their format.",
);
/// Connections that ended before anything was published, and publishers that were cut.
pub static REFUSED: Counters<6> = Counters::new(
    "symposia_ingest_refused_total",
    "Connections of encoders that were refused or cut, by reason.",
    "reason",
    ["full", "wrong-key", "busy", "unavailable", "malformed", "late"],
);

/// Why; in the order of [`REFUSED`]'s labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No place is left.
    Full,
    /// No broadcast has the key.
    WrongKey,
    /// Somebody else publishes.
    Busy,
    /// The server stops.
    Unavailable,
    /// What it sent cannot be read.
    Malformed,
    /// It took too long.
    Late,
}

impl Reason {
    /// Counts one.
    pub fn count(self) {
        REFUSED.add(self as usize, 1);
    }
}

impl From<Refused> for Reason {
    fn from(why: Refused) -> Self {
        match why {
            Refused::WrongKey => Self::WrongKey,
            Refused::Busy => Self::Busy,
            Refused::Unavailable => Self::Unavailable,
        }
    }
}

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 6] {
    [CONNECTIONS.family(), PUBLISHING.family(), FRAMES.family(), BYTES.family(), DROPPED.family(), REFUSED.family()]
}
