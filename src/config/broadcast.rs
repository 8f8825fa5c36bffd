//! Settings of live streams. Knows nothing of what they do elsewhere.

use super::kinds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Live streams by HLS, held in memory; what viewers go further back to, on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Broadcast {
    /// Milliseconds of a part, 200 to 1000. Viewers are three of them behind, and ask for each.
    #[serde(rename = "part_ms", with = "kinds::milliseconds")]
    pub part: Duration,
    /// Seconds that a segment has at least, 1 to 4; it ends with the next key frame.
    #[serde(rename = "segment_s", with = "kinds::seconds")]
    pub segment: Duration,
    /// Seconds that the playlist of viewers at the end has, 10 to 600: all of it is in memory.
    #[serde(rename = "window_s", with = "kinds::seconds")]
    pub window: Duration,
    /// Bytes that one stream may take; where they do not suffice, viewers can go back less far.
    pub max_bytes: u64,
    /// Seconds that viewers can go back while it is live, 0 to 86400; what is older than memory reaches lies in `live` of
    /// the data folder. 0: nothing is written.
    #[serde(rename = "rewind_s", with = "kinds::seconds")]
    pub rewind: Duration,
    /// Bytes of the disk that one stream may take; where they do not suffice, viewers can go back less far.
    pub rewind_max_bytes: u64,
    /// Requests that wait for what comes next, of all streams: each viewer has two or three.
    pub max_waiting: u32,
}

impl Default for Broadcast {
    fn default() -> Self {
        Self {
            part: Duration::from_millis(350),
            segment: Duration::from_secs(2),
            window: Duration::from_secs(30),
            max_bytes: 128 << 20,
            rewind: Duration::from_secs(7_200),
            rewind_max_bytes: 8 << 30,
            max_waiting: 20_000,
        }
    }
}
