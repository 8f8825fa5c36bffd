//! `rtc-srtp` as oracle: what it seals we open, what we seal it opens, byte for byte the same.

use super::tests::master;
use super::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rtc_srtp::context::Context;
use rtc_srtp::crypto::default_provider;
use rtc_srtp::protection_profile::ProtectionProfile;

fn oracle(master: &MasterKeys) -> Context {
    let profile = match master.profile() {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let provider = default_provider().expect("ring is built in");
    let key = &master.key[..master.profile().key_len()];
    let salt = &master.salt[..master.profile().salt_len()];
    Context::new(key, salt, profile, None, None, provider.crypto()).expect("the lengths are the profile's")
}

/// A packet with a random number of CSRCs, with or without a header extension, and its header's length.
fn random_packet(random: &mut SmallRng, ssrc: u32, sequence: u16) -> (Vec<u8>, usize) {
    let csrcs = random.random_range(0..4u8);
    let extended: bool = random.random();
    let mut packet = vec![0x80 | u8::from(extended) << 4 | csrcs, random.random()];
    packet.extend(sequence.to_be_bytes());
    packet.extend(random.random::<[u8; 4]>());
    packet.extend(ssrc.to_be_bytes());
    for _ in 0..csrcs {
        packet.extend(random.random::<[u8; 4]>());
    }
    if extended {
        // One-byte header extensions (RFC 8285): whole words of elements of three bytes each.
        let words = random.random_range(1..4u8);
        packet.extend([0xbe, 0xde, 0, words]);
        for word in 0..words {
            packet.extend([(word + 1) << 4 | 2, random.random(), random.random(), random.random()]);
        }
    }
    let header = packet.len();
    let payload = if random.random_bool(0.1) { 0 } else { random.random_range(1..300) };
    packet.extend((0..payload).map(|_| random.random::<u8>()));
    (packet, header)
}

// acceptance: SEC4
#[test]
fn rtp_agrees_with_rtc_srtp_in_both_directions_across_rollovers() {
    for (seed, profile) in (0..).zip(Profile::ALL) {
        let mut random = SmallRng::seed_from_u64(seed);
        let keys = master(profile, seed as u8);
        let (outbound, inbound) = (Outbound::new(&keys), Inbound::new(&keys));
        let (mut sealing_oracle, mut opening_oracle) = (oracle(&keys), oracle(&keys));
        let mut stream = StreamState::new();
        let ssrc = random.random();
        let mut index = random.random_range(0..30_000u64);
        while index < 4 << 16 {
            let (plain, header) = random_packet(&mut random, ssrc, index as u16);
            let expected = sealing_oracle.encrypt_rtp(&plain).unwrap();

            let mut ours = plain.clone();
            ours.resize(plain.len() + MAX_OVERHEAD, 0);
            let len = outbound.seal_rtp(&mut ours, header, plain.len(), (index >> 16) as u32).unwrap();
            assert_eq!(ours[..len], expected[..], "{profile:?} {index}");
            assert_eq!(opening_oracle.decrypt_rtp(&ours[..len]).unwrap()[..], plain[..]);

            let mut theirs = expected.to_vec();
            let len = inbound.open_rtp(&mut stream, &mut theirs, header).unwrap();
            assert_eq!(theirs[..len], plain[..]);
            assert_eq!(stream.highest(), Some(index));
            // Steps up to 12,000: losses, and at least four rollovers in few packets.
            index += if random.random_bool(0.9) { 1 } else { random.random_range(1..12_000) };
        }
    }
}

#[test]
fn reordered_rtp_around_a_rollover_is_opened() {
    for profile in Profile::ALL {
        let mut random = SmallRng::seed_from_u64(9);
        let keys = master(profile, 9);
        let inbound = Inbound::new(&keys);
        let mut sealing_oracle = oracle(&keys);
        let mut stream = StreamState::new();
        let mut packets: Vec<_> = (65_400..65_700u64)
            .map(|index| {
                let (plain, header) = random_packet(&mut random, 5, index as u16);
                (index, header, sealing_oracle.encrypt_rtp(&plain).unwrap(), plain)
            })
            .collect();
        packets.sort_by_cached_key(|(index, ..)| *index as i64 + i64::from(random.random_range(0..40u8)));
        for (index, header, sealed, plain) in packets {
            let mut packet = sealed.to_vec();
            let len = inbound.open_rtp(&mut stream, &mut packet, header).unwrap();
            assert_eq!(packet[..len], plain[..], "{profile:?} {index}");
        }
        assert_eq!(stream.highest(), Some(65_699));
    }
}

#[test]
fn rtcp_agrees_with_rtc_srtp_in_both_directions() {
    for (seed, profile) in (20..).zip(Profile::ALL) {
        let mut random = SmallRng::seed_from_u64(seed);
        let keys = master(profile, seed as u8);
        let (mut outbound, mut inbound) = (Outbound::new(&keys), Inbound::new(&keys));
        let (mut sealing_oracle, mut opening_oracle) = (oracle(&keys), oracle(&keys));
        for round in 0..200 {
            // A receiver report with a random number of blocks.
            let blocks = random.random_range(0..20u8);
            let mut plain = vec![0x80 | blocks, 201];
            plain.extend((1 + 6 * u16::from(blocks)).to_be_bytes());
            plain.extend(77u32.to_be_bytes());
            plain.extend((0..24 * usize::from(blocks)).map(|_| random.random::<u8>()));

            let mut ours = plain.clone();
            ours.resize(plain.len() + MAX_OVERHEAD, 0);
            let len = outbound.seal_rtcp(&mut ours, plain.len()).unwrap();
            assert_eq!(opening_oracle.decrypt_rtcp(&ours[..len]).unwrap()[..], plain[..], "{profile:?} {round}");

            let mut theirs = sealing_oracle.encrypt_rtcp(&plain).unwrap().to_vec();
            let len = inbound.open_rtcp(&mut theirs).unwrap();
            assert_eq!(theirs[..len], plain[..], "{profile:?} {round}");
        }
    }
}
