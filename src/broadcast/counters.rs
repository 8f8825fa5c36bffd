//! What is counted about live streams, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};

/// On air.
pub static LIVE: Gauge =
    Gauge::new("symposia_live_streams", "Live streams that somebody publishes or may come back to.");
/// Held for viewers.
pub static BYTES: Gauge = Gauge::new("symposia_live_bytes", "Bytes of live streams held in memory for viewers.");
/// Made.
pub static PARTS: Counter = Counter::new("symposia_live_parts_total", "Parts of live streams made.");
/// Came and could not be used.
pub static DROPPED: Counter =
    Counter::new("symposia_live_frames_dropped_total", "Frames of live streams that could not be used.");
/// Gaps for who goes back.
pub static NOT_KEPT: Counter = Counter::new(
    "symposia_live_segments_not_kept_total",
    "Segments of live streams that are not on the disk for those who go back: it was full or too slow.",
);
/// Viewers who wait for something that comes next.
pub static WAITING: Gauge = Gauge::new("symposia_hls_waiting", "HLS requests that wait for what comes next.");
/// Answered.
pub static PLAYLISTS: Counter = Counter::new("symposia_hls_playlists_total", "HLS playlists given.");
/// Given.
pub static SENT: Counter = Counter::new("symposia_hls_sent_bytes_total", "Bytes of HLS parts and segments given.");

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 8] {
    [
        LIVE.family(),
        BYTES.family(),
        PARTS.family(),
        DROPPED.family(),
        NOT_KEPT.family(),
        WAITING.family(),
        PLAYLISTS.family(),
        SENT.family(),
    ]
}
