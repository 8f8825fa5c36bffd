//! Against what Chromium sent, whose payloads say the same in other words. Knows no codec's bits but those.

use super::*;
use crate::rtp::codec::{av1, vp8, vp9};
use proptest::prelude::*;
use std::collections::BTreeSet;

struct Line {
    marker: bool,
    descriptor: Vec<u8>,
    payload: Vec<u8>,
}

/// Packets of Chromium (tests/fixtures/scalability).
fn lines(text: &str) -> Vec<Line> {
    let bytes = |hex: &str| {
        let digits: Vec<_> = hex.bytes().map(|digit| (digit as char).to_digit(16).expect("a digit") as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    let line = |line: &str| {
        let field: Vec<_> = line.split(',').collect();
        Line { marker: field[0] == "1", descriptor: bytes(field[3]), payload: bytes(field[5]) }
    };
    let lines: Vec<_> = text.lines().skip(1).map(line).collect();
    assert!(lines.len() > 200);
    lines
}

const VP8: &str = include_str!("../../../tests/fixtures/scalability/vp8.csv");
const VP9_KEY: &str = include_str!("../../../tests/fixtures/scalability/vp9-l3t3-key.csv");
const VP9: &str = include_str!("../../../tests/fixtures/scalability/vp9-l3t3.csv");
const AV1_KEY: &str = include_str!("../../../tests/fixtures/scalability/av1-l3t3-key.csv");
const AV1: &str = include_str!("../../../tests/fixtures/scalability/av1-l1t3.csv");

const fn indications(text: &str) -> Indications {
    // VP8's is the shortest of all.
    if text.len() == VP8.len() { Indications::All } else { Indications::True }
}

#[test]
fn the_descriptor_and_the_payload_of_vp9_say_the_same() {
    for text in [VP9_KEY, VP9] {
        let mut dependencies = Dependencies::default();
        let mut layers = BTreeSet::new();
        for Line { marker, descriptor, payload } in lines(text) {
            let told = dependencies.read(&descriptor, Indications::True, marker).expect("a descriptor").scalability;
            let payload = vp9::Descriptor::parse(&payload).expect("a payload descriptor").scalability(3, marker);
            let common = |of: Scalability| (of.spatial, of.temporal, of.starts, of.ends, of.needed);
            assert_eq!(common(told), common(payload), "{descriptor:02x?}");
            layers.insert((told.spatial, told.temporal));
        }
        assert_eq!(layers.len(), 9, "{layers:?}");
    }
}

#[test]
fn the_descriptor_and_the_obus_of_av1_say_the_same() {
    for (text, spatial) in [(AV1_KEY, 3), (AV1, 1)] {
        let mut dependencies = Dependencies::default();
        let mut layers = BTreeSet::new();
        for Line { marker, descriptor, payload } in lines(text) {
            let told = dependencies.read(&descriptor, Indications::True, marker).expect("a descriptor").scalability;
            layers.insert((told.spatial, told.temporal));
            // The extension of the first OBU's header, where one begins that is not the sequence header.
            let header = av1::AggregationHeader::parse(&payload).expect("a payload");
            if !header.continues && header.elements == 1 && payload[1] & 0x04 != 0 {
                assert_eq!((payload[2] >> 5, payload[2] >> 3 & 3), (told.temporal, told.spatial));
            }
        }
        assert_eq!(layers.len(), spatial * 3, "{layers:?}");
    }
}

#[test]
fn the_payload_of_vp8_says_nothing_beside_a_descriptor() {
    let mut dependencies = Dependencies::default();
    let mut seen = [0; 3];
    for (place, Line { marker, descriptor, payload }) in lines(VP8).into_iter().enumerate() {
        assert_eq!(vp8::Descriptor::parse(&payload).expect("a payload").temporal_layer, None);
        let read = dependencies.read(&descriptor, Indications::All, marker).expect("a descriptor");
        assert_eq!(read.attached, place == 0);
        assert_eq!(read.heights.of(0), (place == 0).then_some(180));
        assert_eq!(read.scalability.switch, if place == 0 { Steps::ALL } else { Steps::NONE });
        assert!(read.scalability.starts && marker && !read.scalability.ends, "frames of one packet");
        seen[usize::from(read.scalability.temporal)] += 1;
    }
    assert!(seen[0] > 40 && seen[1] > 40 && seen[2] > 90, "{seen:?}");
}

/// Somebody walks over all steps: of every frame that he is given he has had all that it refers to.
#[test]
fn whatever_somebody_changes_to_can_be_decoded() {
    for text in [VP8, VP9_KEY, VP9, AV1_KEY, AV1] {
        let mut reached = BTreeSet::new();
        for (begin, stride) in [(0, 7), (8, 1), (4, 5), (2, 2), (6, 4)] {
            let mut dependencies = Dependencies::default();
            let mut heads = Dependencies::default();
            let mut given = BTreeSet::new();
            let steps: Vec<_> = Step::each().collect();
            let mut current = steps[begin];
            for (place, Line { marker, descriptor, .. }) in lines(text).into_iter().enumerate() {
                let head = heads.read_head(&descriptor).expect("a descriptor");
                let read = dependencies.read(&descriptor, indications(text), marker).expect("a descriptor");
                current = read.scalability.advance(current, steps[(begin + place / 40 * stride) % steps.len()]);
                if !read.scalability.needed.has(current) {
                    continue;
                }
                reached.insert(current);
                for back in head.frame.references() {
                    let needed = head.number.wrapping_sub(*back);
                    assert!(given.contains(&needed), "frame {} without {needed} at {current:?}", head.number);
                }
                given.insert(head.number);
            }
        }
        assert!(reached.len() > 5, "{reached:?}");
    }
}

#[test]
fn a_frame_number_is_written_in_its_place() {
    let mut descriptor = [0xc5, 0x00, 0x06, 0x12, 0x40];
    assert_eq!(frame_number(&descriptor), Some(6));
    assert!(set_frame_number(&mut descriptor, 0xfffe));
    assert_eq!((frame_number(&descriptor), descriptor[0], descriptor[3]), (Some(0xfffe), 0xc5, 0x12));
    assert!(!set_frame_number(&mut descriptor[..2], 1));
}

#[test]
fn what_is_cut_off_or_has_no_structure_is_none() {
    let all = lines(AV1_KEY);
    let structure = &all[0].descriptor;
    let mut dependencies = Dependencies::default();
    let mut read = |descriptor: &[u8]| dependencies.read(descriptor, Indications::True, false).is_some();
    assert!(!read(&all[1].descriptor), "the structure has not come");
    // The last field is the height of the highest layer; what comes after it fills the byte.
    assert!((0..structure.len() - 1).all(|len| !read(&structure[..len])));
    assert!(!read(&all[1].descriptor), "what was half read counts for nothing");
    assert!(read(structure) && read(&all[1].descriptor));
}

/// Bits of a descriptor that is written by hand.
struct Written(Vec<bool>);

impl Written {
    fn put(mut self, value: u32, count: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at));
        self.0.chunks(8).map(byte).collect()
    }
}

/// Of a frame that begins and ends with its packet: a template, a number, and which of the five flags are set.
fn written(template: u32, number: u32, flags: u32) -> Written {
    Written(Vec::new()).put(0b11, 2).put(template, 6).put(number, 16).put(flags, 5)
}

/// A structure whose first template has this number, of so many temporal layers, each a decode target, without chains.
fn structured(offset: u32, number: u32, layers: u32) -> Written {
    let mut descriptor = written(offset, number, 0b10000).put(offset, 6).put(layers - 1, 5);
    for layer in 0..layers {
        descriptor = descriptor.put(if layer + 1 == layers { 3 } else { 1 }, 2);
    }
    for layer in 0..layers {
        for target in 0..layers {
            descriptor = descriptor.put(if target >= layer { 2 } else { 0 }, 2);
        }
    }
    // The first template needs nothing, each other the frame before it.
    for layer in 0..layers {
        descriptor = if layer == 0 { descriptor.put(0, 1) } else { descriptor.put(1, 1).put(0, 4).put(0, 1) };
    }
    let short = (1 << (32 - (layers + 1).leading_zeros())) - (layers + 1);
    assert!(short > 0, "no chains are the first of their values");
    descriptor.put(0, 31 - (layers + 1).leading_zeros()).put(0, 1)
}

#[test]
fn a_structure_that_comes_late_does_not_stand_in_the_place_of_a_newer_one() {
    let mut dependencies = Dependencies::default();
    let mut temporal = |descriptor: Written| {
        let read = dependencies.read(&descriptor.bytes(), Indications::All, true);
        read.map(|read| (read.scalability.temporal, read.scalability.needed.has(Step::new(0, 0))))
    };
    assert_eq!(temporal(structured(0, 10, 3)), Some((0, true)));
    assert_eq!(temporal(structured(20, 30, 2)), Some((0, true)));
    assert_eq!(temporal(written(21, 31, 0)), Some((1, false)));
    // What was lost comes again: the same structure with its key frame, and what came after that.
    assert_eq!(temporal(structured(0, 10, 3)), Some((0, true)));
    assert_eq!(temporal(written(2, 12, 0)), Some((2, false)));
    assert_eq!(temporal(written(21, 32, 0)), Some((1, false)), "the newer one is still there");
    assert_eq!(temporal(written(2, 33, 0)), None);
    // Numbers wrap many times before the next one.
    for number in (33..200_000).step_by(1000) {
        assert_eq!(temporal(written(21, number & 0xffff, 0)), Some((1, false)), "{number}");
    }
}

/// Those above the third count as the third: a frame of the fourth needs what somebody on the second does not get.
#[test]
fn of_four_temporal_layers_the_highest_are_one() {
    let mut dependencies = Dependencies::default();
    let mut sync = |descriptor: Written| {
        let read = dependencies.read(&descriptor.bytes(), Indications::All, true).expect("a descriptor");
        (read.scalability.temporal, read.scalability.sync)
    };
    assert_eq!(sync(structured(0, 10, 4)), (0, true));
    assert_eq!(sync(written(2, 11, 0)), (2, true), "of the lowest only");
    assert_eq!(sync(written(3, 12, 0)), (2, false));
}

#[test]
fn the_sender_says_which_layers_it_goes_on_with() {
    let all = lines(AV1_KEY);
    let mut dependencies = Dependencies::default();
    let mut sent =
        |descriptor: &[u8]| dependencies.read(descriptor, Indications::True, true).expect("one").scalability.sent;
    assert_eq!(sent(&all[0].descriptor), Step::ALL);
    let template = u32::from(all[1].descriptor[0] & 0x3f);
    let told = |number, targets| written(template, number, 0b01000).put(targets, 9).bytes();
    // Decode targets stand spatial layer by spatial layer, the lowest first.
    assert_eq!(sent(&told(2, 0b000_111_111)), Step::new(1, 2));
    assert_eq!(sent(&written(template, 3, 0).bytes()), Step::new(1, 2), "until it says otherwise");
    assert_eq!(sent(&told(4, 0b000_000_011)), Step::new(0, 1));
    assert_eq!(sent(&told(5, 0)), Step::ALL, "which says nothing");
}

proptest! {
    #[test]
    fn no_bytes_panic(descriptors in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..8)) {
        let mut dependencies = Dependencies::default();
        dependencies.read(&lines(AV1_KEY)[0].descriptor, Indications::True, false);
        for descriptor in descriptors {
            if let Some(read) = dependencies.read(&descriptor, Indications::All, false) {
                prop_assert!(read.scalability.spatial < MAX_SPATIAL && read.scalability.temporal < MAX_TEMPORAL);
            }
        }
    }
}
