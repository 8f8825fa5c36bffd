//! The network: datagrams in batches or over TCP, whose they are, and STUN. Knows no sessions and no media.

pub mod counters;
pub mod demux;
pub mod stun;
pub mod tcp;
pub mod udp;
