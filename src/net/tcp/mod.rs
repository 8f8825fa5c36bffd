//! Datagrams over TCP, for peers whose network has no UDP: passive candidates of ICE (RFC 6544) with a length before each
//! datagram (RFC 4571). A worker owns its connections as it owns its socket. Knows no sessions and no clock.
//!
//! Everywhere else a connection is an address like others: that of the peer, marked so that no UDP datagram has it. So tables,
//! ICE and batches need no word for TCP; what stands in a [`super::udp::SendBatch`] for such an address is taken out for
//! [`Connections::send`] before the rest goes to the socket.

mod address;
mod connections;
mod frame;

#[cfg(test)]
mod tests;

pub use address::is_tcp;
pub use connections::{Connections, Heard, NewConnection, PROVE_WITHIN};
pub use frame::{Malformed, PREFIX, next};
