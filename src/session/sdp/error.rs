//! Why an offer is not answered, in sentences for the person who wrote the client. Knows no status codes.

use crate::session::plan::Mid;

/// Why an offer is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than [`super::MAX_BYTES`].
    #[error("the offer has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// More lines than [`super::MAX_LINES`].
    #[error("the offer has more than {limit} lines")]
    TooManyLines {
        /// The bound.
        limit: usize,
    },
    /// More media sections than the policy or [`super::MAX_SECTIONS`] allows.
    #[error("the offer has more than {limit} media sections")]
    TooManySections {
        /// The bound.
        limit: usize,
    },
    /// More of something than one section may have.
    #[error("line {line}: more than {limit} {what} in one media section")]
    TooMany {
        /// Counted from 1.
        line: usize,
        /// Of what, in the plural.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// It does not begin with `v=0`.
    #[error("this is no session description: it does not begin with v=0")]
    NotSdp,
    /// A line that must be understood is not.
    #[error("line {line}: {what}")]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A section has no `a=mid`.
    #[error("media section {index} has no a=mid")]
    MissingMid {
        /// Counted from 0.
        index: usize,
    },
    /// Two sections have one name.
    #[error("two media sections have the mid {}", .0.0)]
    DuplicateMid(Mid),
    /// No `a=ice-ufrag` and `a=ice-pwd`.
    #[error("the offer has no a=ice-ufrag and a=ice-pwd")]
    MissingIce,
    /// No `a=fingerprint:sha-256`.
    #[error("the offer has no a=fingerprint:sha-256")]
    MissingFingerprint,
    /// It says `a=ice-lite`, as we do: nobody would send checks (RFC 8445 §6.1.1).
    #[error("the offer says a=ice-lite, and so does this server: one side must be a full ICE agent")]
    BothIceLite,
    /// A section without `a=rtcp-mux`.
    #[error("media section {} does not offer rtcp-mux", .0.0)]
    NoRtcpMux(Mid),
    /// Not one section has a codec we forward.
    #[error("no media section can be accepted: wanted is Opus, VP8, VP9, H.264 (packetization-mode=1) or AV1")]
    NothingAccepted,
    /// A later offer has another certificate.
    #[error("the fingerprint changed; a new certificate needs a new session")]
    FingerprintChanged,
    /// A later offer asks for the other DTLS role.
    #[error("a=setup contradicts the DTLS role agreed before")]
    SetupChanged,
    /// A later offer lacks a section.
    #[error("media section {} of the session is missing", .0.0)]
    SectionMissing(Mid),
}
