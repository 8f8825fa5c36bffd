//! Chooses, section by section, what of an offer we accept: direction, codecs, extensions, encodings.
//! Knows no text and draws no random numbers.

use super::offer::{Direction, Extension, MediaKind, MediaSection, Offer, Payload};
use crate::session::plan::{AnnouncedStream, Codec, CodecPlan, ExtensionIds, Kind, PayloadType, Rid, Ssrc};
use std::collections::HashSet;

/// Encodings that we take of one video; a fourth would never be chosen.
const MAX_ENCODINGS: usize = 3;
/// The largest extension number of a one-byte header (RFC 8285 §4.2), the only kind we write.
const MAX_ONE_BYTE_ID: u8 = 14;

/// A video codec, as meetings and broadcasts prefer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodecKind {
    /// RFC 7741.
    Vp8,
    /// RFC 6184.
    H264,
    /// RFC 9628.
    Vp9,
    /// AV1 RTP specification 1.0.
    Av1,
}

/// What the client came for; decides the direction of each section.
///
/// | offered | `Meeting` | `Whip` | `Whep` |
/// |---|---|---|---|
/// | `sendonly` | we receive | we receive | inactive |
/// | `recvonly` | we send | inactive | we send |
/// | `sendrecv` | we receive | we receive | we send |
/// | `inactive` | inactive | inactive | inactive |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A participant: sends its sources, receives in slots.
    Meeting,
    /// An encoder (RFC 9725). Many offer `sendrecv` and mean `sendonly`.
    Whip,
    /// A viewer. Some offer `sendrecv` and mean `recvonly`.
    Whep,
}

/// What we want of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What the client came for.
    pub role: Role,
    /// Most wanted first; in sections where we receive, the answer lists codecs in this order and a
    /// browser sends the first. Codecs not named follow in the offer's order.
    pub video_preference: Vec<CodecKind>,
    /// Asks the peer not to send more than this in a video section (`b=TIAS`, RFC 3890), in bit/s.
    pub max_video_bits_per_second: Option<u32>,
    /// Sections an offer may have, at most [`super::MAX_SECTIONS`].
    pub max_sections: usize,
}

/// What we do in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Port 0, not in the BUNDLE group.
    Rejected,
    /// Accepted, nothing flows.
    Inactive,
    /// The peer sends.
    Receive,
    /// We send.
    Send,
}

/// An offered section and what we accept of it.
#[derive(Debug)]
pub(super) struct Agreed<'a> {
    pub(super) media: &'a MediaSection,
    pub(super) kind: Option<Kind>,
    pub(super) outcome: Outcome,
    pub(super) codecs: Vec<AgreedCodec<'a>>,
    pub(super) extensions: Vec<AgreedExtension>,
    pub(super) rids: Vec<Rid>,
}

/// A codec we accept.
#[derive(Debug)]
pub(super) struct AgreedCodec<'a> {
    pub(super) plan: CodecPlan,
    pub(super) offered: &'a Payload,
}

/// An extension we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AgreedExtension {
    pub(super) name: ExtensionName,
    pub(super) id: u8,
    /// Seen from us.
    pub(super) direction: Option<Direction>,
}

/// The extensions of [`ExtensionIds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtensionName {
    Mid,
    Rid,
    RepairedRid,
    AudioLevel,
    TransportCc,
    AbsSendTime,
    VideoOrientation,
    DependencyDescriptor,
}

impl ExtensionName {
    pub(super) const ALL: [Self; 8] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AudioLevel,
        Self::TransportCc,
        Self::AbsSendTime,
        Self::VideoOrientation,
        Self::DependencyDescriptor,
    ];

    pub(super) const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }

    pub(super) fn slot(self, ids: &mut ExtensionIds) -> &mut Option<u8> {
        match self {
            Self::Mid => &mut ids.mid,
            Self::Rid => &mut ids.rid,
            Self::RepairedRid => &mut ids.repaired_rid,
            Self::AudioLevel => &mut ids.audio_level,
            Self::TransportCc => &mut ids.transport_cc,
            Self::AbsSendTime => &mut ids.abs_send_time,
            Self::VideoOrientation => &mut ids.video_orientation,
            Self::DependencyDescriptor => &mut ids.dependency_descriptor,
        }
    }

    /// Whether it has a use in a section of this kind. Our streams are announced by SSRC, so where
    /// we send, mid and rid would only cost bytes.
    fn serves(self, kind: Kind, sending: bool, simulcast: bool) -> bool {
        match self {
            Self::Mid => !sending,
            Self::Rid | Self::RepairedRid => simulcast,
            Self::AudioLevel => kind == Kind::Audio,
            Self::TransportCc | Self::AbsSendTime => true,
            Self::VideoOrientation | Self::DependencyDescriptor => kind == Kind::Video,
        }
    }
}

/// Decides on every section of an offer, in its order.
pub(super) fn negotiate<'a>(offer: &'a Offer, policy: &Policy) -> Vec<Agreed<'a>> {
    let ids = agree_ids(offer);
    // Without a group, sections would need transports of their own: the first one gets ours.
    let lone = offer.sections.iter().find(|section| section.enabled && kind(section).is_some()).map(|s| &s.mid);
    let bundled = |section: &MediaSection| match &offer.bundle {
        Some(mids) => mids.contains(&section.mid),
        None => lone == Some(&section.mid),
    };
    offer.sections.iter().map(|section| negotiate_section(section, bundled(section), &ids, policy)).collect()
}

fn negotiate_section<'a>(
    media: &'a MediaSection,
    bundled: bool,
    ids: &[(ExtensionName, u8)],
    policy: &Policy,
) -> Agreed<'a> {
    let rejected =
        |kind| Agreed { media, kind, outcome: Outcome::Rejected, codecs: vec![], extensions: vec![], rids: vec![] };
    let Some(kind) = kind(media) else { return rejected(None) };
    if !media.enabled || !bundled || !media.protocol.contains("RTP/SAVP") {
        return rejected(Some(kind));
    }
    let outcome = outcome(policy.role, media.direction);
    let sending = outcome == Outcome::Send;
    let find = |name| find_extension(media, ids, name, outcome);
    let rids = match outcome {
        Outcome::Receive if kind == Kind::Video && find(ExtensionName::Rid).is_some() => {
            media.rids.iter().take(MAX_ENCODINGS).cloned().collect()
        }
        _ => Vec::new(),
    };
    let extensions: Vec<_> = ExtensionName::ALL
        .into_iter()
        .filter(|name| name.serves(kind, sending, !rids.is_empty()))
        .filter_map(find)
        .collect();
    let has_transport_cc = extensions.iter().any(|extension| extension.name == ExtensionName::TransportCc);
    let mut codecs = accepted_codecs(media, has_transport_cc);
    if sending {
        // Slots carry what the router has, and it has Opus; RED is made of it where a link loses packets.
        codecs.sort_by_key(|codec| codec.plan.codec == Codec::Red);
    } else {
        sort_by_preference(&mut codecs, &policy.video_preference);
    }
    if codecs.iter().all(|codec| codec.plan.codec == Codec::Red) {
        return rejected(Some(kind));
    }
    Agreed { media, kind: Some(kind), outcome, codecs, extensions, rids }
}

pub(super) fn kind(media: &MediaSection) -> Option<Kind> {
    match media.kind {
        MediaKind::Audio => Some(Kind::Audio),
        MediaKind::Video => Some(Kind::Video),
        MediaKind::Other(_) => None,
    }
}

fn outcome(role: Role, offered: Direction) -> Outcome {
    match (role, offered) {
        (_, Direction::Inactive) => Outcome::Inactive,
        (Role::Meeting, Direction::RecvOnly) => Outcome::Send,
        (Role::Meeting | Role::Whip, offered) if offered.sends() => Outcome::Receive,
        (Role::Whep, offered) if offered.receives() => Outcome::Send,
        _ => Outcome::Inactive,
    }
}

/// The extensions whose number means the same in every section that has them (RFC 9143 §7.1.3 with
/// RFC 8285 §6 wants that of a BUNDLE group); others are dropped.
pub(super) fn agree_ids(offer: &Offer) -> Vec<(ExtensionName, u8)> {
    let offered = || {
        offer.sections.iter().filter(|section| section.enabled && kind(section).is_some()).flat_map(|s| &s.extensions)
    };
    ExtensionName::ALL
        .into_iter()
        .filter_map(|name| {
            let id = offered().find(|extension| extension.uri == name.uri())?.id;
            let clashes = offered().any(|other: &Extension| (other.uri == name.uri()) != (other.id == id));
            (!clashes && (1..=MAX_ONE_BYTE_ID).contains(&id)).then_some((name, id))
        })
        .collect()
}

fn find_extension(
    media: &MediaSection,
    ids: &[(ExtensionName, u8)],
    name: ExtensionName,
    outcome: Outcome,
) -> Option<AgreedExtension> {
    let (_, id) = *ids.iter().find(|(known, _)| *known == name)?;
    let offered = media.extensions.iter().find(|extension| extension.uri == name.uri())?;
    let useful = offered.direction.is_none_or(|direction| match outcome {
        Outcome::Receive => direction.sends(),
        Outcome::Send => direction.receives(),
        Outcome::Inactive | Outcome::Rejected => true,
    });
    useful.then_some(AgreedExtension { name, id, direction: offered.direction.map(Direction::reversed) })
}

/// Which codec we know a payload type as. RED and RTX depend on others: see [`accepted_codecs`].
pub(super) fn classify(payload: &Payload, kind: &MediaKind) -> Option<Codec> {
    match (kind, payload.name.as_str(), payload.clock_rate) {
        (MediaKind::Audio, "opus", 48_000) => Some(Codec::Opus),
        (MediaKind::Audio, "red", 48_000) => Some(Codec::Red),
        (MediaKind::Video, "vp8", 90_000) => Some(Codec::Vp8),
        (MediaKind::Video, "vp9", 90_000) => {
            (payload.parameter("profile-id").unwrap_or("0") == "0").then_some(Codec::Vp9 { profile: 0 })
        }
        (MediaKind::Video, "h264", 90_000) if payload.parameter("packetization-mode") == Some("1") => {
            let profile = h264_profile(payload)?;
            matches!(profile >> 8, 0x42 | 0x4d | 0x64).then_some(Codec::H264 { profile })
        }
        (MediaKind::Video, "av1", 90_000) => (payload.parameter("profile").unwrap_or("0") == "0").then_some(Codec::Av1),
        _ => None,
    }
}

/// The first two bytes of `profile-level-id`; baseline where it is missing (RFC 6184 §8.1).
fn h264_profile(payload: &Payload) -> Option<u16> {
    let Some(text) = payload.parameter("profile-level-id") else { return Some(0x4200) };
    let valid = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u16::from_str_radix(text.get(..4)?, 16).ok())?
}

/// Constrained baseline first: every browser has it.
fn h264_rank(codec: Codec) -> u8 {
    match codec {
        Codec::H264 { profile } if profile >> 8 == 0x42 && profile & 0x40 != 0 => 0,
        Codec::H264 { profile } if profile >> 8 == 0x42 => 1,
        Codec::H264 { profile } if profile >> 8 == 0x4d => 2,
        _ => 3,
    }
}

/// The codecs of a section that we know, in its order, each with its RTX.
pub(super) fn accepted_codecs(media: &MediaSection, has_transport_cc: bool) -> Vec<AgreedCodec<'_>> {
    let opus = media.payloads.iter().find(|payload| classify(payload, &media.kind) == Some(Codec::Opus));
    media
        .payloads
        .iter()
        .filter_map(|payload| {
            let codec = classify(payload, &media.kind)?;
            let mut feedback = payload.feedback;
            if codec == Codec::Red {
                // RED of Opus alone (RFC 2198 §5: `111/111`); what is asked for Opus holds inside it.
                let opus = opus?;
                let number = opus.payload_type.0.to_string();
                if payload.fmtp.is_empty() || !payload.fmtp.split('/').all(|block| block.trim() == number) {
                    return None;
                }
                feedback.transport_cc |= opus.feedback.transport_cc;
            }
            let transport_cc = feedback.transport_cc && has_transport_cc;
            Some(AgreedCodec {
                plan: CodecPlan {
                    codec,
                    payload_type: payload.payload_type,
                    clock_rate: payload.clock_rate,
                    rtx: rtx_of(media, payload).filter(|_| feedback.nack),
                    nack: feedback.nack,
                    pli: feedback.pli,
                    transport_cc,
                    // One estimate is enough, and transport-wide feedback gives the better one.
                    remb: feedback.remb && !transport_cc,
                },
                offered: payload,
            })
        })
        .collect()
}

fn rtx_of(media: &MediaSection, payload: &Payload) -> Option<PayloadType> {
    let number = payload.payload_type.0.to_string();
    let is_its = |rtx: &&Payload| {
        rtx.name == "rtx" && rtx.clock_rate == payload.clock_rate && rtx.parameter("apt") == Some(number.as_str())
    };
    media.payloads.iter().find(is_its).map(|rtx| rtx.payload_type)
}

/// Sound keeps the offer's order: a client that wants to send RED lists it first.
fn sort_by_preference(codecs: &mut [AgreedCodec<'_>], preference: &[CodecKind]) {
    let offered: Vec<_> = codecs.iter().map(|codec| codec_kind(codec.plan.codec)).collect();
    codecs.sort_by_key(|codec| {
        let kind = codec_kind(codec.plan.codec);
        let wanted = kind.and_then(|kind| preference.iter().position(|wanted| *wanted == kind));
        let first_offered = kind.and_then(|kind| offered.iter().position(|offered| *offered == Some(kind)));
        (wanted.unwrap_or(preference.len()), first_offered, kind.map(|_| h264_rank(codec.plan.codec)))
    });
}

fn codec_kind(codec: Codec) -> Option<CodecKind> {
    match codec {
        Codec::Opus | Codec::Red => None,
        Codec::Vp8 => Some(CodecKind::Vp8),
        Codec::H264 { .. } => Some(CodecKind::H264),
        Codec::Vp9 { .. } => Some(CodecKind::Vp9),
        Codec::Av1 => Some(CodecKind::Av1),
    }
}

/// The streams a section announces: a SIM group's order first, then FID groups, then lone `a=ssrc`
/// lines. What `taken` has from an earlier section is left out.
pub(super) fn announced(media: &MediaSection, taken: &mut HashSet<Ssrc>) -> Vec<AnnouncedStream> {
    let is_rtx = |ssrc: &Ssrc| media.retransmissions.iter().any(|(_, rtx)| rtx == ssrc);
    let media_ssrcs = media
        .simulcast_ssrcs
        .iter()
        .chain(media.retransmissions.iter().map(|(ssrc, _)| ssrc))
        .chain(media.ssrcs.iter())
        .filter(|ssrc| !is_rtx(ssrc));
    let mut streams = Vec::new();
    for ssrc in media_ssrcs {
        if !taken.insert(*ssrc) {
            continue;
        }
        let rtx = media.retransmissions.iter().find(|(first, _)| first == ssrc).map(|(_, rtx)| *rtx);
        streams.push(AnnouncedStream { media: *ssrc, rtx: rtx.filter(|rtx| taken.insert(*rtx)) });
    }
    streams
}
