//! A Bot's offer through our own answer and back.

use super::client::{ClientOffer, SendShape, ServerAnswer, Shape};
use super::*;
use crate::session::plan::{AnnouncedStream, Codec, DtlsRole, Rid};

fn shape() -> Shape {
    Shape {
        sends: vec![
            SendShape { kind: Kind::Audio, rids: vec![] },
            SendShape { kind: Kind::Video, rids: ["q", "h", "f"].map(|rid| Rid(rid.into())).to_vec() },
            SendShape { kind: Kind::Video, rids: vec![] },
        ],
        video_slots: 9,
        audio_slots: 5,
        video_codecs: vec![CodecKind::Vp8, CodecKind::H264, CodecKind::Vp9, CodecKind::Av1],
        without_rtx: false,
    }
}

#[test]
fn a_bot_and_the_server_read_the_same_agreement() {
    let bot = ClientOffer::new(&shape(), &mut StdRng::seed_from_u64(3));
    let offer = bot.write(&credentials("bot1"), &Fingerprint([1; 32]), 1);
    let Answer { sdp, plan } = answered(&offer, Role::Meeting);
    let heard = ServerAnswer::parse(&sdp).unwrap();
    assert_eq!((plan.remote.clone(), plan.fingerprint), (credentials("bot1"), Fingerprint([1; 32])));
    assert_eq!((heard.credentials, heard.fingerprint), (credentials("00ours"), Fingerprint([0xa5; 32])));
    assert_eq!((plan.dtls, heard.dtls), (DtlsRole::Active, DtlsRole::Passive));
    assert_eq!(heard.extensions, plan.extensions);
    let candidates: Vec<_> = heard.candidates.iter().map(|candidate| (candidate.tcp, candidate.address)).collect();
    let ours = local();
    assert_eq!(candidates, [(false, ours.candidates[0]), (false, ours.candidates[1]), (true, ours.tcp_candidates[0])]);
    assert_eq!(heard.sections.len(), plan.sections.len());
    for ((section, heard), own) in plan.sections.iter().zip(&heard.sections).zip(bot.sections()) {
        assert_eq!((&section.mid, section.kind), (&heard.mid, heard.kind));
        match &section.flow {
            Flow::Receive(receive) => {
                assert_eq!((&receive.codecs, &receive.rids), (&heard.codecs, &heard.rids));
                assert_eq!((heard.direction, heard.stream), (Direction::RecvOnly, None));
                let announced: &[AnnouncedStream] = if own.rids.is_empty() { &own.streams } else { &[] };
                assert_eq!(receive.announced, announced);
            }
            Flow::Send(send) => {
                assert_eq!((&send.codecs, heard.direction), (&heard.codecs, Direction::SendOnly));
                assert_eq!(heard.stream, Some(AnnouncedStream { media: send.ssrc, rtx: send.rtx }));
            }
            Flow::Idle => panic!("{section:?}"),
        }
    }
    assert_eq!(bot.sections()[1].streams.len(), 3);
    assert_eq!(received(&plan, "0").codecs[1].codec, Codec::Red);
}

#[test]
fn a_bot_restarts_ice() {
    let bot = ClientOffer::new(&shape(), &mut StdRng::seed_from_u64(3));
    let first = answered(&bot.write(&credentials("bot1"), &Fingerprint([1; 32]), 1), Role::Meeting);
    let restart = Offer::parse(&bot.write(&credentials("bot2"), &Fingerprint([1; 32]), 2)).unwrap();
    let fresh = Local { credentials: credentials("00next"), ..local() };
    let again = reanswer(&first.plan, &restart, &fresh, &policy(Role::Meeting)).unwrap();
    assert_eq!((&again.plan.remote, &again.plan.local), (&credentials("bot2"), &credentials("00next")));
    let streams = |sdp: &str| ServerAnswer::parse(sdp).unwrap().sections;
    assert_eq!(streams(&again.sdp), streams(&first.sdp));
}

#[test]
fn what_is_no_answer_is_refused() {
    assert_eq!(ServerAnswer::parse("").unwrap_err(), SdpError::NotSdp);
    assert_eq!(ServerAnswer::parse("v=0\r\n").unwrap_err(), SdpError::NothingAccepted);
}

#[test]
fn a_bot_without_retransmission_streams_is_given_none() {
    let bot = ClientOffer::new(&Shape { without_rtx: true, ..shape() }, &mut StdRng::seed_from_u64(3));
    let offer = bot.write(&credentials("bot1"), &Fingerprint([1; 32]), 1);
    let Answer { sdp, .. } = answered(&offer, Role::Meeting);
    assert!(!sdp.contains("rtx"), "{sdp}");
    let answer = ServerAnswer::parse(&sdp).unwrap();
    let streams: Vec<_> = answer.sections.iter().filter_map(|section| section.stream).collect();
    assert!(!streams.is_empty() && streams.iter().all(|stream| stream.rtx.is_none()), "{streams:?}");
}
