//! SRTP and SRTCP: what nobody sealed is refused; what was sealed is opened once, unless it was damaged
//! on the way, in any order of arrival.

#![no_main]

use fuzz::Input;
use fuzz::rtp::Header;
use fuzz::session::srtp::{Inbound, MAX_OVERHEAD, MasterKeys, Outbound, Profile, Refused, StreamState};
use libfuzzer_sys::fuzz_target;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;

/// The longest plain packet; enough for every way through the ciphers.
const MAX_PLAIN: usize = 300;

struct Pair {
    ours: Outbound,
    theirs: Inbound,
    stream: StreamState,
    opened: BTreeSet<u64>,
    opened_rtcp: BTreeSet<Vec<u8>>,
    /// What is on its way: sealed, plain, and the index.
    sealed: Vec<(Vec<u8>, Vec<u8>, u64)>,
    sealed_rtcp: Vec<(Vec<u8>, Vec<u8>)>,
}

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let profile = input.pick(&Profile::ALL);
    // Other keys for each input: libFuzzer remembers what was compared, and would send sealed packets itself.
    let mut secret = [0; 46];
    StdRng::seed_from_u64(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv)).fill_bytes(&mut secret);
    let (key, salt) = secret.split_at(32);
    let keys = MasterKeys::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()]);
    let keys = keys.expect("lengths of the profile");
    let mut pair = Pair {
        ours: Outbound::new(&keys),
        theirs: Inbound::new(&keys),
        stream: StreamState::new(),
        opened: BTreeSet::new(),
        opened_rtcp: BTreeSet::new(),
        sealed: Vec::new(),
        sealed_rtcp: Vec::new(),
    };
    let mut index = u64::from(input.short());
    while !input.is_empty() {
        match input.byte() % 8 {
            0 => pair.stranger(&mut input),
            1 | 2 => {
                index += u64::from(input.byte() % 4) * u64::from(input.short() % 2048);
                index += 1;
                pair.seal_rtp(&mut input, index);
            }
            3 => pair.seal_rtcp(&mut input),
            4 | 5 => pair.deliver_rtp(&mut input),
            6 => pair.deliver_rtcp(&mut input),
            _ => pair.nonsense_lengths(&mut input),
        }
    }
});

fn fnv(hash: u64, byte: &u8) -> u64 {
    (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
}

impl Pair {
    fn stranger(&mut self, input: &mut Input<'_>) {
        let header_len = usize::from(input.byte());
        let datagram = input.bytes();
        let before = self.stream.clone();
        let lengths = [header_len, Header::parse(datagram).map_or(12, |header| header.len)];
        for header_len in lengths {
            assert!(self.theirs.open_rtp(&mut self.stream, &mut datagram.to_vec(), header_len).is_err(), "forged");
        }
        assert!(self.theirs.open_rtcp(&mut datagram.to_vec()).is_err(), "forged");
        assert_eq!(self.stream, before, "a stranger changed the state");
    }

    fn nonsense_lengths(&mut self, input: &mut Input<'_>) {
        let (header_len, plain_len) = (usize::from(input.short()), usize::from(input.short()));
        let datagram = input.bytes();
        if let Some(len) = self.ours.seal_rtp(&mut datagram.to_vec(), header_len, plain_len, input.word()) {
            assert!(len <= datagram.len() && header_len <= plain_len && len > plain_len);
        }
        if let Some(len) = self.ours.seal_rtcp(&mut datagram.to_vec(), plain_len) {
            assert!(len <= datagram.len() && len > plain_len);
        }
    }

    fn seal_rtp(&mut self, input: &mut Input<'_>, index: u64) {
        let (extension, payload) = (usize::from(input.byte() % 4), input.bytes());
        let mut packet = vec![if extension > 0 { 0x90 } else { 0x80 }, 96];
        packet.extend((index as u16).to_be_bytes());
        packet.extend([0, 0, 0, 1, 0xca, 0xfe, 0xba, 0xbe]);
        if extension > 0 {
            packet.extend([0xbe, 0xde, 0, extension as u8]);
            packet.resize(packet.len() + 4 * extension, 0x11);
        }
        let header_len = packet.len();
        packet.extend(payload);
        packet.truncate(MAX_PLAIN);
        let plain = packet.clone();
        packet.resize(plain.len() + MAX_OVERHEAD, 0);
        let len = self.ours.seal_rtp(&mut packet, header_len, plain.len(), (index >> 16) as u32).expect("room");
        assert_eq!(len, plain.len() + self.ours.profile().rtp_overhead());
        packet.truncate(len);
        self.sealed.push((packet, plain, index));
    }

    fn seal_rtcp(&mut self, input: &mut Input<'_>) {
        let mut packet = vec![0x81, 206, 0, 2];
        packet.extend(u32::from(input.byte() % 3).to_be_bytes());
        packet.extend(input.bytes());
        let plain = packet.clone();
        packet.resize(plain.len() + MAX_OVERHEAD, 0);
        let len = self.ours.seal_rtcp(&mut packet, plain.len()).expect("room");
        assert_eq!(len, plain.len() + self.ours.profile().rtcp_overhead());
        packet.truncate(len);
        self.sealed_rtcp.push((packet, plain));
    }

    fn deliver_rtp(&mut self, input: &mut Input<'_>) {
        let which = usize::from(input.byte());
        let Some((sealed, plain, index)) = self.sealed.get(which % self.sealed.len().max(1)) else { return };
        let mut packet = sealed.clone();
        let damaged = damage(&mut packet, input);
        let before = self.stream.clone();
        let header_len = Header::parse(&packet).map_or(12, |header| header.len);
        match self.theirs.open_rtp(&mut self.stream, &mut packet, header_len) {
            Ok(len) => {
                assert!(!damaged, "damage went unnoticed");
                assert_eq!(&packet[..len], plain);
                assert!(self.opened.insert(*index), "{index} was opened twice");
                assert!(self.stream.highest() >= Some(*index));
            }
            Err(why) => {
                assert_eq!(self.stream, before, "{why:?} changed the state");
                // An intact packet may still be too old, or so new that its rollover was guessed wrong.
                let highest = before.highest();
                let expected = highest.is_none_or(|highest| highest.abs_diff(*index) < 1000) && *index < 1 << 16;
                assert!(damaged || why != Refused::Auth || !expected, "an intact packet was refused");
            }
        }
    }

    fn deliver_rtcp(&mut self, input: &mut Input<'_>) {
        let which = usize::from(input.byte());
        let Some((sealed, plain)) = self.sealed_rtcp.get(which % self.sealed_rtcp.len().max(1)) else { return };
        let mut packet = sealed.clone();
        let damaged = damage(&mut packet, input);
        match self.theirs.open_rtcp(&mut packet) {
            Ok(len) => {
                assert!(!damaged, "damage went unnoticed");
                assert_eq!(&packet[..len], plain);
                assert!(self.opened_rtcp.insert(sealed.clone()), "opened twice");
            }
            Err(why) => assert!(damaged || why == Refused::Replay, "{why:?} of an intact packet"),
        }
    }
}

/// Changes one byte, cuts the end off, or appends; says whether it did.
fn damage(packet: &mut Vec<u8>, input: &mut Input<'_>) -> bool {
    let (how, at) = (input.byte() % 8, usize::from(input.short()) % packet.len());
    match how {
        0 => {
            let bits = input.byte();
            packet[at] ^= bits;
            bits != 0
        }
        1 => {
            packet.truncate(at);
            true
        }
        2 => {
            packet.push(input.byte());
            true
        }
        _ => false,
    }
}
