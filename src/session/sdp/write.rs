//! An answer as text. Decides nothing.

use super::answer::Local;
use super::negotiate::{Agreed, AgreedCodec, Outcome, Policy};
use super::offer::{MediaKind, Offer, Payload};
use crate::session::plan::{Codec, DtlsRole, Fingerprint, Flow, IceCredentials, Kind};
use std::fmt::{self, Write};

/// RFC 8445 §5.1.2.1: host candidates.
const HOST_PREFERENCE: u32 = 126;
/// TCP below every UDP candidate (RFC 6544 §4.2 wants UDP preferred).
const TCP_HOST_PREFERENCE: u32 = 90;
/// What our candidates of a session's first ICE session cost, in Chromium's words (0 to 999; others pass over it), and less
/// by one with each restart. Chromium compares ways by cost first: without it, it stays for three seconds with a way of
/// before the restart that is dead and has the higher priority, as one without a NAT has.
const FIRST_COST: u16 = 500;

/// Writes an answer; `flows` goes with `agreed` section by section.
pub(super) fn answer(
    offer: &Offer,
    local: &Local,
    credentials: &IceCredentials,
    dtls: DtlsRole,
    policy: &Policy,
    agreed: &[Agreed<'_>],
    flows: &[Flow],
) -> String {
    let mut out = Lines::default();
    out.line(format_args!("v=0"));
    // The offerer's own numbers serve: unique to the session, and rising with every offer (RFC 3264 §8).
    out.line(format_args!("o=- {} {} IN IP4 0.0.0.0", offer.session_id, offer.session_version));
    out.line(format_args!("s=-"));
    out.line(format_args!("t=0 0"));
    out.line(format_args!("a=ice-lite"));
    let accepted = || agreed.iter().filter(|section| section.outcome != Outcome::Rejected);
    if offer.bundle.is_some() {
        let mids: Vec<_> = accepted().map(|section| section.media.mid.0.as_str()).collect();
        out.line(format_args!("a=group:BUNDLE {}", mids.join(" ")));
    }
    if offer.extmap_allow_mixed {
        out.line(format_args!("a=extmap-allow-mixed"));
    }
    out.line(format_args!("a=msid-semantic: WMS *"));
    let tag = accepted().next().map(|section| &section.media.mid);
    for (section, flow) in agreed.iter().zip(flows) {
        if section.outcome == Outcome::Rejected {
            write_rejected(&mut out, section);
            continue;
        }
        write_media(&mut out, section, policy);
        write_transport(&mut out, local, credentials, dtls);
        if tag == Some(&section.media.mid) {
            write_candidates(&mut out, local);
        }
        write_rtp(&mut out, section);
        write_flow(&mut out, section, flow, &local.cname);
    }
    out.0
}

/// Text of CRLF lines.
#[derive(Default)]
pub(super) struct Lines(pub(super) String);

impl Lines {
    pub(super) fn line(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.0.write_fmt(arguments);
        self.0.push_str("\r\n");
    }

    pub(super) fn transport(&mut self, credentials: &IceCredentials, fingerprint: &Fingerprint) {
        self.line(format_args!("a=ice-ufrag:{}", credentials.ufrag));
        self.line(format_args!("a=ice-pwd:{}", credentials.password));
        let digits: Vec<_> = fingerprint.0.iter().map(|byte| format!("{byte:02X}")).collect();
        self.line(format_args!("a=fingerprint:sha-256 {}", digits.join(":")));
    }
}

fn media_word(kind: &MediaKind) -> &str {
    match kind {
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::Other(word) => word,
    }
}

fn write_rejected(out: &mut Lines, section: &Agreed<'_>) {
    let media = section.media;
    let formats = if media.formats.is_empty() { "0" } else { &media.formats };
    out.line(format_args!("m={} 0 {} {formats}", media_word(&media.kind), media.protocol));
    out.line(format_args!("c=IN IP4 0.0.0.0"));
    out.line(format_args!("a=mid:{}", media.mid.0));
    out.line(format_args!("a=inactive"));
}

fn write_media(out: &mut Lines, section: &Agreed<'_>, policy: &Policy) {
    let media = section.media;
    let numbers: Vec<_> = section
        .codecs
        .iter()
        .flat_map(|codec| [Some(codec.plan.payload_type), codec.plan.rtx])
        .flatten()
        .map(|number| number.0.to_string())
        .collect();
    out.line(format_args!("m={} 9 {} {}", media_word(&media.kind), media.protocol, numbers.join(" ")));
    out.line(format_args!("c=IN IP4 0.0.0.0"));
    if let (Some(Kind::Video), Outcome::Receive, Some(limit)) =
        (section.kind, section.outcome, policy.max_video_bits_per_second)
    {
        out.line(format_args!("b=TIAS:{limit}"));
    }
    out.line(format_args!("a=rtcp:9 IN IP4 0.0.0.0"));
    out.line(format_args!("a=mid:{}", media.mid.0));
    let direction = match section.outcome {
        Outcome::Receive => "recvonly",
        Outcome::Send => "sendonly",
        Outcome::Inactive | Outcome::Rejected => "inactive",
    };
    out.line(format_args!("a={direction}"));
    out.line(format_args!("a=rtcp-mux"));
    if media.rtcp_rsize {
        out.line(format_args!("a=rtcp-rsize"));
    }
}

fn write_transport(out: &mut Lines, local: &Local, credentials: &IceCredentials, dtls: DtlsRole) {
    out.transport(credentials, &local.fingerprint);
    let setup = match dtls {
        DtlsRole::Passive => "passive",
        DtlsRole::Active => "active",
    };
    out.line(format_args!("a=setup:{setup}"));
}

/// Numbers foundations through, so that no two candidates seem to share a base (RFC 8445 §5.1.1.3).
pub(super) fn write_candidates(out: &mut Lines, local: &Local) {
    let udp = (0_u32..).zip(&local.candidates).map(|(rank, address)| (address, "udp", HOST_PREFERENCE, rank));
    let tcp = (0_u32..).zip(&local.tcp_candidates).map(|(rank, address)| (address, "tcp", TCP_HOST_PREFERENCE, rank));
    for (foundation, (address, protocol, preference, rank)) in (1_u32..).zip(udp.chain(tcp)) {
        let priority = (preference << 24) | (65_535_u32.saturating_sub(rank) << 8) | 255;
        let suffix = if protocol == "tcp" { " tcptype passive" } else { "" };
        let (ip, port) = (address.ip(), address.port());
        let cost = FIRST_COST.saturating_sub(local.restarts);
        out.line(format_args!(
            "a=candidate:{foundation} 1 {protocol} {priority} {ip} {port} typ host{suffix} network-cost {cost}"
        ));
    }
    out.line(format_args!("a=end-of-candidates"));
}

fn write_rtp(out: &mut Lines, section: &Agreed<'_>) {
    if section.media.extmap_allow_mixed {
        out.line(format_args!("a=extmap-allow-mixed"));
    }
    for extension in &section.extensions {
        let (id, uri) = (extension.id, extension.name.uri());
        match extension.direction {
            Some(direction) => out.line(format_args!("a=extmap:{id}/{} {uri}", direction.word())),
            None => out.line(format_args!("a=extmap:{id} {uri}")),
        }
    }
    for codec in &section.codecs {
        write_codec(out, codec, section.outcome);
    }
}

/// Where libwebrtc's estimate of a publisher's uplink begins, in kbit/s.
const START_KILOBITS: u32 = 1000;

fn write_codec(out: &mut Lines, codec: &AgreedCodec<'_>, outcome: Outcome) {
    let (number, plan, offered) = (codec.plan.payload_type.0, &codec.plan, codec.offered);
    let name = match plan.codec {
        Codec::Opus => "opus",
        Codec::Red => "red",
        Codec::Vp8 => "VP8",
        Codec::Vp9 { .. } => "VP9",
        Codec::H264 { .. } => "H264",
        Codec::Av1 => "AV1",
    };
    let channels = if offered.channels > 1 { format!("/{}", offered.channels) } else { String::new() };
    out.line(format_args!("a=rtpmap:{number} {name}/{}{channels}", plan.clock_rate));
    let feedback = [
        (plan.nack, "nack"),
        (plan.pli, "nack pli"),
        (offered.feedback.fir, "ccm fir"),
        (plan.transport_cc && offered.feedback.transport_cc, "transport-cc"),
        (plan.remb, "goog-remb"),
    ];
    for (_, name) in feedback.into_iter().filter(|(agreed, _)| *agreed) {
        out.line(format_args!("a=rtcp-fb:{number} {name}"));
    }
    let mut parameters = format_parameters(plan.codec, offered, outcome);
    let is_video = !matches!(plan.codec, Codec::Opus | Codec::Red);
    // libwebrtc begins at 300 kbit/s and sends the highest simulcast layer after half a minute or not at all;
    // from here its first probes find a usual link. Those who don't know the word ignore it.
    if is_video && outcome == Outcome::Receive && offered.feedback.remb {
        let separator = if parameters.is_empty() { "" } else { ";" };
        parameters.push_str(&format!("{separator}x-google-start-bitrate={START_KILOBITS}"));
    }
    if !parameters.is_empty() {
        out.line(format_args!("a=fmtp:{number} {parameters}"));
    }
    if let Some(rtx) = plan.rtx {
        out.line(format_args!("a=rtpmap:{} rtx/{}", rtx.0, plan.clock_rate));
        out.line(format_args!("a=fmtp:{} apt={number}", rtx.0));
    }
}

/// `a=fmtp` of what we accept: fixed words, and of the offer only what has been checked to be short and plain.
fn format_parameters(codec: Codec, offered: &Payload, outcome: Outcome) -> String {
    let plain = |name: &str| {
        let is_plain = |value: &&str| value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        offered.parameter(name).filter(is_plain)
    };
    let is_one = |name: &str| offered.parameter(name) == Some("1");
    let mirrored = |names: &[&str]| {
        let pairs: Vec<_> = names.iter().filter_map(|name| Some(format!("{name}={}", plain(name)?))).collect();
        pairs.join(";")
    };
    match codec {
        Codec::Opus => {
            let mut parameters = "minptime=10;useinbandfec=1".to_owned();
            if is_one("stereo") || is_one("sprop-stereo") {
                // RFC 7587 §6.1: `stereo` is what we like to get, `sprop-stereo` what we may send.
                parameters.push_str(if outcome == Outcome::Send { ";sprop-stereo=1" } else { ";stereo=1" });
            }
            if is_one("usedtx") {
                parameters.push_str(";usedtx=1");
            }
            parameters
        }
        // Checked when it was accepted: nothing but numbers of Opus.
        Codec::Red => offered.fmtp.split_whitespace().collect(),
        Codec::H264 { .. } => mirrored(&["level-asymmetry-allowed", "packetization-mode", "profile-level-id"]),
        Codec::Vp9 { .. } => mirrored(&["profile-id"]),
        Codec::Av1 => mirrored(&["level-idx", "profile", "tier"]),
        Codec::Vp8 => String::new(),
    }
}

fn write_flow(out: &mut Lines, section: &Agreed<'_>, flow: &Flow, cname: &str) {
    let mid = &section.media.mid.0;
    match flow {
        Flow::Receive(_) if !section.rids.is_empty() => {
            for rid in &section.rids {
                out.line(format_args!("a=rid:{} recv", rid.0));
            }
            let rids: Vec<_> = section.rids.iter().map(|rid| rid.0.as_str()).collect();
            out.line(format_args!("a=simulcast:recv {}", rids.join(";")));
        }
        Flow::Send(plan) => {
            out.line(format_args!("a=msid:slot-{mid} slot-{mid}"));
            if let Some(rtx) = plan.rtx {
                out.line(format_args!("a=ssrc-group:FID {} {}", plan.ssrc.0, rtx.0));
            }
            for ssrc in [Some(plan.ssrc), plan.rtx].into_iter().flatten() {
                out.line(format_args!("a=ssrc:{} cname:{cname}", ssrc.0));
            }
        }
        Flow::Receive(_) | Flow::Idle => {}
    }
}
