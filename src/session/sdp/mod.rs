//! SDP offer and answer (RFC 3264, RFC 8829) for a server that only answers: ICE-lite, one BUNDLE,
//! rtcp-mux. Turns a client's offer into an answer and a [`SessionPlan`](super::plan::SessionPlan).
//! Knows no HTTP, no WebSocket, no meetings.
//!
//! The way: [`Offer::parse`] → `negotiate` (which codecs, extensions, encodings) → `write` (the text),
//! put together by [`answer`] and, for later offers of the same session, [`reanswer`].
//! [`client`] is the other side, for Bots.

mod answer;
pub mod client;
mod error;
mod fragment;
mod negotiate;
mod offer;
mod parse;
mod section;
mod write;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Local, answer, is_ice_restart, reanswer};
pub use error::SdpError;
pub use fragment::{Fragment, restarted};
pub use negotiate::{CodecKind, Policy, Role};
pub use offer::{Direction, Extension, Feedback, MediaKind, MediaSection, Offer, Payload, Setup};
pub use parse::{MAX_BYTES, MAX_EXTENSIONS, MAX_LINES, MAX_PAYLOADS, MAX_RIDS, MAX_SECTIONS, MAX_SSRCS};
