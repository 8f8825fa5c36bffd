//! Tests of `munge`. Knows only what the module shows.

use super::*;
use crate::rtp::sequence::PictureIdBits;
use proptest::prelude::*;
use std::collections::HashMap;

const RATE: u32 = 90_000;
const FRAME: Duration = Duration::from_millis(33);

fn packet(sequence: u64, timestamp: u32) -> Incoming {
    Incoming { sequence, timestamp, picture_id: None, tl0: None, frame: None }
}

fn picture(sequence: u64, id: u16, tl0: u8) -> Incoming {
    let picture_id = Some(PictureId { value: id, bits: PictureIdBits::Fifteen });
    Incoming { picture_id, tl0: Some(tl0), ..packet(sequence, u32::from(id) * 3000) }
}

fn munger() -> Munger {
    Munger::new(RATE, 1000, 5000)
}

#[test]
fn the_first_packet_gets_the_numbers_given() {
    let mut munger = munger();
    assert_eq!(munger.map(&packet(70_000, 9)), None);
    let first = munger.switch(0, &packet(70_000, 9), Duration::ZERO);
    assert_eq!((first.index, first.sequence(), first.timestamp), (1000, 1000, 5000));
    let second = munger.map(&packet(70_001, 3009)).unwrap();
    assert_eq!((second.index, second.timestamp), (1001, 8000));
}

#[test]
fn numbers_go_on_at_a_switch() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 10, 3), Duration::ZERO);
    let last = munger.map(&picture(70_001, 11, 4)).unwrap();
    let first = munger.switch(2, &picture(90_000, 700, 200), FRAME);
    assert_eq!(first.index, last.index + 1);
    assert_eq!(first.timestamp, last.timestamp + 2970);
    assert_eq!((last.picture_id, first.picture_id), (Some(11), Some(12)));
    assert_eq!((last.tl0, first.tl0), (Some(4), Some(5)));
    let next = munger.map(&picture(90_001, 701, 201)).unwrap();
    assert_eq!((next.index, next.picture_id, next.tl0), (first.index + 1, Some(13), Some(6)));
    assert_eq!(next.timestamp, first.timestamp + 3000);
}

#[test]
fn the_timestamp_rises_by_one_at_least_and_half_its_range_at_most() {
    let mut munger = munger();
    let first = munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    let second = munger.switch(1, &packet(80_000, 77), Duration::ZERO);
    assert_eq!(second.timestamp, first.timestamp + 1);
    let third = munger.switch(0, &packet(70_100, 0), Duration::from_secs(1_000_000));
    assert_eq!(third.timestamp.wrapping_sub(second.timestamp), 0x7fff_ffff);
}

#[test]
fn packets_from_before_the_switch_are_not_mapped() {
    let mut munger = munger();
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    munger.switch(0, &packet(70_010, 0), FRAME);
    assert_eq!(munger.map(&packet(70_009, 0)), None);
    assert_eq!(munger.map(&packet(70_011, 0)).unwrap().index, 1002);
}

#[test]
fn late_packets_keep_the_place_that_was_left_for_them() {
    let mut munger = munger();
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    assert_eq!(munger.map(&packet(70_003, 0)).unwrap().index, 1003);
    assert_eq!(munger.drop_packet(&packet(70_004, 0)), Gap::Closed);
    assert_eq!(munger.map(&packet(70_005, 0)).unwrap().index, 1004);
    assert_eq!(munger.map(&packet(70_002, 0)).unwrap().index, 1002);
    assert_eq!(munger.map(&packet(70_004, 0)), None);
    assert_eq!(munger.drop_packet(&packet(70_001, 0)), Gap::Open(1001));
    assert_eq!(munger.map(&packet(70_005, 0)).unwrap().index, 1004);
}

#[test]
fn a_loss_before_a_drop_keeps_its_number_too() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 5, 0), Duration::ZERO);
    // 70,001 is lost on the way; picture 6 is in it.
    assert_eq!(munger.drop_packet(&picture(70_002, 7, 0)), Gap::Closed);
    let next = munger.map(&picture(70_003, 8, 1)).unwrap();
    assert_eq!((next.index, next.picture_id), (1002, Some(7)));
    let late = munger.map(&picture(70_001, 6, 0)).unwrap();
    assert_eq!((late.index, late.picture_id), (1001, Some(6)));
}

#[test]
fn a_late_packet_of_a_dropped_picture_is_not_mapped_into_another() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 5, 0), Duration::ZERO);
    munger.drop_packet(&picture(70_002, 6, 0));
    assert_eq!(munger.map(&picture(70_003, 7, 1)).unwrap().picture_id, Some(6));
    assert_eq!(munger.map(&picture(70_001, 6, 0)), None);
}

#[test]
fn a_picture_of_which_a_part_was_sent_keeps_its_id_when_the_rest_is_dropped() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 5, 0), Duration::ZERO);
    munger.map(&picture(70_001, 6, 0)).unwrap();
    munger.drop_packet(&picture(70_002, 6, 0));
    let next = munger.map(&picture(70_003, 7, 1)).unwrap();
    assert_eq!((next.index, next.picture_id), (1002, Some(7)));
}

#[test]
fn the_rest_of_a_dropped_picture_is_dropped_as_well() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 5, 0), Duration::ZERO);
    munger.drop_packet(&picture(70_001, 6, 0));
    assert_eq!(munger.map(&picture(70_002, 6, 0)), None);
    let next = munger.map(&picture(70_003, 7, 1)).unwrap();
    assert_eq!((next.index, next.picture_id), (1001, Some(6)));
}

/// What came so late that its number was kept free, and is left out, leaves no hole.
#[test]
fn a_number_that_was_kept_free_goes_out_empty() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 5, 0), Duration::ZERO);
    assert_eq!(munger.fill(&picture(70_001, 6, 0)), None, "it has not been looked at");
    munger.drop_packet(&picture(70_002, 7, 0));
    assert_eq!(munger.fill(&picture(70_002, 7, 0)), None, "what follows closes up");
    munger.drop_packet(&picture(70_001, 6, 0));
    assert_eq!(munger.fill(&picture(70_001, 6, 0)), Some((1001, 5000 + 3000)));
    // Also where nothing later was sent: a switch comes after it.
    assert_eq!(munger.switch(1, &picture(90_000, 70, 0), FRAME).index, 1002);
    // The rest of a picture whose beginning was left out.
    munger.drop_packet(&picture(90_003, 71, 0));
    assert_eq!(munger.map(&picture(90_004, 72, 1)).unwrap().index, 1005);
    assert_eq!(munger.map(&picture(90_002, 71, 0)), None);
    assert_eq!(munger.fill(&picture(90_002, 71, 0)).map(|(index, _)| index), Some(1004));
    assert_eq!((munger.index_of(1004), munger.index_of(1006)), (Some(1004), None));
}

#[test]
fn short_picture_ids_stay_short_and_wrap() {
    let short = |sequence, id| {
        let picture_id = Some(PictureId { value: id, bits: PictureIdBits::Seven });
        Incoming { picture_id, ..packet(sequence, 0) }
    };
    let mut munger = munger();
    munger.switch(0, &short(70_000, 126), Duration::ZERO);
    munger.drop_packet(&short(70_001, 127));
    assert_eq!(munger.map(&short(70_002, 0)).unwrap().picture_id, Some(127));
    assert_eq!(munger.map(&short(70_003, 1)).unwrap().picture_id, Some(0));
    let switched = munger.switch(1, &short(80_000, 50), FRAME);
    assert_eq!(switched.picture_id, Some(1));
}

#[test]
fn an_encoder_that_begins_anew_is_followed() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 20_000, 0), Duration::ZERO);
    assert!(munger.map(&picture(70_001, 17, 9)).is_some());
    assert!(munger.map(&picture(70_002, 18, 10)).is_some());
}

#[test]
fn ids_that_begin_in_the_middle_of_a_generation_go_on_from_the_last() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 41, 0), Duration::ZERO);
    munger.switch(1, &packet(80_000, 0), FRAME);
    munger.drop_packet(&picture(80_001, 6, 0));
    assert_eq!(munger.map(&picture(80_002, 7, 0)).unwrap().picture_id, Some(42));
    assert_eq!(munger.map(&picture(80_003, 8, 0)).unwrap().picture_id, Some(43));
}

#[test]
fn inserted_packets_take_numbers_of_their_own() {
    let mut munger = munger();
    assert_eq!(munger.insert(), None);
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    assert_eq!(munger.insert(), Some((1001, 5000)));
    assert_eq!(munger.insert(), Some((1002, 5000)));
    assert_eq!(munger.map(&packet(70_001, 0)).unwrap().index, 1003);
    assert_eq!(munger.origin(1001), None);
    assert_eq!(munger.origin(1003).map(|origin| origin.sequence), Some(70_001));
}

#[test]
fn what_was_sent_is_found_again_also_from_before_a_switch() {
    let mut munger = munger();
    munger.switch(3, &picture(70_000, 5, 9), Duration::ZERO);
    munger.drop_packet(&picture(70_001, 6, 9));
    let before = munger.map(&picture(70_002, 7, 10)).unwrap();
    munger.switch(4, &picture(90_000, 700, 0), FRAME);
    let origin = munger.origin(before.sequence()).unwrap();
    assert_eq!((origin.layer, origin.sequence), (3, 70_002));
    assert_eq!(munger.again(origin.generation, &picture(70_002, 7, 10)), Some(before));
    assert_eq!(munger.again(origin.generation, &picture(70_001, 6, 9)), None);
    assert_eq!(munger.again(origin.generation, &picture(70_003, 8, 10)), None);
    assert_eq!(munger.origin(1003), None);
    assert_eq!(munger.origin(999), None);
    assert_eq!(munger.origin(1002).map(|origin| (origin.layer, origin.sequence)), Some((4, 90_000)));
}

#[test]
fn many_drops_forget_the_oldest_only() {
    let mut munger = munger();
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    for i in 0..500u64 {
        munger.drop_packet(&packet(70_001 + 2 * i, 0));
        assert_eq!(munger.map(&packet(70_002 + 2 * i, 0)).unwrap().index, 1001 + i);
    }
    assert_eq!(munger.map(&packet(70_002 + 2 * 450, 0)).unwrap().index, 1451);
    assert_eq!(munger.map(&packet(70_002, 0)), None);
}

#[test]
fn the_number_of_a_late_packet_that_was_dropped_is_free_for_the_next_layer() {
    let mut munger = munger();
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    munger.drop_packet(&packet(70_003, 0));
    assert_eq!(munger.map(&packet(70_001, 0)).unwrap().index, 1001);
    assert_eq!(munger.drop_packet(&packet(70_002, 0)), Gap::Open(1002));
    assert_eq!(munger.switch(1, &packet(90_000, 0), FRAME).index, 1002);
}

#[test]
fn a_late_packet_of_a_dropped_picture_leaves_no_number_that_was_never_sent() {
    let mut munger = munger();
    munger.switch(0, &picture(70_000, 10, 3), Duration::ZERO);
    // 70,001 and 70,002 are late; the first packet of their picture to come is left out, and with it the picture.
    munger.drop_packet(&picture(70_003, 11, 4));
    assert_eq!(munger.map(&picture(70_001, 11, 4)), None);
    assert_eq!((munger.highest(), munger.origin(1001)), (Some(1000), None), "the highest that was sent");
    let next = munger.switch(1, &picture(90_000, 700, 200), FRAME);
    assert_eq!(next.index, 1001, "the subscriber misses nothing that it could ask for");
}

#[test]
fn a_switch_takes_over_the_numbers_that_were_kept_for_what_never_came() {
    let mut munger = munger();
    munger.switch(0, &packet(70_000, 0), Duration::ZERO);
    let before = munger.origin(1000).unwrap().generation;
    // 70,001 and 70,003 are lost on the way.
    munger.drop_packet(&packet(70_002, 0));
    munger.drop_packet(&packet(70_004, 0));
    assert_eq!(munger.switch(1, &packet(90_000, 0), FRAME).index, 1001);
    assert_eq!(munger.map(&packet(90_001, 0)).unwrap().index, 1002);
    assert_eq!(munger.again(before, &packet(70_001, 0)), None);
    assert_eq!(munger.again(before, &packet(70_003, 0)), None);
    assert!(munger.again(before, &packet(70_000, 0)).is_some());
}

/// What happens to the next packet of the source.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Forward,
    Lose,
    /// Arrives after so many others.
    Delay(usize),
    /// The whole picture is left out, as of a higher temporal layer.
    DropPicture,
    Insert,
    Switch,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        20 => Just(Fate::Forward),
        2 => Just(Fate::Lose),
        4 => (1..12usize).prop_map(Fate::Delay),
        6 => Just(Fate::DropPicture),
        1 => Just(Fate::Insert),
        1 => Just(Fate::Switch),
    ]
}

/// A source of several layers and a subscriber that checks what it gets.
struct Model {
    munger: Munger,
    layer: u8,
    next: [Incoming; 3],
    packet_of_picture: u8,
    drop_picture: Option<u16>,
    delayed: Vec<(usize, u8, Incoming)>,
    /// Who has each outgoing number: layer, generation count and incoming number, or none for one inserted.
    owners: HashMap<u64, Option<(u8, u32, u64)>>,
    pictures: HashMap<(u32, u16), (u8, u16)>,
    generation: u32,
    switched: bool,
    dropped_generation_pictures: Vec<u16>,
}

impl Model {
    fn new() -> Model {
        let layer = |i: u16| picture(70_000 + 20_000 * u64::from(i), 0x7ff0 + i * 9, 250);
        Model {
            munger: Munger::new(RATE, 0xfff0, u32::MAX - 10_000),
            layer: 0,
            next: [layer(0), layer(1), layer(2)],
            packet_of_picture: 0,
            drop_picture: None,
            delayed: Vec::new(),
            owners: HashMap::new(),
            pictures: HashMap::new(),
            generation: 0,
            switched: false,
            dropped_generation_pictures: Vec::new(),
        }
    }

    /// The next packet of the current layer; three make a picture.
    fn produce(&mut self) -> Incoming {
        let next = &mut self.next[usize::from(self.layer)];
        let packet = *next;
        next.sequence += 1;
        self.packet_of_picture += 1;
        if self.packet_of_picture == 3 {
            self.finish_picture();
        }
        packet
    }

    fn finish_picture(&mut self) {
        self.packet_of_picture = 0;
        let next = &mut self.next[usize::from(self.layer)];
        next.timestamp = next.timestamp.wrapping_add(3000);
        next.picture_id = next.picture_id.map(|id| id.plus(1));
        next.tl0 = next.tl0.map(|tl0| tl0.wrapping_add(1));
    }

    fn received(&mut self, packet: Incoming, outgoing: Outgoing) {
        let owner = Some((self.layer, self.generation, packet.sequence));
        let before = self.owners.insert(outgoing.index, owner);
        assert!(before.is_none() || before == Some(owner), "{} twice: {before:?} {owner:?}", outgoing.index);
        let id = packet.picture_id.unwrap().value;
        assert!(!self.dropped_generation_pictures.contains(&id), "a dropped picture was sent");
        let whose = (self.layer, id);
        let before = self.pictures.insert((self.generation, outgoing.picture_id.unwrap()), whose);
        assert!(before.is_none() || before == Some(whose), "two pictures of one id");
        let origin = self.munger.origin(outgoing.sequence()).unwrap();
        assert_eq!((origin.layer, origin.sequence), (self.layer, packet.sequence));
        assert_eq!(self.munger.again(origin.generation, &packet), Some(outgoing));
    }

    fn forward(&mut self, packet: Incoming) {
        let highest = self.munger.highest();
        match self.munger.map(&packet) {
            Some(outgoing) => {
                assert!(self.munger.highest() >= highest);
                self.received(packet, outgoing);
            }
            None => assert_eq!(self.munger.highest(), highest, "a number that was never sent"),
        }
    }

    fn switch(&mut self, elapsed: Duration) {
        if self.packet_of_picture > 0 {
            self.finish_picture();
        }
        if self.switched {
            self.layer = (self.layer + 1) % 3;
            self.generation += 1;
        }
        self.drop_picture = None;
        self.dropped_generation_pictures.clear();
        // What the source sent in the meantime.
        let skipped = &mut self.next[usize::from(self.layer)];
        skipped.sequence += 300;
        skipped.picture_id = skipped.picture_id.map(|id| id.plus(100));
        let (highest, timestamp) = (self.munger.highest(), self.munger.last_timestamp());
        let packet = self.produce();
        let outgoing = self.munger.switch(self.layer, &packet, elapsed);
        if let (Some(highest), Some(timestamp)) = (highest, timestamp) {
            assert_eq!(outgoing.index, highest + 1, "not continuous at the switch");
            let step = outgoing.timestamp.wrapping_sub(timestamp);
            assert!((1..1 << 31).contains(&step), "timestamp went back at the switch");
            assert!(u64::from(step) >= elapsed.as_millis() as u64 * 90, "{step} {elapsed:?}");
        }
        self.switched = true;
        self.received(packet, outgoing);
    }

    fn step(&mut self, fate: Fate) {
        match fate {
            Fate::Switch => return self.switch(FRAME),
            Fate::Insert => {
                let Some((index, _)) = self.munger.insert() else { return };
                assert_eq!(self.owners.insert(index, None), None);
                return;
            }
            _ => {}
        }
        let first = self.packet_of_picture == 0;
        let packet = self.produce();
        let id = packet.picture_id.unwrap().value;
        if first && matches!(fate, Fate::DropPicture) {
            self.drop_picture = Some(id);
            self.dropped_generation_pictures.push(id);
        }
        if self.drop_picture == Some(id) {
            assert_eq!(self.munger.drop_packet(&packet), Gap::Closed);
        } else {
            match fate {
                Fate::Lose => {}
                Fate::Delay(steps) => self.delayed.push((steps, self.layer, packet)),
                _ => {
                    let expected = self.munger.map(&packet);
                    assert!(expected.is_some(), "a packet in order was refused");
                    self.forward(packet);
                }
            }
        }
        let (layer, mut due) = (self.layer, Vec::new());
        self.delayed.retain_mut(|(steps, of, packet)| {
            *steps -= 1;
            if *steps == 0 && *of == layer {
                due.push(*packet);
            }
            *steps > 0
        });
        due.into_iter().for_each(|packet| self.forward(packet));
    }

    /// Every number that the subscriber misses belongs to a packet that did not come.
    fn holes(&self) -> u64 {
        let (Some(lowest), Some(highest)) = (self.owners.keys().min(), self.owners.keys().max()) else { return 0 };
        highest - lowest + 1 - self.owners.len() as u64
    }
}

proptest! {
    #[test]
    fn a_subscriber_never_sees_a_number_twice(fates in prop::collection::vec(fate(), 0..400)) {
        let mut model = Model::new();
        model.step(Fate::Switch);
        let missing = fates.iter().filter(|fate| matches!(fate, Fate::Lose | Fate::Delay(_))).count() as u64;
        for fate in fates {
            model.step(fate);
        }
        prop_assert!(model.holes() <= missing, "{} holes of {missing} losses", model.holes());
    }

    #[test]
    fn without_loss_the_numbers_are_continuous(
        fates in prop::collection::vec(
            prop_oneof![8 => Just(Fate::Forward), 3 => Just(Fate::DropPicture), 1 => Just(Fate::Switch), 1 => Just(Fate::Insert)],
            0..400,
        ),
    ) {
        let mut model = Model::new();
        model.step(Fate::Switch);
        fates.into_iter().for_each(|fate| model.step(fate));
        prop_assert_eq!(model.holes(), 0);
    }
}
