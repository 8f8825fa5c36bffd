//! Vectors of the RFCs, replay, forgery, and any bytes.

use super::transform::Transform;
use super::*;
use proptest::prelude::*;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("a hex digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
const GCM_KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn session_keys(profile: Profile, key: &str, mac: &str, salt: &str) -> Transform {
    fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
        std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
    }
    Transform::with_session_keys(profile, &padded(&hex(key)), &padded(&hex(mac)), &padded(&hex(salt)))
}

fn gcm(profile: Profile) -> Transform {
    let key = if profile == Profile::AeadAes256Gcm { GCM_KEY_256 } else { GCM_KEY_128 };
    session_keys(profile, key, "", GCM_SALT)
}

fn with_room(plain: &[u8]) -> Vec<u8> {
    let mut packet = plain.to_vec();
    packet.resize(plain.len() + MAX_OVERHEAD, 0xee);
    packet
}

#[test]
fn seals_and_opens_the_rtp_of_rfc_7714_section_16() {
    let plain =
        hex("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573");
    for (profile, expected) in [
        (
            Profile::AeadAes128Gcm,
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
             899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            Profile::AeadAes256Gcm,
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
             7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ] {
        let expected = hex(expected);
        let outbound = Outbound::with_transforms(profile, gcm(profile), gcm(profile), 0);
        let mut packet = with_room(&plain);
        let len = outbound.seal_rtp(&mut packet, 12, plain.len(), 0).unwrap();
        assert_eq!(&packet[..len], expected);

        let inbound = Inbound::with_transforms(gcm(profile), gcm(profile));
        let len = inbound.open_rtp(&mut StreamState::new(), &mut packet[..len], 12).unwrap();
        assert_eq!(&packet[..len], plain);
    }
}

const GCM_RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                        deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

#[test]
fn seals_and_opens_the_rtcp_of_rfc_7714_section_17() {
    let plain = hex(GCM_RTCP);
    for (profile, expected) in [
        (
            Profile::AeadAes128Gcm,
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded\
             0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
        ),
        (
            Profile::AeadAes256Gcm,
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
             6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
        ),
    ] {
        let expected = hex(expected);
        let mut outbound = Outbound::with_transforms(profile, gcm(profile), gcm(profile), 0x5d4);
        let mut packet = with_room(&plain);
        let len = outbound.seal_rtcp(&mut packet, plain.len()).unwrap();
        assert_eq!(&packet[..len], expected);

        let mut inbound = Inbound::with_transforms(gcm(profile), gcm(profile));
        let len = inbound.open_rtcp(&mut packet[..len]).unwrap();
        assert_eq!(&packet[..len], plain);
    }
}

#[test]
fn opens_the_rtcp_of_rfc_7714_section_17_3_that_is_signed_but_not_encrypted() {
    let plain = hex(GCM_RTCP);
    let tail = hex("841dd9683dd78ec92ae58790125f62b3000005d4");
    let profile = Profile::AeadAes128Gcm;
    let mut inbound = Inbound::with_transforms(gcm(profile), gcm(profile));
    let mut forged = [&plain[..], &tail].concat();
    forged[20] ^= 1;
    assert_eq!(inbound.open_rtcp(&mut forged), Err(Refused::Auth));
    let mut packet = [&plain[..], &tail].concat();
    assert_eq!(inbound.open_rtcp(&mut packet), Ok(plain.len()));
    assert_eq!(&packet[..plain.len()], plain);
}

pub(super) fn master(profile: Profile, seed: u8) -> MasterKeys {
    let key: Vec<u8> = (0..profile.key_len() as u8).map(|i| i.wrapping_mul(31) ^ seed).collect();
    let salt: Vec<u8> = (0..profile.salt_len() as u8).map(|i| i.wrapping_mul(17) ^ !seed).collect();
    MasterKeys::new(profile, &key, &salt).unwrap()
}

fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

fn sealed(outbound: &Outbound, roc: u32, plain: &[u8]) -> Vec<u8> {
    let mut packet = with_room(plain);
    let len = outbound.seal_rtp(&mut packet, 12, plain.len(), roc).unwrap();
    packet.truncate(len);
    packet
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet
}

fn sealed_report(outbound: &mut Outbound, ssrc: u32) -> Vec<u8> {
    let plain = report(ssrc);
    let mut packet = with_room(&plain);
    let len = outbound.seal_rtcp(&mut packet, plain.len()).unwrap();
    packet.truncate(len);
    packet
}

#[test]
fn overheads_and_lengths_are_those_of_the_profile() {
    for profile in Profile::ALL {
        let mut outbound = Outbound::new(&master(profile, 1));
        assert_eq!(sealed(&outbound, 0, &rtp(1, 1, b"abc")).len(), 15 + profile.rtp_overhead());
        assert_eq!(sealed_report(&mut outbound, 1).len(), 8 + profile.rtcp_overhead());
        assert!(profile.rtcp_overhead() <= MAX_OVERHEAD);
        assert_eq!(Profile::from_dtls_number(profile.dtls_number()), Some(profile));
    }
    assert_eq!(Profile::from_dtls_number(0x0002), None);
}

#[test]
fn client_and_server_split_the_same_material_into_mirrored_keys() {
    for profile in Profile::ALL {
        let exported: Vec<u8> = (0..profile.keying_material_len() as u8).collect();
        let (client_in, client_out) = profile.split_keying_material(&exported, true).unwrap();
        let (server_in, server_out) = profile.split_keying_material(&exported, false).unwrap();
        for (out, inbound) in [(client_out, server_in), (server_out, client_in)] {
            let plain = rtp(1, 1, b"payload");
            let mut packet = sealed(&Outbound::new(&out), 0, &plain);
            let len = Inbound::new(&inbound).open_rtp(&mut StreamState::new(), &mut packet, 12).unwrap();
            assert_eq!(&packet[..len], plain);
        }
        // The client's write key is the first in the material (RFC 5764 §4.2).
        let (_, client_out) = profile.split_keying_material(&exported, true).unwrap();
        assert_eq!(client_out.key[..profile.key_len()], exported[..profile.key_len()]);
        assert!(profile.split_keying_material(&exported[1..], true).is_none());
    }
}

// acceptance: SEC4
#[test]
fn a_replayed_packet_is_refused_also_after_a_rollover() {
    for profile in Profile::ALL {
        let (outbound, inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
        let mut stream = StreamState::new();
        let mut kept = Vec::new();
        for index in 65_000..66_000u64 {
            let packet = sealed(&outbound, (index >> 16) as u32, &rtp(7, index as u16, &index.to_be_bytes()));
            kept.push(packet.clone());
            let mut packet = packet;
            assert_eq!(inbound.open_rtp(&mut stream, &mut packet, 12), Ok(20), "{profile:?} {index}");
        }
        let before = stream.clone();
        for packet in &kept {
            assert_eq!(inbound.open_rtp(&mut stream, &mut packet.clone(), 12), Err(Refused::Replay));
        }
        assert_eq!(stream, before);
    }
}

// acceptance: SEC4
#[test]
fn a_packet_from_before_the_window_is_refused_and_a_late_one_within_it_is_taken_once() {
    let profile = Profile::AeadAes128Gcm;
    let (outbound, inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
    let mut stream = StreamState::new();
    let at = |sequence: u16| sealed(&outbound, 0, &rtp(7, sequence, b"x"));
    assert!(inbound.open_rtp(&mut stream, &mut at(2000), 12).is_ok());
    assert_eq!(inbound.open_rtp(&mut stream, &mut at(2000 - REPLAY_WINDOW as u16), 12), Err(Refused::Replay));
    assert!(inbound.open_rtp(&mut stream, &mut at(2001 - REPLAY_WINDOW as u16), 12).is_ok());
    assert_eq!(inbound.open_rtp(&mut stream, &mut at(2001 - REPLAY_WINDOW as u16), 12), Err(Refused::Replay));
}

// acceptance: SEC4
#[test]
fn a_forged_packet_is_refused_and_changes_nothing() {
    for profile in Profile::ALL {
        let (outbound, inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
        let stranger = Outbound::new(&master(profile, 2));
        let mut stream = StreamState::new();
        let mut first = sealed(&outbound, 0, &rtp(7, 100, b"payload"));
        assert!(inbound.open_rtp(&mut stream, &mut first, 12).is_ok());
        let before = stream.clone();

        let genuine = sealed(&outbound, 0, &rtp(7, 101, b"payload"));
        for bit in 0..genuine.len() * 8 {
            let mut forged = genuine.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let refused = inbound.open_rtp(&mut stream, &mut forged, 12).unwrap_err();
            assert!(matches!(refused, Refused::Auth | Refused::Replay), "{profile:?} bit {bit}: {refused:?}");
        }
        // Numbers that would move the rollover counter, another key, another SSRC, another counter.
        for sequence in [0, 99, 101, 32_868, 33_000, 65_535] {
            let mut forged = sealed(&stranger, 0, &rtp(7, sequence, b"payload"));
            assert_eq!(inbound.open_rtp(&mut stream, &mut forged, 12), Err(Refused::Auth));
        }
        let mut elsewhere = sealed(&outbound, 0, &rtp(8, 101, b"payload"));
        elsewhere[11] = 7;
        assert_eq!(inbound.open_rtp(&mut stream, &mut elsewhere, 12), Err(Refused::Auth));
        let mut later = sealed(&outbound, 1, &rtp(7, 101, b"payload"));
        assert_eq!(inbound.open_rtp(&mut stream, &mut later, 12), Err(Refused::Auth));

        assert_eq!(stream, before);
        assert!(inbound.open_rtp(&mut stream, &mut genuine.clone(), 12).is_ok());
    }
}

// acceptance: SEC4
#[test]
fn forged_and_replayed_rtcp_is_refused_and_each_sender_has_its_own_window() {
    for profile in Profile::ALL {
        let (mut outbound, mut inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
        let mut stranger = Outbound::new(&master(profile, 2));
        let (first, second) = (sealed_report(&mut outbound, 1), sealed_report(&mut outbound, 2));
        for bit in 0..first.len() * 8 {
            let mut forged = first.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(inbound.open_rtcp(&mut forged), Err(Refused::Auth), "{profile:?} bit {bit}");
        }
        assert_eq!(inbound.open_rtcp(&mut sealed_report(&mut stranger, 1)), Err(Refused::Auth));
        assert!(inbound.sources.is_empty());
        assert_eq!(inbound.open_rtcp(&mut second.clone()), Ok(8));
        assert_eq!(inbound.open_rtcp(&mut first.clone()), Ok(8));
        for packet in [first, second] {
            assert_eq!(inbound.open_rtcp(&mut packet.clone()), Err(Refused::Replay));
        }
    }
}

#[test]
fn rtcp_senders_are_bounded_and_those_known_go_on() {
    let profile = Profile::AeadAes128Gcm;
    let (mut outbound, mut inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
    for ssrc in 0..MAX_RTCP_SOURCES as u32 {
        assert!(inbound.open_rtcp(&mut sealed_report(&mut outbound, ssrc)).is_ok());
    }
    assert_eq!(inbound.open_rtcp(&mut sealed_report(&mut outbound, 1 << 20)), Err(Refused::Sources));
    assert!(inbound.open_rtcp(&mut sealed_report(&mut outbound, 3)).is_ok());
}

#[test]
fn rtcp_keys_are_not_used_beyond_their_last_index() {
    let profile = Profile::AeadAes128Gcm;
    let mut outbound = Outbound::with_transforms(profile, gcm(profile), gcm(profile), (1 << 31) - 1);
    assert!(outbound.seal_rtcp(&mut with_room(&report(1)), 8).is_some());
    assert!(outbound.seal_rtcp(&mut with_room(&report(1)), 8).is_none());
}

#[test]
fn lengths_that_do_not_fit_together_are_refused() {
    for profile in Profile::ALL {
        let (mut outbound, mut inbound) = (Outbound::new(&master(profile, 1)), Inbound::new(&master(profile, 1)));
        let plain = rtp(1, 1, b"payload");
        let mut exact = vec![0; plain.len() + profile.rtp_overhead()];
        exact[..plain.len()].copy_from_slice(&plain);
        let short = exact.len() - 1;
        assert!(outbound.seal_rtp(&mut exact[..short], 12, plain.len(), 0).is_none());
        assert!(outbound.seal_rtp(&mut exact, 11, plain.len(), 0).is_none());
        assert!(outbound.seal_rtp(&mut exact, plain.len() + 1, plain.len(), 0).is_none());
        assert!(outbound.seal_rtp(&mut exact, 12, usize::MAX, 0).is_none());
        assert_eq!(outbound.seal_rtp(&mut exact, 12, plain.len(), 0), Some(short + 1));
        let mut tight = [0; 8 + 9];
        assert!(outbound.seal_rtcp(&mut tight, 8).is_none());
        assert!(outbound.seal_rtcp(&mut tight, 7).is_none());

        let mut stream = StreamState::new();
        assert_eq!(inbound.open_rtp(&mut stream, &mut exact.clone(), 11), Err(Refused::Short));
        assert_eq!(inbound.open_rtp(&mut stream, &mut exact.clone(), short + 2), Err(Refused::Short));
        assert_eq!(inbound.open_rtp(&mut stream, &mut exact[..11], 12), Err(Refused::Short));
        let least = 8 + profile.rtcp_overhead();
        assert_eq!(inbound.open_rtcp(&mut vec![0x80; least - 1]), Err(Refused::Short));
        assert_eq!(inbound.open_rtcp(&mut vec![0x80; least]), Err(Refused::Auth));
        assert_eq!(stream, StreamState::new());
    }
}

#[test]
fn keys_are_not_printed() {
    let keys = master(Profile::AeadAes128Gcm, 1);
    let text = format!("{keys:?} {:?} {:?}", Inbound::new(&keys), Outbound::new(&keys));
    assert!(!text.contains("key:") && !text.contains("salt"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    // acceptance: SEC4
    #[test]
    fn any_bytes_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..1500),
        header_len in 0usize..1600,
        which in 0usize..3,
    ) {
        let mut inbound = Inbound::new(&master(Profile::ALL[which], 1));
        let mut stream = StreamState::new();
        prop_assert!(inbound.open_rtp(&mut stream, &mut bytes.clone(), header_len).is_err());
        prop_assert!(inbound.open_rtcp(&mut bytes.clone()).is_err());
        prop_assert_eq!(stream, StreamState::new());
    }

    #[test]
    fn any_lengths_are_sealed_or_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        header_len in 0usize..220,
        plain_len in 0usize..220,
        roc in any::<u32>(),
        which in 0usize..3,
    ) {
        let mut outbound = Outbound::new(&master(Profile::ALL[which], 1));
        if let Some(len) = outbound.seal_rtp(&mut bytes.clone(), header_len, plain_len, roc) {
            prop_assert_eq!(len, plain_len + Profile::ALL[which].rtp_overhead());
        }
        if let Some(len) = outbound.seal_rtcp(&mut bytes.clone(), plain_len) {
            prop_assert_eq!(len, plain_len + Profile::ALL[which].rtcp_overhead());
        }
    }
}
