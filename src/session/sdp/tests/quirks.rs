//! One test a quirk of other people's SDP, named by it.

use super::*;
use crate::session::plan::{AnnouncedStream, Codec, DtlsRole, PayloadType, Rid, Ssrc};

const TRANSPORT_CC: &str = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const RID: &str = "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";

fn rids(lines: &[&str]) -> Vec<String> {
    let plan = answered(&small_offer(lines), Role::Whip).plan;
    received(&plan, "v").rids.iter().map(|rid| rid.0.clone()).collect()
}

#[test]
fn orphan_rtcp_fb_lines_of_firefox() {
    assert!(FIREFOX_WHIP_VP8_ONLY.contains("a=rtcp-fb:121 nack") && !FIREFOX_WHIP_VP8_ONLY.contains("a=rtpmap:121"));
    let Answer { sdp, plan } = answered(FIREFOX_WHIP_VP8_ONLY, Role::Whip);
    assert_eq!(received(&plan, "1").codecs.len(), 1);
    assert!(!sdp.contains("a=rtcp-fb:121"), "never passed on: Chromium refuses them");
}

#[test]
fn orphan_fmtp_line() {
    let plan = answered(&small_offer(&["a=fmtp:99 apt=96"]), Role::Whip).plan;
    assert_eq!(received(&plan, "v").codecs.len(), 1);
}

#[test]
fn fid_group_naming_an_ssrc_without_its_line_of_ffmpeg() {
    assert!(!FFMPEG_WHIP.contains("a=ssrc:35945666"));
    let plan = answered(FFMPEG_WHIP, Role::Whip).plan;
    assert_eq!(
        received(&plan, "1").announced,
        [AnnouncedStream { media: Ssrc(35_945_665), rtx: Some(Ssrc(35_945_666)) }]
    );
}

#[test]
fn setup_passive_of_ffmpeg_makes_us_the_dtls_client() {
    let Answer { sdp, plan } = answered(FFMPEG_WHIP, Role::Whip);
    assert_eq!(plan.dtls, DtlsRole::Active);
    assert!(sdp.contains("a=setup:active\r\n") && !sdp.contains("a=setup:passive"));
}

#[test]
fn setup_active_or_none_makes_us_the_dtls_server() {
    for lines in [&["a=setup:active"][..], &[]] {
        let Answer { sdp, plan } = answered(&small_offer(lines), Role::Whip);
        assert_eq!(plan.dtls, DtlsRole::Passive);
        assert!(sdp.contains("a=setup:passive\r\n"));
    }
}

#[test]
fn no_msid_odd_payload_types_and_sendrecv_of_gstreamer() {
    let Answer { sdp, plan } = answered(GSTREAMER_WHIP, Role::Whip);
    let video = received(&plan, "video0");
    assert_eq!(video.codecs[0].codec, Codec::H264 { profile: 0x42c0 });
    assert_eq!((video.codecs[0].payload_type, video.codecs[0].rtx), (PayloadType(35), Some(PayloadType(123))));
    assert_eq!(received(&plan, "audio1").codecs[0].codec, Codec::Opus, "OPUS in capitals");
    assert!(!sdp.contains("extmap-allow-mixed"), "not offered");
    assert!(sdp.contains("a=fmtp:109 minptime=10;useinbandfec=1;stereo=1"));
}

#[test]
fn goog_remb_only_without_transport_cc() {
    let remb = |text, role| answered(text, role).sdp.contains("goog-remb");
    assert!(remb(AIORTC_WHEP, Role::Whep));
    assert!(!remb(CHROMIUM_WHEP, Role::Whep));
}

#[test]
fn transport_cc_needs_its_extension() {
    let plan = |lines: &[&str]| answered(&small_offer(lines), Role::Whip).plan;
    assert!(!received(&plan(&["a=rtcp-fb:96 transport-cc"]), "v").codecs[0].transport_cc);
    assert!(received(&plan(&["a=rtcp-fb:96 transport-cc", TRANSPORT_CC]), "v").codecs[0].transport_cc);
}

#[test]
fn rtcp_fb_of_all_payload_types() {
    let plan = answered(&small_offer(&["a=rtcp-fb:* nack", "a=rtcp-fb:* nack pli"]), Role::Whip).plan;
    let codec = &received(&plan, "v").codecs[0];
    assert!(codec.nack && codec.pli);
}

#[test]
fn rtx_needs_nack() {
    let plan = answered(&small_offer(&[]), Role::Whip).plan;
    assert_eq!(received(&plan, "v").codecs[0].rtx, None);
}

#[test]
fn fingerprints_of_other_hashes_beside_sha256_of_aiortc() {
    assert!(AIORTC_WHIP.contains("a=fingerprint:sha-512"));
    let plan = answered(AIORTC_WHIP, Role::Whip).plan;
    assert_eq!(plan.fingerprint.0[..2], [0x80, 0x6f]);
}

#[test]
fn bare_line_feeds() {
    for (name, text, role) in ALL {
        assert_eq!(answered(&text.replace("\r\n", "\n"), *role), answered(text, *role), "{name}");
    }
}

#[test]
fn codec_names_in_any_case() {
    let plan = answered(&small_offer(&[]).replace("VP8", "vP8"), Role::Whip).plan;
    assert_eq!(received(&plan, "v").codecs[0].codec, Codec::Vp8);
}

#[test]
fn data_channels_are_refused_and_kept_out_of_the_group() {
    for text in [CHROMIUM_WHEP_DATA, FIREFOX_WHEP_DATA] {
        let Answer { sdp, plan } = answered(text, Role::Whep);
        assert!(sdp.contains("\r\na=group:BUNDLE 0 1\r\n"));
        assert!(sdp.contains("\r\nm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
        assert_eq!(plan.sections.len(), 2);
    }
}

#[test]
fn port_0_is_bundle_only_of_firefox_or_a_stopped_section() {
    assert!(FIREFOX_APP.contains("m=video 0 "));
    assert_eq!(slots(&answered(FIREFOX_APP, Role::Meeting).plan, Kind::Video), 9);
    let stopped = FIREFOX_APP.replacen("a=bundle-only\r\n", "", 1);
    let Answer { sdp, plan } = answered(&stopped, Role::Meeting);
    assert_eq!(section(&plan, "2").flow, Flow::Idle);
    assert!(lines_of(&sdp, "2")[0].starts_with("video 0 UDP/TLS/RTP/SAVPF 120 "));
    assert!(sdp.contains("a=group:BUNDLE 0 1 3 "));
}

#[test]
fn credentials_and_fingerprint_at_session_level_or_in_one_section_only() {
    let at_session = answered(&small_offer(&[]), Role::Whip).plan;
    assert_eq!((at_session.remote.ufrag.as_str(), at_session.fingerprint.0[31]), ("abcd", 0x1f));
    let (first, second) = CHROMIUM_WHIP.split_once("\r\nm=video").unwrap();
    let is_transport = |line: &&str| ["a=ice-", "a=fingerprint", "a=setup"].iter().any(|start| line.starts_with(start));
    let second: Vec<_> = second.lines().filter(|line| !is_transport(line)).collect();
    let only_first = format!("{first}\r\nm=video{}\r\n", second.join("\r\n"));
    assert_eq!(answered(&only_first, Role::Whip), answered(CHROMIUM_WHIP, Role::Whip));
}

#[test]
fn transports_of_their_own_in_each_section_of_max_compat() {
    let (first, second) = CHROMIUM_WHIP.split_once("\r\nm=video").unwrap();
    let compat = format!("{first}\r\nm=video{}", second.replace("a=ice-ufrag:", "a=ice-ufrag:other"));
    let plan = answered(&compat, Role::Whip).plan;
    assert_eq!(plan, answered(CHROMIUM_WHIP, Role::Whip).plan, "the first accepted section's counts");
}

#[test]
fn no_bundle_group_leaves_one_section() {
    let alone = CHROMIUM_WHIP.replace("a=group:BUNDLE 0 1\r\n", "");
    let Answer { sdp, plan } = answered(&alone, Role::Whip);
    assert!(!sdp.contains("a=group"));
    assert!(matches!(plan.sections[0].flow, Flow::Receive(_)));
    assert_eq!(plan.sections[1].flow, Flow::Idle);
    assert!(lines_of(&sdp, "1")[0].starts_with("video 0 "));
}

#[test]
fn direction_at_session_level() {
    let text = small_offer(&[]).replace("a=sendonly\r\n", "").replace("t=0 0", "t=0 0\r\na=recvonly");
    assert!(matches!(section(&answered(&text, Role::Meeting).plan, "v").flow, Flow::Send(_)));
}

#[test]
fn an_extension_with_two_numbers_or_a_shared_one_is_dropped() {
    let second =
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
    let offer =
        |line: &str| format!("{}{second}{line}\r\n", small_offer(&[TRANSPORT_CC])).replace("BUNDLE v", "BUNDLE v a");
    let id = |line: &str| answered(&offer(line), Role::Whip).plan.extensions.transport_cc;
    assert_eq!(id(TRANSPORT_CC), Some(3));
    assert_eq!(id(&TRANSPORT_CC.replace(":3", ":4")), None);
    assert_eq!(id("a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid"), None);
}

#[test]
fn extension_numbers_beyond_one_byte_headers_are_dropped() {
    let offer = |id: &str| small_offer(&[&TRANSPORT_CC.replace(":3", id)]);
    for (id, agreed) in [(":14", Some(14)), (":15", None), (":16", None), (":0", None), (":256", None)] {
        assert_eq!(answered(&offer(id), Role::Whip).plan.extensions.transport_cc, agreed, "{id}");
    }
}

#[test]
fn encodings_paused_with_alternatives_or_in_firefox_old_words() {
    let described = ["a=rid:q send", "a=rid:h send", "a=rid:f send max-width=1280", "a=rid:x send"];
    for (line, wanted) in [
        ("a=simulcast:send q;h;f", &["q", "h", "f"][..]),
        ("a=simulcast:send f;~q", &["f", "q"]),
        ("a=simulcast:send q,x;h", &["q", "h"]),
        ("a=simulcast:recv 1 send h;q", &["h", "q"]),
        ("a=simulcast: send rid=q;h;f", &["q", "h", "f"]),
        ("a=simulcast:send q;h;f;x", &["q", "h", "f"]),
        ("a=simulcast:send q;unknown", &["q"]),
    ] {
        let lines: Vec<_> = described.iter().copied().chain([RID, line]).collect();
        assert_eq!(rids(&lines), wanted, "{line}");
    }
    assert!(rids(&["a=rid:q send", "a=simulcast:send q"]).is_empty(), "without the rid extension nobody could tell");
}

#[test]
fn simulcast_is_answered_in_the_order_of_the_offer() {
    let sdp = answered(CHROMIUM_WHIP_SIMULCAST, Role::Whip).sdp;
    let lines = lines_of(&sdp, "1");
    for line in ["a=rid:q recv", "a=rid:h recv", "a=rid:f recv", "a=simulcast:recv q;h;f"] {
        assert!(lines.contains(&line), "{line}");
    }
}

#[test]
fn sim_group_without_rids_gives_the_order() {
    let lines = [
        "a=ssrc-group:FID 1 11",
        "a=ssrc-group:FID 2 12",
        "a=ssrc-group:SIM 2 1",
        "a=ssrc:1 cname:x",
        "a=ssrc:0 cname:x",
    ];
    let plan = answered(&small_offer(&lines), Role::Whip).plan;
    let expected = [(2, 12), (1, 11)].map(|(media, rtx)| AnnouncedStream { media: Ssrc(media), rtx: Some(Ssrc(rtx)) });
    assert_eq!(received(&plan, "v").announced, expected);
    assert_eq!(received(&plan, "v").rids, [] as [Rid; 0]);
}

#[test]
fn an_ssrc_announced_twice_belongs_to_the_first_section() {
    let second = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:1 cname:x\r\n";
    let text = format!("{}{second}", small_offer(&["a=ssrc:1 cname:x"])).replace("BUNDLE v", "BUNDLE v a");
    let plan = answered(&text, Role::Whip).plan;
    assert_eq!(received(&plan, "v").announced.len(), 1);
    assert_eq!(received(&plan, "a").announced, []);
}

#[test]
fn red_of_anything_but_opus_is_dropped() {
    for (fmtp, red) in [("111/111", true), ("111/111/111", true), ("111/9", false), ("", false)] {
        let text = CHROMIUM_WHIP.replace("a=fmtp:63 111/111\r\n", &format!("a=fmtp:63 {fmtp}\r\n"));
        let plan = answered(&text, Role::Whip).plan;
        assert_eq!(received(&plan, "0").codecs.iter().any(|codec| codec.codec == Codec::Red), red, "{fmtp}");
    }
}

#[test]
fn red_first_stays_first_for_clients_that_want_to_send_it() {
    let text = CHROMIUM_WHIP.replace("SAVPF 111 63 ", "SAVPF 63 111 ");
    let plan = answered(&text, Role::Whip).plan;
    assert_eq!(received(&plan, "0").codecs[0].codec, Codec::Red);
}

#[test]
fn dtx_and_stereo_only_where_offered() {
    let opus = |offered: &str, role| {
        let text = CHROMIUM_WHIP_SENDRECV.replace("minptime=10;useinbandfec=1", offered);
        let sdp = answered(&text, role).sdp;
        lines_of(&sdp, "0").iter().find(|line| line.starts_with("a=fmtp:111")).unwrap()[11..].trim().to_owned()
    };
    assert_eq!(opus("minptime=10;useinbandfec=1", Role::Whip), "minptime=10;useinbandfec=1");
    assert_eq!(opus("useinbandfec=1; usedtx=1;stereo=1", Role::Whip), "minptime=10;useinbandfec=1;stereo=1;usedtx=1");
    assert_eq!(opus("sprop-stereo=1", Role::Whip), "minptime=10;useinbandfec=1;stereo=1");
    assert_eq!(opus("stereo=1", Role::Whep), "minptime=10;useinbandfec=1;sprop-stereo=1");
}

#[test]
fn what_we_repeat_of_an_fmtp_is_plain() {
    let text = CHROMIUM_WHIP_H264.replace("level-asymmetry-allowed=1", "level-asymmetry-allowed=<script>");
    let sdp = answered(&text, Role::Whip).sdp;
    assert!(sdp.contains("a=fmtp:108 packetization-mode=1;profile-level-id=42e01f;x-google-start-bitrate=1000\r\n"));
}

#[test]
fn sections_without_dtls_are_refused() {
    let text = CHROMIUM_WHIP.replacen("UDP/TLS/RTP/SAVPF", "RTP/AVP", 1);
    let Answer { sdp, plan } = answered(&text, Role::Whip);
    assert_eq!(plan.sections[0].flow, Flow::Idle);
    assert!(sdp.contains("a=group:BUNDLE 1\r\n"));
    assert!(lines_of(&sdp, "1").contains(&"a=end-of-candidates"), "candidates move to the first accepted section");
}
