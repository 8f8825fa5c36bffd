//! Settings of encoders that push. Listens on nothing.

use super::entrance::{self, Entrance};
use serde::{Deserialize, Serialize};

/// Encoders that push broadcasts in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Where RTMP is listened on: a port on the addresses of `listen`, or address and port. Empty: no RTMP.
    #[serde(with = "entrance::optional")]
    pub rtmp: Option<Entrance>,
    /// Whether a second publisher with a stream key replaces the first one, who is cut, or is refused.
    pub takeover: bool,
}

impl Default for Ingest {
    fn default() -> Self {
        Self { rtmp: Some(Entrance::Port(1935)), takeover: false }
    }
}
