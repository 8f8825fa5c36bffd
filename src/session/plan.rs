//! What an offer and its answer agreed on, in the words of the media plane. `session::sdp` makes it,
//! the worker builds a session from it. Knows no SDP syntax.

use std::fmt;

/// A media section's `a=mid`, at most 16 bytes (RFC 5888; longer ones are refused).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mid(pub String);

/// A simulcast encoding's `a=rid`, at most 16 bytes (RFC 8851).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rid(pub String);

/// A synchronization source, as in the RTP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

/// A payload type, 0 to 127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadType(pub u8);

/// ICE short-term credentials (RFC 8445 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 characters. Ours begins with the worker's index, see [`crate::worker::api`].
    pub ufrag: String,
    /// 22 to 256 characters.
    pub password: String,
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// SHA-256 of a DTLS certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Which side starts the DTLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// We wait for the peer's ClientHello (it offered `actpass` or `active`).
    Passive,
    /// We send the ClientHello (it offered `passive`).
    Active,
}

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// A codec that we forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// Redundant audio, RFC 2198, of Opus.
    Red,
    /// RFC 7741.
    Vp8,
    /// RFC 9628, with its `profile-id`.
    Vp9 {
        /// 0 to 3.
        profile: u8,
    },
    /// RFC 6184, packetization mode 1.
    H264 {
        /// The first two bytes of `profile-level-id`: profile and constraints.
        profile: u16,
    },
    /// AV1 RTP specification 1.0.
    Av1,
}

impl Codec {
    /// Whether it is of sound.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self, Self::Opus | Self::Red)
    }
}

/// A codec as agreed for one media section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecPlan {
    /// Which.
    pub codec: Codec,
    /// Its number on the wire.
    pub payload_type: PayloadType,
    /// RTP ticks per second.
    pub clock_rate: u32,
    /// The number of its retransmission format (RFC 4588).
    pub rtx: Option<PayloadType>,
    /// Generic NACK (RFC 4585 §6.2.1).
    pub nack: bool,
    /// Picture loss indication (RFC 4585 §6.3.1).
    pub pli: bool,
    /// Transport-wide feedback.
    pub transport_cc: bool,
    /// Receiver estimated maximum bitrate, for those without transport-wide feedback.
    pub remb: bool,
}

/// Numbers of the header extensions (RFC 8285); the same in all sections of a BUNDLE group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionIds {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`
    pub repaired_rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464)
    pub audio_level: Option<u8>,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`
    pub transport_cc: Option<u8>,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`
    pub abs_send_time: Option<u8>,
    /// `urn:3gpp:video-orientation`
    pub video_orientation: Option<u8>,
    /// `https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension`
    pub dependency_descriptor: Option<u8>,
}

/// A stream that the peer announced by `a=ssrc` or `a=ssrc-group:FID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnouncedStream {
    /// The media.
    pub media: Ssrc,
    /// Its retransmissions.
    pub rtx: Option<Ssrc>,
}

/// A section in which the peer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivePlan {
    /// What it may send, in the answer's order.
    pub codecs: Vec<CodecPlan>,
    /// What it announced; may be empty (then mid and rid extensions tell).
    pub announced: Vec<AnnouncedStream>,
    /// Simulcast encodings in the order of the offer (lowest first as our web app offers them); empty without.
    pub rids: Vec<Rid>,
}

/// A section in which we send: a receive slot of the peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendPlan {
    /// What the peer takes, in its order.
    pub codecs: Vec<CodecPlan>,
    /// Ours.
    pub ssrc: Ssrc,
    /// Of our retransmissions, where RTX was agreed.
    pub rtx: Option<Ssrc>,
    /// The number of the dependency descriptor, where the peer takes it here.
    pub dependency_descriptor: Option<u8>,
}

/// What happens in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// The peer sends.
    Receive(ReceivePlan),
    /// We send.
    Send(SendPlan),
    /// Nothing (rejected, or `inactive`).
    Idle,
}

/// One media section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub mid: Mid,
    /// Sound or picture.
    pub kind: Kind,
    /// What happens in it.
    pub flow: Flow,
}

/// All that a session is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPlan {
    /// Ours.
    pub local: IceCredentials,
    /// The peer's.
    pub remote: IceCredentials,
    /// Of the peer's certificate.
    pub fingerprint: Fingerprint,
    /// Ours.
    pub dtls: DtlsRole,
    /// Agreed header extensions.
    pub extensions: ExtensionIds,
    /// In the order of the SDP.
    pub sections: Vec<Section>,
}
