//! The parser: bounds, refusals, and that nothing makes it panic.

use super::*;
use proptest::prelude::*;

#[test]
fn every_recorded_offer_is_read() {
    for (name, text, _) in ALL {
        let offer = Offer::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(offer.sections.len(), text.lines().filter(|line| line.starts_with("m=")).count(), "{name}");
    }
}

#[test]
fn what_chromium_says_of_its_camera_is_read() {
    let offer = Offer::parse(CHROMIUM_APP).unwrap();
    let camera = &offer.sections[1];
    assert_eq!(camera.kind, MediaKind::Video);
    assert_eq!(camera.direction, Direction::SendOnly);
    assert_eq!(camera.setup, Some(Setup::ActPass));
    assert_eq!(camera.rids.iter().map(|rid| rid.0.as_str()).collect::<Vec<_>>(), ["q", "h", "f"]);
    assert_eq!(camera.extensions.len(), 13);
    assert_eq!(camera.payloads.len(), 23);
    let vp8 = &camera.payloads[0];
    assert_eq!((vp8.payload_type.0, vp8.name.as_str(), vp8.clock_rate), (96, "vp8", 90_000));
    let all = Feedback { nack: true, pli: true, fir: true, transport_cc: true, remb: true };
    assert_eq!(vp8.feedback, all);
    assert!(camera.rtcp_mux && camera.rtcp_rsize && offer.extmap_allow_mixed);
    assert_eq!(offer.bundle.as_ref().map(Vec::len), Some(18));
}

#[test]
fn each_bound_has_its_own_sentence() {
    let with = |lines: Vec<String>| small_offer(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let cases = [
        ("a".repeat(MAX_BYTES + 1), "the offer has 524289 bytes; at most 524288 are read"),
        (format!("v=0\n{}", "\n".repeat(MAX_LINES)), "the offer has more than 20000 lines"),
        (
            format!("v=0\n{}", "m=audio 9 UDP/TLS/RTP/SAVPF 0\n".repeat(MAX_SECTIONS + 1)),
            "the offer has more than 128 media sections",
        ),
        (
            with((0..=MAX_EXTENSIONS).map(|id| format!("a=extmap:{id} urn:x")).collect()),
            "line 48: more than 32 header extensions in one media section",
        ),
        (
            with((0..=MAX_RIDS).map(|rid| format!("a=rid:{rid} send")).collect()),
            "line 20: more than 4 simulcast encodings in one media section",
        ),
        (
            with((1..=MAX_SSRCS + 1).map(|ssrc| format!("a=ssrc:{ssrc} cname:x")).collect()),
            "line 48: more than 32 SSRCs in one media section",
        ),
        (
            with((1..=MAX_SSRCS + 1).map(|ssrc| format!("a=ssrc-group:FID {ssrc} 9{ssrc}")).collect()),
            "line 48: more than 32 SSRC groups in one media section",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(Offer::parse(&text).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn what_cannot_be_understood_is_refused_with_line_or_mid() {
    let cases = [
        (String::new(), "this is no session description: it does not begin with v=0"),
        ("{\"type\":\"offer\"}".into(), "this is no session description: it does not begin with v=0"),
        (small_offer(&["a=mid:v"; 1]).replace("a=mid:v\r\n", ""), "media section 0 has no a=mid"),
        (small_offer(&["a=mid:seventeen-letters"]), "line 16: a mid has 1 to 16 printable characters without spaces"),
        (small_offer(&["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:v"]), "two media sections have the mid v"),
        (small_offer(&["m=video x UDP/TLS/RTP/SAVPF 96"]), "line 16: the port is no number"),
        (small_offer(&["m=video 9"]), "line 16: an m= line needs media, port, protocol and formats"),
        (small_offer(&["a=setup:holdconn"]), "line 16: a=setup must be actpass, active or passive"),
        (small_offer(&["a=ice-ufrag:abc"]), "line 16: a=ice-ufrag needs 4 to 256 ICE characters"),
        (small_offer(&["a=ice-pwd:short"]), "line 16: a=ice-pwd needs 22 to 256 ICE characters"),
        (small_offer(&["a=fingerprint:sha-256 00:11"]), "line 16: a sha-256 fingerprint is 32 pairs of hex digits"),
    ];
    for (text, sentence) in cases {
        assert_eq!(Offer::parse(&text).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn what_no_session_can_come_of_is_refused() {
    let no_ice = small_offer(&[]).replace("a=ice-pwd:0123456789012345678901\r\n", "");
    assert_eq!(refused(&no_ice, Role::Whip), SdpError::MissingIce);
    let no_sha256 = small_offer(&[]).replace("fingerprint:sha-256", "fingerprint:sha-1");
    assert_eq!(refused(&no_sha256, Role::Whip), SdpError::MissingFingerprint);
    let no_mux = small_offer(&[]).replace("a=rtcp-mux\r\n", "");
    assert_eq!(refused(&no_mux, Role::Whip).to_string(), "media section v does not offer rtcp-mux");
    assert_eq!(refused(&small_offer(&[]).replace("VP8", "H263"), Role::Whip), SdpError::NothingAccepted);
    assert_eq!(refused(&small_offer(&[]).replace("t=0 0", "a=ice-lite"), Role::Whip), SdpError::BothIceLite);
    let few = Policy { max_sections: 1, ..policy(Role::Whip) };
    let offer = Offer::parse(CHROMIUM_WHIP).unwrap();
    assert_eq!(answer(&offer, &local(), &few, &mut rng()).unwrap_err(), SdpError::TooManySections { limit: 1 });
}

#[test]
fn credentials_stay_out_of_debug_text() {
    let offer = Offer::parse(&small_offer(&[])).unwrap();
    assert!(!format!("{offer:?}").contains("0123456789012345678901"));
}

/// Whatever is read is answered or refused, and an answer is itself a description.
fn survives(text: &str) {
    let Ok(offer) = Offer::parse(text) else { return };
    for role in [Role::Meeting, Role::Whip, Role::Whep] {
        let Ok(first) = answer(&offer, &local(), &policy(role), &mut rng()) else { continue };
        let back = Offer::parse(&first.sdp).unwrap_or_else(|error| panic!("{error} in {}", first.sdp));
        assert_eq!(back.sections.len(), offer.sections.len());
        let again = reanswer(&first.plan, &offer, &local(), &policy(role)).unwrap();
        assert_eq!(again.plan, first.plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "(v=0\r?\n)?(([amovc]=[a-z-]{0,12}:?[ -~]{0,40}|.{0,20})\r?\n){0,30}") {
        survives(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn recorded_offers_with_bytes_and_lines_changed_are_read_or_refused(
        fixture in 0..ALL.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..6, any::<u8>(), any::<prop::sample::Index>()), 1..12),
    ) {
        let mut text = ALL[fixture].1.as_bytes().to_vec();
        // The largest ones would take most of the time and have nothing new in them.
        text.truncate(30_000);
        for (at, what, byte, other) in edits {
            if text.is_empty() {
                break;
            }
            let at = at.index(text.len());
            match what {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                2 => text.insert(at, byte),
                3 => text.truncate(at.max(1)),
                _ => {
                    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
                    let (from, to) = (at % lines.len(), other.index(lines.len()));
                    let line = lines[from];
                    if what == 4 { lines[to] = line } else { lines.insert(to, line) }
                    text = lines.concat();
                }
            }
        }
        survives(&String::from_utf8_lossy(&text));
    }
}
