//! What is counted about recordings, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};

/// Recordings under way.
pub static RUNNING: Gauge = Gauge::new("symposia_recordings", "Recordings under way.");
/// Of those, the ones that keep nothing because of the disk.
pub static SUSPENDED: Gauge =
    Gauge::new("symposia_recordings_suspended", "Recordings under way that keep nothing because of the disk.");
/// Begun.
pub static STARTED: Counter = Counter::new("symposia_recordings_started_total", "Recordings begun.");
/// Could not begin or go on.
pub static FAILED: Counter = Counter::new("symposia_recordings_failed_total", "Recordings that failed.");
/// On the disk.
pub static BYTES: Counter = Counter::new("symposia_recorded_bytes_total", "Bytes of recordings written.");
/// Came and were not kept.
pub static DROPPED: Counter =
    Counter::new("symposia_recorded_frames_dropped_total", "Frames that recordings could not keep.");
/// By age or size.
pub static EXPIRED: Counter = Counter::new("symposia_recordings_expired_total", "Recordings deleted by age or size.");

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 7] {
    [
        RUNNING.family(),
        SUSPENDED.family(),
        STARTED.family(),
        FAILED.family(),
        BYTES.family(),
        DROPPED.family(),
        EXPIRED.family(),
    ]
}
