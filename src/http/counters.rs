//! What is counted about requests, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};

/// Live broadcasts.
pub static BROADCASTS: Gauge = Gauge::new("symposia_broadcasts", "Live broadcasts.");
/// Requests to REST, WHIP and WHEP.
pub static REQUESTS: Counter = Counter::new("symposia_http_requests_total", "HTTP requests answered.");
/// Requests refused for their `Host` or `Origin`.
pub static FOREIGN: Counter =
    Counter::new("symposia_foreign_requests_total", "Requests refused for a foreign Host or Origin.");

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 3] {
    [BROADCASTS.family(), REQUESTS.family(), FOREIGN.family()]
}
