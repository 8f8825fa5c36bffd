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
        assert_eq!(read.height, (place == 0).then_some(180));
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
