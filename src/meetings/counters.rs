//! What is counted about meetings and sockets, for `/metrics`. Knows nothing of what counts.

use crate::telemetry::metrics::{Counter, Family, Gauge};

/// Meetings in memory.
pub static MEETINGS: Gauge = Gauge::new("symposia_meetings", "Live meetings.");
/// Seats inside meetings.
pub static PARTICIPANTS: Gauge = Gauge::new("symposia_participants", "Participants with a seat, connected or not.");
/// Seats in waiting rooms.
pub static WAITING: Gauge = Gauge::new("symposia_waiting", "People in waiting rooms.");
/// WebSockets.
pub static SOCKETS: Gauge = Gauge::new("symposia_websockets", "Open WebSockets.");
/// Sockets cut off because their queue was full.
pub static SLOW_CLIENTS: Counter =
    Counter::new("symposia_slow_clients_total", "WebSockets closed because the client read too slowly.");
/// Acknowledgements that took over a second.
pub static LATE_ACKNOWLEDGEMENTS: Counter = Counter::new(
    "symposia_late_acknowledgements_total",
    "Removals and mutes that a worker or the store acknowledged late.",
);
/// Messages from clients.
pub static MESSAGES: Counter = Counter::new("symposia_messages_received_total", "WebSocket messages received.");

/// For [`crate::telemetry::metrics::register`].
#[must_use]
pub fn families() -> [Family; 7] {
    [
        MEETINGS.family(),
        PARTICIPANTS.family(),
        WAITING.family(),
        SOCKETS.family(),
        SLOW_CLIENTS.family(),
        LATE_ACKNOWLEDGEMENTS.family(),
        MESSAGES.family(),
    ]
}
