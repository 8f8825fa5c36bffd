//! Answers to recorded offers: their plans and what every answer must have.

use super::*;
use crate::session::plan::{AnnouncedStream, Codec, CodecPlan, DtlsRole, ExtensionIds, Mid, PayloadType, Rid, Ssrc};
use std::collections::HashSet;

fn names(codecs: &[CodecPlan]) -> Vec<(Codec, u8, Option<u8>)> {
    codecs.iter().map(|c| (c.codec, c.payload_type.0, c.rtx.map(|rtx| rtx.0))).collect()
}

#[test]
fn every_recorded_offer_is_answered_by_the_rules_of_the_house() {
    for (name, text, role) in ALL {
        let Answer { sdp, plan } = answered(text, *role);
        let offer = Offer::parse(text).unwrap();
        let back = Offer::parse(&sdp).unwrap();
        assert!(back.ice_lite && sdp.ends_with("\r\n") && !sdp.contains("trickle"), "{name}");
        assert_eq!(back.sections.len(), offer.sections.len(), "{name}");
        let accepted: Vec<_> = back.sections.iter().filter(|section| section.enabled).collect();
        let mids: Vec<_> = accepted.iter().map(|section| section.mid.clone()).collect();
        assert_eq!(back.bundle.as_ref(), Some(&mids), "{name}");
        assert_eq!(sdp.matches("a=end-of-candidates").count(), 1, "{name}");
        assert_eq!(sdp.matches("a=candidate:").count(), 3, "{name}");
        assert!(lines_of(&sdp, &mids[0].0).contains(&"a=end-of-candidates"), "{name}");
        for (offered, answered) in offer.sections.iter().zip(&back.sections) {
            assert_eq!((&offered.mid, &offered.kind), (&answered.mid, &answered.kind), "{name}");
        }
        for section in accepted {
            assert!(section.rtcp_mux, "{name}");
            assert_eq!(section.fingerprint, Some(Fingerprint([0xa5; 32])), "{name}");
            assert_eq!(section.credentials, Some(credentials("00ours")), "{name}");
            for payload in &section.payloads {
                let known = ["opus", "red", "vp8", "vp9", "h264", "av1", "rtx"];
                assert!(known.contains(&payload.name.as_str()), "{name}: {payload:?}");
            }
        }
        let mut ssrcs = HashSet::new();
        for section in &plan.sections {
            if let Flow::Send(send) = &section.flow {
                assert!(send.ssrc.0 != 0 && ssrcs.insert(send.ssrc), "{name}");
                assert!(send.rtx.is_none_or(|rtx| rtx.0 != 0 && ssrcs.insert(rtx)), "{name}");
                assert!(send.codecs[0].codec != Codec::Red, "{name}");
            }
        }
    }
}

#[test]
fn chromium_in_a_meeting() {
    let plan = answered(CHROMIUM_APP, Role::Meeting).plan;
    assert_eq!(plan.dtls, DtlsRole::Active, "it is in sooner");
    assert_eq!(answered(CHROMIUM_APP, Role::Whip).plan.dtls, DtlsRole::Passive, "RFC 9725 wants it so");
    assert_eq!(plan.remote.ufrag, "BdSW");
    let ids = ExtensionIds {
        mid: Some(4),
        rid: Some(10),
        repaired_rid: Some(11),
        audio_level: Some(1),
        transport_cc: Some(3),
        abs_send_time: Some(2),
        video_orientation: Some(13),
        dependency_descriptor: Some(12),
    };
    assert_eq!(plan.extensions, ids);
    assert_eq!((slots(&plan, Kind::Video), slots(&plan, Kind::Audio)), (9, 5));
    let microphone = received(&plan, "0");
    assert_eq!(names(&microphone.codecs), [(Codec::Opus, 111, None), (Codec::Red, 63, None)]);
    assert!(microphone.codecs.iter().all(|codec| codec.transport_cc));
    assert_eq!(microphone.announced, [AnnouncedStream { media: Ssrc(1_665_686_129), rtx: None }]);
    let camera = received(&plan, "1");
    assert_eq!(
        names(&camera.codecs),
        [
            (Codec::Vp8, 96, Some(97)),
            (Codec::H264 { profile: 0x42e0 }, 108, Some(109)),
            (Codec::H264 { profile: 0x4200 }, 102, Some(103)),
            (Codec::H264 { profile: 0x4d00 }, 116, Some(117)),
            (Codec::Av1, 45, Some(46)),
            (Codec::Vp9 { profile: 0 }, 98, Some(99)),
        ]
    );
    assert_eq!(camera.rids, ["q", "h", "f"].map(|rid| Rid(rid.into())));
    assert_eq!(camera.announced, [], "Chromium names no SSRC of simulcast");
    let screen = received(&plan, "2");
    assert_eq!(screen.announced, [AnnouncedStream { media: Ssrc(2_207_834_493), rtx: Some(Ssrc(172_773_150)) }]);
    let slot = sent(&plan, "4");
    assert_eq!(slot.codecs[0].codec, Codec::Vp8);
    assert!(slot.rtx.is_some() && slot.codecs.iter().all(|codec| codec.nack && codec.pli && codec.transport_cc));
    let sound = sent(&plan, "17");
    assert_eq!((names(&sound.codecs), sound.rtx), (vec![(Codec::Opus, 111, None), (Codec::Red, 63, None)], None));
}

#[test]
fn firefox_in_a_meeting_names_the_ssrcs_of_its_encodings_and_some_extensions_one_way() {
    let Answer { sdp, plan } = answered(FIREFOX_APP, Role::Meeting);
    let camera = received(&plan, "1");
    assert_eq!(camera.rids, ["q", "h", "f"].map(|rid| Rid(rid.into())));
    assert_eq!(
        camera.announced,
        [(3_106_566_764, 3_901_367_662), (2_430_764_248, 1_886_641_662), (1_043_403_348, 107_111_171)]
            .map(|(media, rtx)| AnnouncedStream { media: Ssrc(media), rtx: Some(Ssrc(rtx)) })
    );
    assert_eq!((plan.extensions.rid, plan.extensions.dependency_descriptor), (Some(9), Some(8)));
    let rid = "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    assert!(lines_of(&sdp, "1").contains(&rid));
    let slot = lines_of(&sdp, "4");
    assert!(!slot.iter().any(|line| line.contains("dependency-descriptor")), "it takes none: a=extmap:8/sendonly");
    assert_eq!((slots(&plan, Kind::Video), slots(&plan, Kind::Audio)), (9, 5));
    assert!(lines_of(&sdp, "0").contains(&"a=extmap-allow-mixed"));
}

#[test]
fn the_largest_pool_is_answered() {
    for text in [CHROMIUM_APP_49, FIREFOX_APP_49] {
        let Answer { sdp, plan } = answered(text, Role::Meeting);
        assert_eq!((slots(&plan, Kind::Video), slots(&plan, Kind::Audio)), (49, 5));
        assert!(sdp.len() < 128 * 1024, "{}", sdp.len());
    }
}

#[test]
fn each_slot_is_a_stream_of_its_own() {
    let Answer { sdp, plan } = answered(CHROMIUM_WHEP, Role::Whep);
    let slot = sent(&plan, "0");
    let lines = lines_of(&sdp, "0");
    let fid = format!("a=ssrc-group:FID {} {}", slot.ssrc.0, slot.rtx.unwrap().0);
    let cname = format!("a=ssrc:{} cname:symposia", slot.ssrc.0);
    for line in ["a=sendonly", "a=msid:slot-0 slot-0", &fid, &cname] {
        assert!(lines.contains(&line), "{line} in {lines:?}");
    }
    assert!(lines_of(&sdp, "1").contains(&"a=msid:slot-1 slot-1"));
    assert!(!sdp.contains("sdes:mid"), "SSRCs name our streams");
}

#[test]
fn codecs_follow_the_policy_where_we_receive_and_the_offer_elsewhere() {
    let offer = Offer::parse(CHROMIUM_APP).unwrap();
    let wanted = Policy { video_preference: vec![CodecKind::Av1, CodecKind::H264], ..policy(Role::Meeting) };
    let plan = answer(&offer, &local(), &wanted, &mut rng()).unwrap().plan;
    let order = |codecs: &[CodecPlan]| codecs.iter().map(|codec| codec.payload_type.0).collect::<Vec<_>>();
    assert_eq!(order(&received(&plan, "1").codecs), [45, 108, 102, 116, 96, 98]);
    assert_eq!(order(&sent(&plan, "4").codecs), [96, 98, 102, 108, 116, 45]);
}

#[test]
fn h264_repeats_the_profile_that_was_offered() {
    let sdp = answered(CHROMIUM_WHIP_H264, Role::Whip).sdp;
    let line =
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f;x-google-start-bitrate=1000";
    assert!(lines_of(&sdp, "1").contains(&line));
    assert!(!sdp.contains("packetization-mode=0"));
}

#[test]
fn a_limit_is_asked_for_in_video_that_we_receive() {
    let offer = Offer::parse(CHROMIUM_APP).unwrap();
    let limited = Policy { max_video_bits_per_second: Some(1_500_000), ..policy(Role::Meeting) };
    let sdp = answer(&offer, &local(), &limited, &mut rng()).unwrap().sdp;
    assert_eq!(sdp.matches("b=TIAS:1500000\r\n").count(), 2, "camera and screen");
}

#[test]
fn the_role_decides_the_direction() {
    let directions = |text, role| {
        let sdp = answered(text, role).sdp;
        Offer::parse(&sdp).unwrap().sections.iter().map(|section| section.direction.word()).collect::<Vec<_>>()
    };
    assert_eq!(directions(CHROMIUM_WHIP_SENDRECV, Role::Whip), ["recvonly", "recvonly"]);
    assert_eq!(directions(CHROMIUM_WHIP_SENDRECV, Role::Meeting), ["recvonly", "recvonly"]);
    assert_eq!(directions(CHROMIUM_WHIP_SENDRECV, Role::Whep), ["sendonly", "sendonly"]);
    assert_eq!(directions(CHROMIUM_WHIP, Role::Whep), ["inactive", "inactive"]);
    assert_eq!(directions(CHROMIUM_WHEP, Role::Whip), ["inactive", "inactive"]);
    let idle = answered(CHROMIUM_WHEP, Role::Whip).plan;
    assert!(idle.sections.iter().all(|section| section.flow == Flow::Idle));
}

#[test]
fn candidates_stand_in_order_with_tcp_last() {
    let sdp = answered(CHROMIUM_WHIP, Role::Whip).sdp;
    let candidates: Vec<_> = sdp.lines().filter(|line| line.starts_with("a=candidate")).collect();
    assert_eq!(
        candidates,
        [
            "a=candidate:1 1 udp 2130706431 192.0.2.9 8080 typ host network-cost 500",
            "a=candidate:2 1 udp 2130706175 fd00::9 8080 typ host network-cost 500",
            "a=candidate:3 1 tcp 1526726655 192.0.2.9 8080 typ host tcptype passive network-cost 500",
        ]
    );
}

#[test]
fn an_ice_restart_keeps_everything_but_the_credentials() {
    for (before, after) in [(CHROMIUM_APP_BEFORE, CHROMIUM_APP_RESTART), (FIREFOX_APP_BEFORE, FIREFOX_APP_RESTART)] {
        let first = answered(before, Role::Meeting);
        let fresh = Local { credentials: credentials("00next"), ..local() };
        let restart = Offer::parse(after).unwrap();
        let again = reanswer(&first.plan, &restart, &fresh, &policy(Role::Meeting)).unwrap();
        assert_eq!(again.plan.local, credentials("00next"));
        assert_ne!(again.plan.remote, first.plan.remote);
        let same = SessionPlan { local: first.plan.local.clone(), remote: first.plan.remote.clone(), ..again.plan };
        assert_eq!(same, first.plan);
        let without_ice = |sdp: &str| {
            let kept = sdp.lines().filter(|line| !line.starts_with("a=ice-") && !line.starts_with("o="));
            kept.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_ice(&again.sdp), without_ice(&first.sdp));
        let version = |sdp: &str| Offer::parse(sdp).unwrap().session_version;
        assert!(version(&again.sdp) > version(&first.sdp));
    }
}

#[test]
fn an_offer_without_news_keeps_our_credentials() {
    let first = answered(CHROMIUM_APP, Role::Meeting);
    let fresh = Local { credentials: credentials("00next"), ..local() };
    let again = reanswer(&first.plan, &Offer::parse(CHROMIUM_APP).unwrap(), &fresh, &policy(Role::Meeting)).unwrap();
    assert_eq!(again, first);
}

#[test]
fn a_later_offer_cannot_add_sections() {
    let first = answered(&small_offer(&[]), Role::Meeting);
    let more = small_offer(&[
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:w",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
    ])
    .replace("BUNDLE v", "BUNDLE v w");
    let again = reanswer(&first.plan, &Offer::parse(&more).unwrap(), &local(), &policy(Role::Meeting)).unwrap();
    assert_eq!(again.plan, first.plan);
    assert!(lines_of(&again.sdp, "w")[0].starts_with("video 0 "));
    assert!(again.sdp.contains("a=group:BUNDLE v\r\n"));
}

#[test]
fn a_section_turned_around_is_idle_until_it_fits_again() {
    let first = answered(&small_offer(&[]), Role::Meeting);
    let turned = Offer::parse(&small_offer(&[]).replace("sendonly", "recvonly")).unwrap();
    let again = reanswer(&first.plan, &turned, &local(), &policy(Role::Meeting)).unwrap();
    assert_eq!(again.plan, first.plan);
    assert!(lines_of(&again.sdp, "v").contains(&"a=inactive"));
}

#[test]
fn a_later_offer_that_contradicts_the_session_is_refused() {
    let first = answered(&small_offer(&["a=setup:actpass"]), Role::Meeting);
    let again =
        |text: &str| reanswer(&first.plan, &Offer::parse(text).unwrap(), &local(), &policy(Role::Meeting)).unwrap_err();
    assert_eq!(again(&small_offer(&[]).replace("sha-256 00", "sha-256 FF")), SdpError::FingerprintChanged);
    assert_eq!(again(&small_offer(&["a=setup:active"])), SdpError::SetupChanged);
    let renamed = small_offer(&[]).replace("BUNDLE v", "BUNDLE w").replace("mid:v", "mid:w");
    assert_eq!(again(&renamed), SdpError::SectionMissing(Mid("v".into())));
}

#[test]
fn a_generator_that_gives_zeros_still_makes_different_ssrcs() {
    struct Zeros;
    impl rand::TryRng for Zeros {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0);
            Ok(())
        }
    }
    let offer = Offer::parse(CHROMIUM_WHEP).unwrap();
    let plan = answer(&offer, &local(), &policy(Role::Whep), &mut Zeros).unwrap().plan;
    let (video, audio) = (sent(&plan, "0"), sent(&plan, "1"));
    assert_eq!((video.ssrc, video.rtx, audio.ssrc), (Ssrc(1), Some(Ssrc(2)), Ssrc(3)));
    assert_eq!(video.codecs[0].rtx, Some(PayloadType(97)));
}
