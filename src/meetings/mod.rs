//! Live meetings: one task each that owns its `signaling::Meeting`, and the directory of them; live
//! broadcasts beside them. Knows no HTTP and no packets.
//!
//! The way of a command: a socket's [`Seat`] → the mailbox → [`signaling::Meeting`] → its effects →
//! workers at once, sockets in order behind what workers and store have acknowledged.

pub mod broadcasts;
pub mod counters;
mod directory;
mod mailbox;
mod media;
pub mod network_tests;
mod outbox;
mod quality;
pub mod rate;
mod recording;
mod refusal;
mod saver;
mod steps;
pub mod stored;
mod task;

pub use directory::{Directory, join_url};
pub use mailbox::{Description, Door, Seat};
pub use outbox::{CloseReason, ConnectionId, Outbox, OutboxReader, Outgoing, QUEUE, outbox};
pub use refusal::Refusal;
