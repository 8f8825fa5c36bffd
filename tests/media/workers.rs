//! A meeting over several workers is one meeting: what crosses between them, once, and what must not.

use crate::bots::bot::BotShape;
use crate::bots::sending::source_number;
use crate::bots::world::{World, is_media};
use signaling::ids::{ParticipantId, Source, TrackId};
use std::time::Duration;
use symposia::net::counters::Drop;
use symposia::session::limits::MediaLimits;
use symposia::session::plan::Kind;
use symposia::worker::api::Event;
use symposia::worker::core::Core;

/// Four people, two on each worker, who all watch and hear each other.
fn meeting(seed: u64) -> World {
    let mut world = World::over(seed, 2, 2);
    (1..=4).for_each(|name| {
        world.meet(name, BotShape::default());
    });
    assert_eq!(
        (0..4).map(|place| world.worker_of(place)).collect::<Vec<_>>().windows(2).filter(|w| w[0] != w[1]).count(),
        1
    );
    world.connect();
    for place in 0..4 {
        let others = (1..=4).filter(|name| *name != place as u32 + 1);
        let wishes: Vec<_> = others.map(|name| (name, Source::Camera, 360)).collect();
        world.watch_tracks(place, &wishes);
        world.publish(place, 20);
    }
    world.run_ms(3000);
    world
}

/// Somebody on the same worker as the first, and somebody on the other.
const NEAR: usize = 1;
const FAR: usize = 2;

fn worker(world: &mut World, place: usize) -> &mut Core {
    let worker = world.worker_of(place);
    world.core_of(worker)
}

fn dropped(core: &Core, reason: Drop) -> u64 {
    core.counters.dropped[reason as usize]
}

/// RTP datagrams to a Bot since the watch began.
fn media_to(world: &World, place: usize) -> usize {
    let address = world.places[place].bot.address;
    world.watch.iter().flatten().filter(|(_, to, data)| *to == address && is_media(data)).count()
}

/// What came of each source of a Bot to another.
fn came(world: &mut World, to: usize, of: u32) -> [usize; 2] {
    [Source::Camera, Source::Microphone].map(|source| world.bot(to).count(of, source))
}

#[test]
fn all_see_and_hear_each_other_and_each_packet_crosses_once() {
    let mut world = meeting(1);
    assert_eq!(world.problems(), [""; 0]);
    for place in 0..4 {
        for name in (1..=4).filter(|name| *name != place as u32 + 1) {
            let [pictures, sounds] = came(&mut world, place, name);
            assert!(pictures > 150 && sounds > 140, "{} got {pictures}, {sounds} of {name}", place + 1);
        }
        assert_eq!(came(&mut world, place, place as u32 + 1), [0, 0], "one hears himself");
        assert_eq!(world.places[place].bot.slots_of(Kind::Video).map(|slot| slot.missing()).sum::<u64>(), 0);
    }
    let (first, second) = (world.core_of(0).counters, world.core_of(1).counters);
    assert_eq!((first.tapped, second.tapped), (first.received, second.received), "once, though two watch there");
    assert_eq!((first.taken, second.taken), (second.tapped, first.tapped));
    assert_eq!(first.dropped[Drop::TapFull as usize] + second.dropped[Drop::TapFull as usize], 0);
}

#[test]
fn a_worker_without_sessions_of_the_meeting_gets_nothing() {
    let mut world = World::over(2, 3, 2);
    world.meet(1, BotShape::default());
    world.meet(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.run_ms(500);
    let far = world.meet(3, BotShape::default());
    assert_ne!(world.worker_of(far), world.worker_of(0));
    world.connect();
    world.run_ms(500);
    let counters = worker(&mut world, 0).counters;
    assert!(counters.tapped > 0 && counters.tapped < counters.received);
    world.close(far);
    let given = worker(&mut world, 0).counters.tapped;
    world.run_ms(500);
    assert_eq!(worker(&mut world, 0).counters.tapped, given, "nobody is there any more");
    // Whoever comes next finds the place that was left.
    let next = world.meet(4, BotShape::default());
    world.connect();
    world.watch_tracks(next, &[(1, Source::Camera, 360)]);
    world.run_ms(1000);
    let [pictures, sounds] = came(&mut world, next, 1);
    assert!(pictures > 50 && sounds > 40, "{pictures}, {sounds}");
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: M4
#[test]
fn a_gate_closes_on_all_workers_before_that_is_acknowledged() {
    let mut world = meeting(3);
    world.run_ms(7);
    let session = world.places[0].session;
    let mut done = [Source::Camera, Source::Microphone]
        .map(|source| world.others.set_gate(session, source, false).expect("two workers"));
    // One of them knows before the other: it takes nothing more of what that one gives.
    let far = world.worker_of(FAR);
    world.pump_worker(far);
    let refused = dropped(worker(&mut world, FAR), Drop::GateClosed);
    world.run_ms(100);
    assert!(dropped(worker(&mut world, FAR), Drop::GateClosed) > refused + 10);
    let acknowledged = done.iter_mut().flatten().filter_map(|done| done.try_recv().ok()).count();
    assert_eq!((done.iter().flatten().count(), acknowledged), (4, 2), "each worker for itself");
    world.pump();
    world.watch = Some(Vec::new());
    let before: Vec<_> = (1..4).map(|place| came(&mut world, place, 1)).collect();
    for round in 0..20_u16 {
        for place in 1..4 {
            for slot in 0..3 {
                let last = world.bot(place).slots[slot].last().map_or(0, |got| got.seq as u16);
                world.bot(place).ask_again(slot, &[last.wrapping_sub(round)]);
            }
        }
        world.run_ms(40);
    }
    let after: Vec<_> = (1..4).map(|place| came(&mut world, place, 1)).collect();
    // What had left before the gate closed was on the links still.
    let under_way = |before: &[usize; 2], after: &[usize; 2]| after[0] - before[0] <= 16 && after[1] - before[1] <= 1;
    assert!(before.iter().zip(&after).all(|(before, after)| under_way(before, after)), "{before:?} {after:?}");
    assert!((1..4).all(|place| media_to(&world, place) > 100), "the others are seen still");
    world.set_gate(0, Source::Camera, true);
    world.set_gate(0, Source::Microphone, true);
    world.run_ms(1500);
    for place in [NEAR, FAR] {
        let [pictures, sounds] = came(&mut world, place, 1);
        assert!(pictures > after[place - 1][0] + 80 && sounds > after[place - 1][1] + 60, "{pictures}, {sounds}");
    }
    assert_eq!(world.problems(), [""; 0]);
}

/// The other worker is behind: what it was given before the gate closed it takes when the gate is open again.
// acceptance: M4
#[test]
fn what_was_said_before_a_mute_does_not_come_out_after_it() {
    let mut world = meeting(4);
    let far = world.worker_of(FAR);
    world.others.stalled = Some(far);
    world.run_ms(300);
    world.set_gate(0, Source::Camera, false);
    world.set_gate(0, Source::Microphone, false);
    let frames = world.bot(0).sending.video(Source::Camera).frames();
    world.set_gate(0, Source::Camera, true);
    world.set_gate(0, Source::Microphone, true);
    let before = dropped(worker(&mut world, FAR), Drop::GateClosed);
    world.places[FAR].bot.forget_received();
    world.others.stalled = None;
    world.run_ms(1000);
    assert!(dropped(worker(&mut world, FAR), Drop::GateClosed) > before + 20);
    let camera = source_number(Source::Camera);
    let got = world.places[FAR].bot.slots.iter().flat_map(|slot| slot.got.values());
    let of_him: Vec<_> =
        got.filter(|got| got.tag.bot == 1 && got.tag.source == camera).map(|got| got.tag.frame).collect();
    assert!(of_him.len() > 50 && of_him.iter().all(|frame| *frame >= frames), "{:?} {frames}", of_him.first());
}

// acceptance: M5
#[test]
fn nothing_of_a_removed_participant_passes_any_worker() {
    let mut world = meeting(5);
    let far = world.worker_of(FAR);
    world.others.stalled = Some(far);
    world.run_ms(107);
    world.close(0);
    world.watch = Some(Vec::new());
    let before: Vec<_> = (1..4).map(|place| came(&mut world, place, 1)).collect();
    world.others.stalled = None;
    world.run_ms(1000);
    let after: Vec<_> = (1..4).map(|place| came(&mut world, place, 1)).collect();
    let under_way = |before: &[usize; 2], after: &[usize; 2]| after[0] - before[0] <= 16 && after[1] - before[1] <= 1;
    assert!(before.iter().zip(&after).all(|(before, after)| under_way(before, after)), "{before:?} {after:?}");
    assert_eq!(media_to(&world, 0), 0);
    assert!(world.after_the_end.is_empty());
    assert!(dropped(worker(&mut world, FAR), Drop::UnknownStream) > 20, "what was under way");
    // He comes again, to the other worker or the same: as somebody new.
    let again = world.meet(1, BotShape::default());
    world.connect();
    world.publish(again, 20);
    let seen: Vec<_> = (1..4).map(|place| came(&mut world, place, 1)).collect();
    world.run_ms(2000);
    for place in 1..4 {
        let [pictures, sounds] = came(&mut world, place, 1);
        assert!(
            pictures > seen[place - 1][0] + 100 && sounds > seen[place - 1][1] + 80,
            "{place}: {pictures}, {sounds}"
        );
    }
}

// acceptance: SIM
#[test]
fn key_frames_are_asked_for_across_and_once_per_layer_and_window() {
    let mut world = meeting(6);
    world.bot(0).sending.videos[0].layers.iter_mut().for_each(|layer| layer.requests.clear());
    let asked = worker(&mut world, 0).counters.key_frame_requests;
    for round in 0..30 {
        for (place, slot) in [(NEAR, 0), (FAR, 0), (3, 0)] {
            world.bot(place).ask_for_key(slot);
        }
        // Only those who are far for the last second.
        if round < 20 {
            world.bot(NEAR).ask_for_key(0);
        }
        world.run_ms(100 + round % 3);
    }
    let layers = &world.places[0].bot.sending.videos[0].layers;
    let requests: Vec<_> = layers.iter().flat_map(|layer| layer.requests.iter().copied()).collect();
    for layer in layers {
        for pair in layer.requests.windows(2) {
            assert!(pair[1] - pair[0] >= MediaLimits::default().key_frame_window, "{:?}", pair[1] - pair[0]);
        }
    }
    assert!(requests.len() >= 6, "{}", requests.len());
    let asked = worker(&mut world, 0).counters.key_frame_requests - asked;
    assert!(asked >= requests.len() as u64, "who asks for whom is counted where the publisher is");
    // One on the other worker alone.
    world.run_ms(1000);
    world.bot(0).sending.videos[0].layers.iter_mut().for_each(|layer| layer.requests.clear());
    let slot = world.bot(FAR).slots.iter().position(|slot| slot.last().is_some_and(|got| got.tag.bot == 1));
    world.bot(FAR).ask_for_key(slot.expect("it shows him"));
    world.run_ms(300);
    assert_eq!(world.places[0].bot.sending.videos[0].layers.iter().map(|layer| layer.requests.len()).sum::<usize>(), 1);
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: P6
#[test]
fn each_listener_gets_the_five_loudest_of_all_workers() {
    let mut world = World::over(7, 3, 3);
    for name in 1..=9 {
        world.meet(name, BotShape { sources: vec![Source::Microphone], video_slots: 0, ..BotShape::default() });
    }
    world.connect();
    // The loud ones sit on all three.
    for place in 0..9 {
        world.publish(place, if place % 3 < 2 { 20 + place as u8 } else { 80 });
    }
    world.run_ms(4000);
    world.events.clear();
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(1000);
    for place in &world.places {
        let others = (1..=9).filter(|name| *name != place.bot.name);
        let heard: Vec<u32> = others.filter(|name| place.bot.count(*name, Source::Microphone) > 45).collect();
        assert_eq!(heard.len(), 5, "{} hears {heard:?}", place.bot.name);
        assert!(heard.iter().all(|name| (name - 1) % 3 < 2), "{} hears {heard:?}", place.bot.name);
    }
    // One voice more, on the last worker, is heard on the first; and who speaks is told once, not by each worker.
    world.bot(8).sending.sound(Source::Microphone).level = 5;
    world.bot(0).sending.sound(Source::Microphone).level = 90;
    world.run_ms(2000);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(1000);
    assert!(world.bot(1).count(9, Source::Microphone) > 45);
    let told: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Speakers { participants, .. } => Some(participants.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(told.last().and_then(|speakers| speakers.first()), Some(&ParticipantId(9)));
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "{told:?}");
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn what_is_wanted_of_a_track_is_the_most_that_any_worker_wants() {
    let mut world = meeting(8);
    let track = TrackId { participant: ParticipantId(1), source: Source::Camera };
    let told = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Wanted { track: found, height, .. } if *found == track => Some(*height),
            _ => None,
        })
    };
    for (near, far, expected) in [(180, 720, 720), (360, 90, 360), (90, 90, 90), (0, 0, 0), (0, 360, 360)] {
        for (place, height) in [(NEAR, near), (FAR, far), (3, 0)] {
            let wishes = [(1, Source::Camera, height)];
            world.watch_tracks(place, if height > 0 { &wishes } else { &[] });
        }
        world.run_ms(600);
        assert_eq!(told(&world), Some(expected), "{near} here, {far} there");
    }
    // All are muted, so that no router has anything to look after; then the only one who wants it goes, as the last of
    // his worker.
    for place in 0..4 {
        world.set_gate(place, Source::Camera, false);
        world.set_gate(place, Source::Microphone, false);
    }
    world.run_ms(3000);
    world.close(3);
    world.close(FAR);
    world.run_ms(600);
    assert_eq!(told(&world), Some(0));
}

// acceptance: SIM
#[test]
fn all_left_means_nothing_left_on_any_worker() {
    let mut world = meeting(9);
    (0..4).for_each(|place| world.close(place));
    world.run_ms(600);
    assert!(!world.core_of(0).is_empty(), "the meeting goes on without anybody");
    world.end_meeting();
    for worker in 0..2 {
        let core = world.core_of(worker);
        assert!(core.is_empty(), "{worker}");
        assert_eq!((core.counters.sessions, core.counters.routers), (0, 0));
        assert_eq!(core.poll_timeout(), None);
    }
}

#[test]
fn a_worker_that_cannot_keep_up_misses_packets_that_are_counted_and_the_others_none() {
    let mut world = meeting(10);
    let far = world.worker_of(FAR);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.others.stalled = Some(far);
    world.run_ms(5000);
    let near = worker(&mut world, 0).counters;
    let lost = near.dropped[Drop::TapFull as usize];
    assert!(lost > 1000, "{lost}");
    assert_eq!(near.received, near.tapped + lost);
    let [pictures, sounds] = came(&mut world, NEAR, 1);
    assert!(pictures > 290 && sounds > 240, "those beside him see him: {pictures}, {sounds}");
    assert_eq!(came(&mut world, FAR, 1), [0, 0]);
    world.others.stalled = None;
    world.run_ms(3000);
    let [pictures, sounds] = came(&mut world, FAR, 1);
    assert!(pictures > 150 && sounds > 100, "and those behind come back: {pictures}, {sounds}");
    assert_eq!(world.places[NEAR].bot.problems(), [""; 0]);
}

#[test]
fn a_publisher_that_begins_anew_goes_on_for_all_workers_and_probes_leave_no_gap() {
    let mut world = World::over(11, 2, 1);
    world.meet(1, BotShape { layers: 1, ..BotShape::default() });
    world.meet(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1000);
    for round in 0..200 {
        let bot = world.bot(0);
        let (ids, mut twcc) = (bot.extensions, bot.sending.twcc);
        let stream = &mut bot.sending.videos[0].layers[0].stream;
        let probes: Vec<_> = (0..round % 5).map(|_| stream.padding(ids, &mut twcc)).collect();
        bot.sending.twcc = twcc;
        probes.into_iter().for_each(|plain| bot.send_rtp(plain));
        world.run_ms(11);
    }
    world.run_ms(100);
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.places[1].bot.slots[0].missing(), 0);
    assert_eq!(world.bot(1).heard.nacks, 0);
    let sending = &mut world.bot(0).sending;
    let stream = &mut sending.videos[0].layers[0].stream;
    (stream.ssrc, stream.next) = (stream.ssrc.wrapping_add(77_777), stream.next.saturating_sub(30));
    let sound = &mut sending.sounds[0].stream;
    (sound.ssrc, sound.next) = (sound.ssrc.wrapping_add(77_777), sound.next.saturating_sub(30));
    let before = came(&mut world, 1, 1);
    world.run_ms(3000);
    let after = came(&mut world, 1, 1);
    assert!(after[0] - before[0] > 300 && after[1] - before[1] > 140, "{before:?} {after:?}");
    assert_eq!(world.problems(), [""; 0]);
}

/// When a Bot is told that the same sound was captured, in seconds of the server's clock.
fn captured(world: &World, place: usize, of: u32, source: Source) -> f64 {
    let number = source_number(source);
    let slots = world.places[place].bot.slots.iter();
    let (slot, got) = slots
        .filter_map(|slot| {
            Some((
                slot,
                slot.got.values().find(|got| got.tag.bot == of && got.tag.source == number && got.tag.frame == 60)?,
            ))
        })
        .next()
        .expect("the frame came");
    let (ntp, timestamp) = slot.reported.expect("a sender report");
    let rate = if source.is_audio() { 48_000.0 } else { 90_000.0 };
    let since = f64::from(got.timestamp.wrapping_sub(timestamp) as i32) / rate;
    (ntp.0 & 0xff_ffff_ffff) as f64 / f64::from(1_u32 << 16) / f64::from(1_u32 << 16) + since
}

#[test]
fn sound_and_picture_are_told_of_the_same_clock_on_all_workers() {
    let world = meeting(12);
    for source in [Source::Microphone, Source::Camera] {
        let (near, far) = (captured(&world, NEAR, 1, source), captured(&world, FAR, 1, source));
        assert!((near - far).abs() < 0.002, "{source:?}: {near} {far}");
    }
}

#[test]
fn who_is_full_or_gone_decides_where_the_next_one_goes() {
    let mut world = World::over(13, 2, 2);
    let shape = || BotShape { sources: Vec::new(), video_slots: 1, ..BotShape::default() };
    let workers: Vec<_> = (1..=7)
        .map(|name| {
            let place = world.meet(name, shape());
            world.worker_of(place)
        })
        .collect();
    let first = workers[0];
    let counts = [first, 1 - first].map(|worker| workers.iter().filter(|other| **other == worker).count());
    // Full both: they take turns.
    assert_eq!((&workers[..4], counts), (&[first, first, 1 - first, 1 - first][..], [4, 3]));
    [0, 1, 4].into_iter().for_each(|place| world.close(place));
    let next = world.meet(9, shape());
    assert_eq!(world.worker_of(next), first, "the meeting's first worker has room again");
    world.run(Duration::from_millis(100));
}
