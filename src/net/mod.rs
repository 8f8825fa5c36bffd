//! The network: datagrams in batches, and STUN. Knows no sessions and no media.

pub mod stun;
pub mod udp;
