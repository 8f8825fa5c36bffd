//! RTMP in (Adobe, "Real Time Messaging Protocol", December 2012; enhanced RTMP v2): what OBS and ffmpeg push. Our own
//! and not a crate's: see "Decisions" in `ARCHITECTURE.md`.
//!
//! [`session::Session`] is the protocol, told the time and without a socket; `server` drives it.

pub mod amf;
pub mod chunk;
mod malformed;
pub(super) mod server;
pub mod session;

pub use malformed::Malformed;
