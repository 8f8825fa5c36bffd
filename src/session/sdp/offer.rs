//! A client's session description as data. Knows no text and no policy.

use crate::session::plan::{Fingerprint, IceCredentials, Mid, PayloadType, Rid, Ssrc};

/// What we read of an offer (or, in Bots, of an answer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `sess-id` of the `o=` line, 0 where it is no number.
    pub session_id: u64,
    /// `sess-version` of the `o=` line, 0 where it is no number.
    pub session_version: u64,
    /// The mids of the first `a=group:BUNDLE`; `None` without such a line.
    pub bundle: Option<Vec<Mid>>,
    /// `a=extmap-allow-mixed` at session level (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// `a=ice-lite` (RFC 8839 §5.3).
    pub ice_lite: bool,
    /// Session-level credentials.
    pub credentials: Option<IceCredentials>,
    /// Session-level fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Session-level `a=setup`.
    pub setup: Option<Setup>,
    /// All sections in order, data channels too.
    pub sections: Vec<MediaSection>,
}

/// One `m=` line and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSection {
    /// `a=mid`.
    pub mid: Mid,
    /// `<media>` of the `m=` line.
    pub kind: MediaKind,
    /// `<proto>` of the `m=` line.
    pub protocol: String,
    /// `<fmt> …` of the `m=` line as it came.
    pub formats: String,
    /// Whether it is offered: its port is not 0, or it is `a=bundle-only` (RFC 9143 §6).
    pub enabled: bool,
    /// Seen from the offerer.
    pub direction: Direction,
    /// In the order of the `m=` line; numbers without `a=rtpmap` are left out.
    pub payloads: Vec<Payload>,
    /// `a=extmap`.
    pub extensions: Vec<Extension>,
    /// `a=extmap-allow-mixed` at media level.
    pub extmap_allow_mixed: bool,
    /// Encodings of `a=simulcast:send`, paused or not, that an `a=rid:… send` describes.
    pub rids: Vec<Rid>,
    /// The same of `a=simulcast:recv` and `a=rid:… recv`, as answers have them.
    pub received_rids: Vec<Rid>,
    /// `a=ssrc`, each once, in order, without 0.
    pub ssrcs: Vec<Ssrc>,
    /// `a=ssrc-group:FID` (RFC 5576, RFC 4588 §8.3): media and its retransmissions.
    pub retransmissions: Vec<(Ssrc, Ssrc)>,
    /// `a=ssrc-group:SIM`: encodings of one picture, lowest first.
    pub simulcast_ssrcs: Vec<Ssrc>,
    /// Media-level credentials.
    pub credentials: Option<IceCredentials>,
    /// Media-level fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Media-level `a=setup`.
    pub setup: Option<Setup>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=rtcp-rsize` (RFC 5506).
    pub rtcp_rsize: bool,
}

/// `<media>` of an `m=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaKind {
    /// `audio`
    Audio,
    /// `video`
    Video,
    /// `application` and whatever else.
    Other(String),
}

/// `a=sendrecv` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from who says it.
    SendOnly,
    /// Only to who says it.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether who says it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether who says it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            both => both,
        }
    }

    /// As in SDP.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }
}

/// `a=setup` (RFC 4145, RFC 8842).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Either.
    ActPass,
    /// It will be the DTLS client.
    Active,
    /// It will be the DTLS server.
    Passive,
}

/// One payload type of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The number.
    pub payload_type: PayloadType,
    /// The encoding's name in lower case.
    pub name: String,
    /// RTP ticks per second.
    pub clock_rate: u32,
    /// Channels, 1 where nothing is said.
    pub channels: u8,
    /// `a=fmtp` as it came, empty without.
    pub fmtp: String,
    /// `a=rtcp-fb`.
    pub feedback: Feedback,
}

impl Payload {
    /// The value of a parameter of `a=fmtp`, whatever its name's case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What `a=rtcp-fb` lines said (RFC 4585 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Feedback {
    /// `nack`
    pub nack: bool,
    /// `nack pli`
    pub pli: bool,
    /// `ccm fir`
    pub fir: bool,
    /// `transport-cc`
    pub transport_cc: bool,
    /// `goog-remb`
    pub remb: bool,
}

impl Feedback {
    /// What either has.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            nack: self.nack || other.nack,
            pli: self.pli || other.pli,
            fir: self.fir || other.fir,
            transport_cc: self.transport_cc || other.transport_cc,
            remb: self.remb || other.remb,
        }
    }
}

/// One `a=extmap` (RFC 8285).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// 1 to 14 in one-byte headers.
    pub id: u8,
    /// Its own direction, where it has one, seen from the offerer.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: String,
}
