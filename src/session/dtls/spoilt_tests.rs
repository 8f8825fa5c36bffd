//! A handshake over a link that spoils a datagram: it succeeds by repetition or fails soon, so that the page can try
//! again. In virtual time, with our own library on both sides.

use super::*;

const ROUND_TRIP: Duration = Duration::from_millis(20);
/// Acceptance N7.
const SOON: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
fn start() -> Instant {
    Instant::now()
}

#[derive(Debug, PartialEq)]
enum End {
    Complete(Duration),
    Failed(Duration),
}

/// Runs a handshake in which `spoil` may change what the n-th datagram of each side says; how it ended.
fn handshake(spoil: impl FnMut(bool, usize, &mut BytesMut)) -> End {
    handshake_with_keys(spoil, &mut [None, None])
}

/// The same; `keys` are those of the client and the server, and when they had them.
fn handshake_with_keys(
    mut spoil: impl FnMut(bool, usize, &mut BytesMut),
    keys: &mut [Option<(Duration, Keys)>; 2],
) -> End {
    let provider = rtc_crypto::default_provider().expect("a provider");
    let (ours, theirs) = (Identity::generate(&provider).expect("one"), Identity::generate(&provider).expect("another"));
    let mut client = Dtls::new(&ours, DtlsRole::Active, theirs.fingerprint());
    let mut server = Dtls::new(&theirs, DtlsRole::Passive, ours.fingerprint());
    let began = start();
    let mut now = began;
    assert!(matches!(client.start(now), Progress::None) && matches!(server.start(now), Progress::None));
    let mut flying: Vec<(Instant, bool, BytesMut)> = Vec::new();
    let mut sent = [0, 0];
    loop {
        for (to_server, side) in [(true, &mut client), (false, &mut server)] {
            while let Some(mut datagram) = side.poll_transmit() {
                spoil(to_server, sent[usize::from(to_server)], &mut datagram);
                sent[usize::from(to_server)] += 1;
                flying.push((now + ROUND_TRIP / 2, to_server, datagram));
            }
        }
        let next = flying.iter().map(|(at, ..)| *at);
        let next = next.chain(client.poll_timeout()).chain(server.poll_timeout()).min().expect("something waits");
        now = now.max(next);
        let (arrived, rest) = flying.into_iter().partition(|(at, ..)| *at <= now);
        flying = rest;
        let mut ends = Vec::new();
        for (_, to_server, datagram) in arrived {
            let (dtls, name) = if to_server { (&mut server, true) } else { (&mut client, false) };
            ends.push((name, dtls.handle_datagram(now, &datagram)));
        }
        ends.push((true, server.handle_timeout(now)));
        ends.push((false, client.handle_timeout(now)));
        for (at_server, progress) in ends {
            match progress {
                Progress::Keyed(found) => {
                    let before = keys[usize::from(at_server)].replace((now - began, found));
                    assert!(before.is_none(), "new keys would begin the numbers of packets anew");
                }
                // The page is told where we give up, and gives up itself where the browser does.
                Progress::Failed(_) => return End::Failed(now - began),
                _ => {}
            }
        }
        if matches!(client.state, State::Done) {
            return End::Complete(now - began);
        }
        assert!(now < began + Duration::from_secs(60), "neither side says anything any more");
    }
}

#[test]
fn nothing_spoilt_takes_few_round_trips() {
    let End::Complete(took) = handshake(|_, _, _| {}) else { panic!("it failed") };
    // A cookie costs one more.
    assert!(took <= ROUND_TRIP * 3, "{took:?}");
}

// acceptance: N4
#[test]
fn the_client_has_its_keys_a_round_trip_before_the_end_and_the_right_ones() {
    let mut keys = [None, None];
    let End::Complete(took) = handshake_with_keys(|_, _, _| {}, &mut keys) else { panic!("it failed") };
    let [Some((ours_at, ours)), Some((theirs_at, theirs))] = keys else { panic!("somebody has none") };
    assert_eq!((took - ours_at, theirs_at - ours_at), (ROUND_TRIP, ROUND_TRIP / 2));
    assert_eq!((ours.material, ours.profile, ours.client), (theirs.material, theirs.profile, true));
}

#[test]
fn another_certificate_than_the_one_of_the_sdp_gets_no_keys() {
    let provider = rtc_crypto::default_provider().expect("a provider");
    let identity = || Identity::generate(&provider).expect("one");
    let (ours, theirs, expected) = (identity(), identity(), identity());
    let mut client = Dtls::new(&ours, DtlsRole::Active, expected.fingerprint());
    let mut server = Dtls::new(&theirs, DtlsRole::Passive, ours.fingerprint());
    let now = start();
    let _ = (client.start(now), server.start(now));
    for _ in 0..10 {
        while let Some(datagram) = client.poll_transmit() {
            let _ = server.handle_datagram(now, &datagram);
        }
        while let Some(datagram) = server.poll_transmit() {
            match client.handle_datagram(now, &datagram) {
                Progress::Failed(failure) => return assert_eq!(failure, Failure::Fingerprint),
                Progress::Keyed(_) => panic!("keys for somebody else"),
                _ => {}
            }
        }
    }
    panic!("nobody noticed");
}

/// One bit of each byte of each datagram in turn would be thorough and slow: some bytes all over each.
#[test]
fn a_spoilt_datagram_mostly_delays_or_ends_the_handshake_within_seconds() {
    let mut late = Vec::new();
    for side in [false, true] {
        for number in 0..3 {
            for part in 0..12 {
                let end = handshake(|to_server, place, datagram| {
                    if to_server == side && place == number {
                        let at = (datagram.len() - 1) * part / 11;
                        datagram[at] ^= 1;
                    }
                });
                let (End::Complete(took) | End::Failed(took)) = end;
                if took > SOON {
                    late.push((side, number, part, end));
                }
            }
        }
    }
    // Where the framing was spoilt, a side may wait for a message that never was; nothing tells that from a lossy link.
    assert!(late.len() <= 6, "{late:#?}");
}
