//! UDP in batches on Linux: one socket per worker, received with recvmmsg and GRO, sent with
//! sendmmsg and GSO. The one place with `unsafe`. Knows nothing of what the datagrams hold.
//!
//! Addresses are normalised at this border: an IPv4 peer of a dual-stack socket has an IPv4
//! address inside and an IPv4-mapped one outside.

mod address;
mod cores;
mod outcome;
mod prefetch;
mod raised;
mod receive;
mod send;
mod socket;
mod steering;
mod transmit;
mod wait;

#[cfg(test)]
mod tests;

use std::sync::atomic;

pub use address::interfaces;
pub use cores::{cores, pin_to_core};
pub use outcome::{Dropped, SendReport};
pub use prefetch::prefetch;
pub use receive::{ReceiveBatch, Received};
pub use send::{MAX_BURST_BYTES, MAX_BURST_DATAGRAMS, SendBatch, Sent};
pub use socket::Socket;
pub use wait::{Readiness, Waker};
