//! Offers as text: read, answered for each kind of client, and answered again when a second offer follows
//! after a NUL. What we answer must be readable, keep its size bounded, and say what the plan says.

#![no_main]

use fuzz::session::plan::{Fingerprint, Flow, IceCredentials, SessionPlan};
use fuzz::session::sdp::client::ServerAnswer;
use fuzz::session::sdp::{Answer, CodecKind, Local, MAX_BYTES, MAX_SECTIONS, Offer, Policy, Role, answer, reanswer};
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static LOCAL: LazyLock<Local> = LazyLock::new(|| Local {
    credentials: IceCredentials { ufrag: "00ours".into(), password: "0123456789abcdefghijklmn".into() },
    fingerprint: Fingerprint([0xa5; 32]),
    candidates: vec![([192, 0, 2, 9], 8080).into(), ([0xfd00, 0, 0, 0, 0, 0, 0, 9], 8080).into()],
    tcp_candidates: vec![([192, 0, 2, 9], 8080).into()],
    cname: "symposia".into(),
    restarts: 0,
});

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (first, second) = text.split_once('\0').map_or((text, None), |(first, second)| (first, Some(second)));
    // Bots read answers with it.
    let _ = ServerAnswer::parse(first);
    let Ok(offer) = Offer::parse(first) else { return };
    assert!(first.len() <= MAX_BYTES && offer.sections.len() <= MAX_SECTIONS);
    let second = second.and_then(|text| Offer::parse(text).ok());
    for role in [Role::Meeting, Role::Whip, Role::Whep] {
        let policy = policy(role, first.len());
        let Ok(answered) = answer(&offer, &LOCAL, &policy, &mut StdRng::seed_from_u64(7)) else { continue };
        judge(&offer, &answered);
        let again = reanswer(&answered.plan, &offer, &LOCAL, &policy).expect("the same offer again");
        assert_eq!(again.plan, answered.plan, "the same offer changed the session");
        judge(&offer, &again);
        if let Some(second) = &second
            && let Ok(later) = reanswer(&answered.plan, second, &LOCAL, &policy)
        {
            judge(second, &later);
            let flows = |plan: &SessionPlan| plan.sections.clone();
            assert_eq!(flows(&later.plan), flows(&answered.plan), "a later offer changed what flows");
            assert_eq!(later.plan.fingerprint, answered.plan.fingerprint);
        }
    }
});

fn policy(role: Role, choice: usize) -> Policy {
    let preferences = [CodecKind::Vp8, CodecKind::H264, CodecKind::Vp9, CodecKind::Av1];
    Policy {
        role,
        video_preference: preferences[..choice % 5].to_vec(),
        max_video_bits_per_second: choice.is_multiple_of(2).then_some(2_500_000),
        max_sections: MAX_SECTIONS,
    }
}

fn judge(offer: &Offer, answered: &Answer) {
    let parsed = Offer::parse(&answered.sdp).unwrap_or_else(|why| panic!("{why}\n{}", answered.sdp));
    assert_eq!(parsed.sections.len(), offer.sections.len(), "a section is missing");
    for (offered, section) in offer.sections.iter().zip(&parsed.sections) {
        assert_eq!((&section.mid, &section.kind), (&offered.mid, &offered.kind), "sections in another order");
        assert!(!section.enabled || offered.enabled, "a refused section was accepted");
        for payload in section.payloads.iter().filter(|_| section.enabled) {
            assert!(offered.payloads.iter().any(|known| known.payload_type == payload.payload_type), "{payload:?}");
        }
    }
    for bad in ["\r\n\r\n", "\n\n", "\r\r"] {
        assert!(!answered.sdp.contains(bad), "an empty line");
    }
    let bot = ServerAnswer::parse(&answered.sdp).unwrap_or_else(|why| panic!("{why}\n{}", answered.sdp));
    assert_eq!(bot.fingerprint, LOCAL.fingerprint);
    assert_eq!(bot.credentials, answered.plan.local);
    let mut ours = BTreeSet::new();
    for section in &answered.plan.sections {
        if let Flow::Send(send) = &section.flow {
            assert!(ours.insert(send.ssrc) && send.rtx.is_none_or(|rtx| ours.insert(rtx)), "an SSRC twice");
            assert!(!send.codecs.is_empty());
        }
        if let Flow::Receive(receive) = &section.flow {
            assert!(!receive.codecs.is_empty());
            assert!(receive.announced.iter().all(|stream| !ours.contains(&stream.media)), "their SSRC is ours");
        }
    }
}
