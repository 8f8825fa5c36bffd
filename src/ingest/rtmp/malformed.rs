//! Why a connection cannot go on. Knows no bytes.

use thiserror::Error;

/// Why a connection cannot go on: what it sent cannot be read, or is more than its bounds allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The first byte is not 3: no RTMP, or RTMPE.
    #[error("this is no RTMP")]
    Version,
    /// A chunk size of nothing.
    #[error("a chunk size that cannot be")]
    ChunkSize,
    /// A chunk without what it refers to, too many chunk streams, or a message begun inside another one.
    #[error("chunks that do not belong together")]
    ChunkStream,
    /// A message is longer than the bounds allow.
    #[error("a message that is too long")]
    TooLong,
    /// A control message that is too short.
    #[error("a control message that is cut")]
    Control,
    /// A command that is none.
    #[error("a command that cannot be read")]
    Amf,
    /// It did not come so far in time.
    #[error("nothing came for too long")]
    Late,
}
