//! What is counted about recordings, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};
use recordings::upload::Happened;

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
/// In the object store.
pub static STORED: Counter =
    Counter::new("symposia_recording_files_stored_total", "Files of recordings copied to the object store.");
/// The same.
pub static STORED_BYTES: Counter =
    Counter::new("symposia_recording_bytes_stored_total", "Bytes of recordings copied to the object store.");
/// Tried again.
pub static STORE_FAILED: Counter = Counter::new(
    "symposia_recording_store_failures_total",
    "Files of recordings that the object store did not take; each is tried again.",
);
/// On their way there.
pub static TO_STORE: Gauge = Gauge::new(
    "symposia_recording_bytes_to_store",
    "Bytes of recordings that are complete and not in the object store yet.",
);

/// What the uploader tells.
pub(super) fn count(happened: Happened) {
    match happened {
        Happened::Stored { bytes } => {
            STORED.add(1);
            STORED_BYTES.add(bytes);
        }
        Happened::Failed => STORE_FAILED.add(1),
        Happened::Left { bytes } => TO_STORE.set(i64::try_from(bytes).unwrap_or(i64::MAX)),
    }
}

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 11] {
    [
        RUNNING.family(),
        SUSPENDED.family(),
        STARTED.family(),
        FAILED.family(),
        BYTES.family(),
        DROPPED.family(),
        EXPIRED.family(),
        STORED.family(),
        STORED_BYTES.family(),
        STORE_FAILED.family(),
        TO_STORE.family(),
    ]
}
