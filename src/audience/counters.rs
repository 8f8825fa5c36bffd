//! What is counted about audiences, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};

/// Sockets of viewers.
pub static VIEWERS: Gauge =
    Gauge::new("symposia_audience_sockets", "Open sockets of viewers who may comment and like.");
/// Comments that were taken.
pub static COMMENTS: Counter = Counter::new("symposia_comments_total", "Comments taken.");
/// Comments that were not.
pub static REFUSED: Counter = Counter::new("symposia_comments_refused_total", "Comments refused.");
/// Likes that were counted.
pub static LIKES: Counter = Counter::new("symposia_likes_total", "Likes counted.");
/// Likes beyond what one viewer may give in a time.
pub static LIKES_REFUSED: Counter =
    Counter::new("symposia_likes_refused_total", "Likes of viewers who liked too fast.");
/// News that a socket was too slow for; it was told everything afresh.
pub static DROPPED: Counter = Counter::new(
    "symposia_audience_dropped_total",
    "News that viewers read too slowly for; they get everything afresh.",
);

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 6] {
    [VIEWERS.family(), COMMENTS.family(), REFUSED.family(), LIKES.family(), LIKES_REFUSED.family(), DROPPED.family()]
}
