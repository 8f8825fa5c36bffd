//! A slot and the layers within a stream: which packets are its, and with which numbers.

use super::*;
use crate::rtp::layer::Span;
use crate::rtp::ring::NewPacket;
use crate::rtp::scalability::{Scalability, Steps};
use rand::SeedableRng;

fn slot() -> SendSlot {
    let codec = CodecPlan {
        codec: Codec::Vp8,
        payload_type: PayloadType(96),
        clock_rate: 90_000,
        rtx: None,
        nack: true,
        pli: true,
        transport_cc: true,
        remb: false,
    };
    let plan = SendPlan { codecs: vec![codec], ssrc: Ssrc(1), rtx: None, dependency_descriptor: None };
    let mut slot = SendSlot::new(Mid("0".into()), Kind::Video, &plan, &mut StdRng::seed_from_u64(1));
    slot.point(Some(0));
    slot
}

fn layer(packets: &[(u64, bool, Scalability)]) -> Layer {
    let mut layer = Layer::new(Ssrc(7), Kind::Video);
    for (seq, key_start, scalability) in packets {
        layer.handle_packet(&NewPacket {
            seq: *seq,
            timestamp: 3000,
            arrived: crate::clock::now(),
            marker: false,
            codec: Codec::Vp8,
            key_start: *key_start,
            orientation: None,
            audio_level: None,
            vp8: None,
            scalability: *scalability,
            descriptor: &[],
            payload: &[0; 100],
        });
    }
    layer
}

/// A frame of a stream whose layers are needed by those who get as many or more.
fn frame(spatial: u8, temporal: u8) -> Scalability {
    let needed = Steps::of(|step| step.spatial() >= spatial && step.temporal() >= temporal);
    Scalability { needed, spatial, top: 2, temporal, starts: true, ..Scalability::NONE }
}

fn target(spatial: u8, temporal: u8) -> Target {
    Target { layer: 0, step: Step::new(spatial, temporal) }
}

/// Spatial layers that do not need each other: whoever gets the highest gets nothing of the lowest, not the beginning
/// of its key frame either.
#[test]
fn numbers_begin_with_a_packet_that_goes_out() {
    let alone = |spatial| Scalability {
        needed: Steps::of(|step| step.spatial() == spatial),
        switch: Steps::ALL,
        ..frame(spatial, 0)
    };
    let layer = layer(&[(100, true, alone(0)), (101, false, alone(1)), (102, false, alone(2)), (103, false, alone(2))]);
    let packets = layer.packets(Span { first: 100, last: 103 });
    for (spatial, first) in [(0, 100), (1, 101), (2, 102)] {
        let mut slot = slot();
        slot.set_target(Some(target(spatial, 2)), false);
        assert!(slot.takes(0, &packets));
        let begun = slot.numbers.highest().expect("a number");
        let numbers: Vec<_> =
            packets.iter().filter(|(packet, _)| slot.gets(packet)).map(|(packet, _)| packet.seq).collect();
        assert_eq!(numbers[0], first);
        assert_eq!(slot.numbers.place(first), Some(begun));
    }
}

/// It gets fewer pictures from number 104 on: what is before that is judged by what was, whenever it comes.
#[test]
fn a_late_packet_is_judged_by_what_went_out_beside_it() {
    let mut packets = vec![(100, true, Scalability { switch: Steps::ALL, ..frame(0, 0) })];
    packets.extend((101..110).map(|seq| (seq, false, frame(0, [0, 2][seq as usize % 2]))));
    let layer = layer(&packets);
    let all = layer.packets(Span { first: 100, last: 109 });
    let mut slot = slot();
    slot.set_target(Some(target(0, 2)), false);
    assert!(slot.takes(0, &all));
    let gets = |slot: &mut SendSlot, seq: u64| {
        let (packet, _) = layer.ring.get(seq).expect("a packet");
        let gets = slot.gets(packet);
        if gets {
            slot.numbers.map(&incoming(packet)).expect("a number");
        }
        gets
    };
    assert_eq!([100, 102].map(|seq| gets(&mut slot, seq)), [true; 2]);
    slot.set_target(Some(target(0, 0)), false);
    assert_eq!([104, 107].map(|seq| gets(&mut slot, seq)), [true, false]);
    assert_eq!([101, 103, 105].map(|seq| gets(&mut slot, seq)), [true, true, false]);
    // The number of the last was kept free.
    let (packet, _) = layer.ring.get(105).expect("a packet");
    let (free, _) = slot.numbers.fill(&incoming(packet)).expect("a number");
    assert_eq!(slot.numbers.place(104).map(|before| before + 1), Some(free));
}

#[test]
fn what_goes_out_at_each_number_is_remembered_over_some_changes() {
    let mut course = steps::Course::default();
    for (index, step) in [(10, (2, 2)), (20, (2, 0)), (20, (0, 0)), (30, (0, 1)), (40, (0, 1)), (50, (0, 2))] {
        course.change(index, Step::new(step.0, step.1));
    }
    let at = [19, 20, 29, 30, 45, 49, 50, 99].map(|index| (course.at(index).spatial(), course.at(index).temporal()));
    assert_eq!(at, [(2, 2), (0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (0, 2), (0, 2)]);
}

#[test]
fn what_is_not_what_it_shall_be_is_said_every_three_seconds() {
    let (mut slot, start) = (slot(), crate::clock::now());
    let said: Vec<_> =
        (0..100_u32).filter(|tick| slot.is_overdue(start + Duration::from_millis(100) * *tick, true)).collect();
    assert_eq!(said, [30, 60, 90]);
    assert!(!slot.is_overdue(start + Duration::from_secs(11), false));
    assert!(!slot.is_overdue(start + Duration::from_secs(12), true), "it begins anew");
}

/// All lines of a slot are asked for ahead of each subscriber's turn (`net::udp::prefetch`).
#[test]
fn a_slot_stays_a_few_cache_lines() {
    assert!(size_of::<SendSlot>() <= 512, "{} bytes", size_of::<SendSlot>());
}
