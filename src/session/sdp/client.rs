//! The offering side, for Bots: an offer shaped as our web app's, and what a server's answer says.
//! Knows no sockets; a browser needs none of this.

use super::error::SdpError;
use super::negotiate::{self, CodecKind, ExtensionName};
use super::offer::{Direction, Offer, Setup};
use super::write::Lines;
use crate::session::plan::{
    AnnouncedStream, CodecPlan, DtlsRole, ExtensionIds, Fingerprint, IceCredentials, Kind, Mid, PayloadType, Rid, Ssrc,
};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

/// Chromium's numbers, so that what a Bot sees on the wire looks like a browser's.
const OPUS: PayloadType = PayloadType(111);
const RED: PayloadType = PayloadType(63);
/// Chromium's too; the kind, where only one has it.
const EXTENSIONS: [(u8, ExtensionName, Option<Kind>); 8] = [
    (1, ExtensionName::AudioLevel, Some(Kind::Audio)),
    (2, ExtensionName::AbsSendTime, None),
    (3, ExtensionName::TransportCc, None),
    (4, ExtensionName::Mid, None),
    (10, ExtensionName::Rid, Some(Kind::Video)),
    (11, ExtensionName::RepairedRid, Some(Kind::Video)),
    (12, ExtensionName::DependencyDescriptor, Some(Kind::Video)),
    (13, ExtensionName::VideoOrientation, Some(Kind::Video)),
];

/// What a Bot wants of its session.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Sections in which it sends, in order; our web app has microphone, camera, screen, screen audio.
    pub sends: Vec<SendShape>,
    /// Video slots, after those.
    pub video_slots: usize,
    /// Sound slots, after those.
    pub audio_slots: usize,
    /// Video codecs it can, most wanted first.
    pub video_codecs: Vec<CodecKind>,
    /// It offers no retransmission streams (RFC 4588).
    pub without_rtx: bool,
}

/// A section in which a Bot sends.
#[derive(Debug, Clone)]
pub struct SendShape {
    /// Sound or picture.
    pub kind: Kind,
    /// Simulcast encodings, lowest first; empty for a single one.
    pub rids: Vec<Rid>,
}

/// A Bot's side of its session: stays the same over ICE restarts.
#[derive(Debug, Clone)]
pub struct ClientOffer {
    session_id: u64,
    sections: Vec<ClientSection>,
    video_codecs: Vec<CodecKind>,
    without_rtx: bool,
}

/// One section of a [`ClientOffer`].
#[derive(Debug, Clone)]
pub struct ClientSection {
    /// Its index as a word.
    pub mid: Mid,
    /// Sound or picture.
    pub kind: Kind,
    /// What the Bot sends in it: one stream an encoding; empty in a slot. As with Chromium, those of
    /// simulcast are not announced: packets name them by the mid and rid extensions.
    pub streams: Vec<AnnouncedStream>,
    /// Simulcast encodings, in the order of `streams`.
    pub rids: Vec<Rid>,
}

impl ClientOffer {
    /// Draws SSRCs for a session of this shape.
    #[must_use]
    pub fn new(shape: &Shape, rng: &mut impl rand::Rng) -> Self {
        let mut taken = HashSet::new();
        let sends = shape.sends.iter().map(|send| (send.kind, Some(send.rids.clone())));
        let video = std::iter::repeat_n((Kind::Video, None), shape.video_slots);
        let audio = std::iter::repeat_n((Kind::Audio, None), shape.audio_slots);
        let mut stream = |kind| {
            let media = super::answer::fresh_ssrc(&mut taken, rng);
            let rtx = (kind == Kind::Video && !shape.without_rtx).then(|| super::answer::fresh_ssrc(&mut taken, rng));
            AnnouncedStream { media, rtx }
        };
        let sections = sends
            .chain(video)
            .chain(audio)
            .enumerate()
            .map(|(index, (kind, rids))| {
                let encodings = rids.as_ref().map_or(0, |rids| rids.len().max(1));
                let streams = (0..encodings).map(|_| stream(kind)).collect();
                ClientSection { mid: Mid(index.to_string()), kind, streams, rids: rids.unwrap_or_default() }
            })
            .collect();
        let video_codecs = shape.video_codecs.clone();
        Self { session_id: rng.next_u64() >> 1, sections, video_codecs, without_rtx: shape.without_rtx }
    }

    /// Its sections, in order.
    #[must_use]
    pub fn sections(&self) -> &[ClientSection] {
        &self.sections
    }

    /// The offer's text. `version` rises with every offer; new `credentials` restart ICE.
    #[must_use]
    pub fn write(&self, credentials: &IceCredentials, fingerprint: &Fingerprint, version: u64) -> String {
        let mut out = Lines::default();
        out.line(format_args!("v=0"));
        out.line(format_args!("o=- {} {version} IN IP4 127.0.0.1", self.session_id));
        out.line(format_args!("s=-"));
        out.line(format_args!("t=0 0"));
        let mids: Vec<_> = self.sections.iter().map(|section| section.mid.0.as_str()).collect();
        out.line(format_args!("a=group:BUNDLE {}", mids.join(" ")));
        out.line(format_args!("a=extmap-allow-mixed"));
        out.line(format_args!("a=msid-semantic: WMS"));
        for section in &self.sections {
            match section.kind {
                Kind::Audio => out.line(format_args!("m=audio 9 UDP/TLS/RTP/SAVPF {} {}", OPUS.0, RED.0)),
                Kind::Video => {
                    let numbers: Vec<_> = self.video_codecs.iter().map(|codec| video_numbers(*codec)).collect();
                    let written = |(media, rtx): &(u8, u8)| {
                        if self.without_rtx { media.to_string() } else { format!("{media} {rtx}") }
                    };
                    let numbers: Vec<_> = numbers.iter().map(written).collect();
                    out.line(format_args!("m=video 9 UDP/TLS/RTP/SAVPF {}", numbers.join(" ")));
                }
            }
            out.line(format_args!("c=IN IP4 0.0.0.0"));
            out.transport(credentials, fingerprint);
            out.line(format_args!("a=setup:actpass"));
            out.line(format_args!("a=mid:{}", section.mid.0));
            let direction = if section.streams.is_empty() { Direction::RecvOnly } else { Direction::SendOnly };
            out.line(format_args!("a={}", direction.word()));
            out.line(format_args!("a=rtcp-mux"));
            out.line(format_args!("a=rtcp-rsize"));
            self.write_formats(&mut out, section.kind);
            write_streams(&mut out, section);
        }
        out.0
    }

    fn write_formats(&self, out: &mut Lines, kind: Kind) {
        for (id, name, only) in EXTENSIONS {
            if only.is_none_or(|only| only == kind) {
                out.line(format_args!("a=extmap:{id} {}", name.uri()));
            }
        }
        match kind {
            Kind::Audio => {
                out.line(format_args!("a=rtpmap:{} opus/48000/2", OPUS.0));
                out.line(format_args!("a=rtcp-fb:{} transport-cc", OPUS.0));
                out.line(format_args!("a=fmtp:{} minptime=10;useinbandfec=1", OPUS.0));
                out.line(format_args!("a=rtpmap:{} red/48000/2", RED.0));
                out.line(format_args!("a=fmtp:{} {}/{}", RED.0, OPUS.0, OPUS.0));
            }
            Kind::Video => {
                for codec in &self.video_codecs {
                    let (media, rtx) = video_numbers(*codec);
                    let (name, parameters) = match codec {
                        CodecKind::Vp8 => ("VP8", ""),
                        CodecKind::H264 => {
                            ("H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
                        }
                        CodecKind::Vp9 => ("VP9", "profile-id=0"),
                        CodecKind::Av1 => ("AV1", "level-idx=5;profile=0;tier=0"),
                    };
                    out.line(format_args!("a=rtpmap:{media} {name}/90000"));
                    for feedback in ["transport-cc", "ccm fir", "nack", "nack pli"] {
                        out.line(format_args!("a=rtcp-fb:{media} {feedback}"));
                    }
                    if !parameters.is_empty() {
                        out.line(format_args!("a=fmtp:{media} {parameters}"));
                    }
                    if !self.without_rtx {
                        out.line(format_args!("a=rtpmap:{rtx} rtx/90000"));
                        out.line(format_args!("a=fmtp:{rtx} apt={media}"));
                    }
                }
            }
        }
    }
}

/// The numbers of a codec and its RTX.
const fn video_numbers(codec: CodecKind) -> (u8, u8) {
    match codec {
        CodecKind::Vp8 => (96, 97),
        CodecKind::Vp9 => (98, 99),
        CodecKind::H264 => (108, 109),
        CodecKind::Av1 => (45, 46),
    }
}

fn write_streams(out: &mut Lines, section: &ClientSection) {
    if section.streams.is_empty() {
        return;
    }
    out.line(format_args!("a=msid:- source-{}", section.mid.0));
    if section.rids.is_empty() {
        for stream in &section.streams {
            if let Some(rtx) = stream.rtx {
                out.line(format_args!("a=ssrc-group:FID {} {}", stream.media.0, rtx.0));
            }
            for ssrc in [Some(stream.media), stream.rtx].into_iter().flatten() {
                out.line(format_args!("a=ssrc:{} cname:bot", ssrc.0));
            }
        }
        return;
    }
    for rid in &section.rids {
        out.line(format_args!("a=rid:{} send", rid.0));
    }
    let rids: Vec<_> = section.rids.iter().map(|rid| rid.0.as_str()).collect();
    out.line(format_args!("a=simulcast:send {}", rids.join(";")));
}

/// What a server's answer says, as a client uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAnswer {
    /// The server's.
    pub credentials: IceCredentials,
    /// Of its certificate.
    pub fingerprint: Fingerprint,
    /// The client's part in DTLS.
    pub dtls: DtlsRole,
    /// Where to send checks.
    pub candidates: Vec<ServerCandidate>,
    /// Agreed numbers.
    pub extensions: ExtensionIds,
    /// The accepted sections.
    pub sections: Vec<AnsweredSection>,
}

/// A candidate of component 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerCandidate {
    /// Whether it is ICE-TCP.
    pub tcp: bool,
    /// Where.
    pub address: SocketAddr,
}

/// One accepted section of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredSection {
    /// Which.
    pub mid: Mid,
    /// Sound or picture.
    pub kind: Kind,
    /// Seen from the server.
    pub direction: Direction,
    /// Agreed, the server's choice first.
    pub codecs: Vec<CodecPlan>,
    /// Encodings that the server takes.
    pub rids: Vec<Rid>,
    /// What the server sends in it.
    pub stream: Option<AnnouncedStream>,
}

impl ServerAnswer {
    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is no answer that a session can come of.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        let description = Offer::parse(text)?;
        let ids = negotiate::agree_ids(&description);
        let accepted = || description.sections.iter().filter(|section| section.enabled);
        let tag = accepted().next().ok_or(SdpError::NothingAccepted)?;
        let mut taken: HashSet<Ssrc> = HashSet::new();
        let sections = accepted()
            .filter_map(|section| {
                let has_transport_cc = section.extensions.iter().any(|e| e.uri == ExtensionName::TransportCc.uri());
                let codecs = negotiate::accepted_codecs(section, has_transport_cc);
                Some(AnsweredSection {
                    mid: section.mid.clone(),
                    kind: negotiate::kind(section)?,
                    direction: section.direction,
                    codecs: codecs.into_iter().map(|codec| codec.plan).collect(),
                    rids: section.received_rids.clone(),
                    stream: negotiate::announced(section, &mut taken).first().copied(),
                })
            })
            .collect();
        let mut extensions = ExtensionIds::default();
        for (name, id) in ids {
            *name.slot(&mut extensions) = Some(id);
        }
        Ok(Self {
            credentials: tag.credentials.clone().or(description.credentials.clone()).ok_or(SdpError::MissingIce)?,
            fingerprint: tag.fingerprint.or(description.fingerprint).ok_or(SdpError::MissingFingerprint)?,
            dtls: match tag.setup.or(description.setup) {
                Some(Setup::Active) => DtlsRole::Passive,
                _ => DtlsRole::Active,
            },
            candidates: text.lines().filter_map(candidate).collect(),
            extensions,
            sections,
        })
    }
}

/// `a=candidate:1 1 udp 2130706431 192.0.2.1 8080 typ host …` (RFC 8839 §5.1).
fn candidate(line: &str) -> Option<ServerCandidate> {
    let mut words = line.strip_prefix("a=candidate:")?.split(' ').skip(1);
    if words.next()? != "1" {
        return None;
    }
    let tcp = words.next()?.eq_ignore_ascii_case("tcp");
    let ip: IpAddr = words.nth(1)?.parse().ok()?;
    let port = words.next()?.trim().parse().ok()?;
    Some(ServerCandidate { tcp, address: SocketAddr::new(ip, port) })
}
