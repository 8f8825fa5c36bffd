//! The network: datagrams in batches, whose they are, and STUN. Knows no sessions and no media.

pub mod counters;
pub mod demux;
pub mod stun;
pub mod udp;
