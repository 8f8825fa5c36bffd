//! Layers, slots and voices: who gets which, how it changes, and that numbers go on over every change.

use crate::bots::bot::{Bot, BotShape};
use crate::bots::sending::source_number;
use crate::bots::world::World;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::PauseReason;
use std::time::Duration;
use symposia::session::limits::MediaLimits;
use symposia::session::plan::Kind;
use symposia::worker::api::Event;

fn layer_shown(bot: &Bot, slot: usize) -> Option<u8> {
    bot.slots[slot].last().map(|got| got.tag.layer)
}

// acceptance: M7
#[test]
fn the_layer_follows_the_tile_at_a_key_frame_and_numbers_go_on() {
    let mut world = World::new(1);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 90)]);
    world.run_ms(2000);
    assert_eq!(layer_shown(world.bot(1), 0), Some(0));
    for (height, layer) in [(720, 2), (300, 1), (90, 0), (720, 2), (90, 0)] {
        world.watch_tracks(1, &[(1, Source::Camera, height)]);
        world.run_ms(2000);
        assert_eq!(layer_shown(world.bot(1), 0), Some(layer), "at a height of {height}");
    }
    assert_eq!(world.problems(), [""; 0]);
    let slot = &world.places[1].bot.slots[0];
    assert_eq!(slot.missing(), 0);
    // A freeze is a pause between frames; none is longer than half a second.
    let arrivals: Vec<_> = slot.got.values().map(|got| got.at).collect();
    let longest = arrivals.windows(2).map(|pair| pair[1] - pair[0]).max().expect("packets came");
    assert!(longest.as_millis() < 500, "{longest:?}");
    // What is shown goes on by the clock: over the whole time the timestamps drift by less than two frames.
    let (first, last) = (slot.got.values().next().expect("first"), slot.last().expect("last"));
    let ticks = f64::from(last.timestamp.wrapping_sub(first.timestamp)) / 90.0;
    let elapsed = (last.at - first.at).as_secs_f64() * 1000.0;
    assert!((ticks - elapsed).abs() < 150.0, "{ticks} ms of timestamps in {elapsed} ms");
}

/// One watches three large pictures, another a small one: when the worker can't keep up, the first gets smaller
/// ones and the other what it had, and nobody's sound suffers. Afterwards all is as before.
#[test]
fn a_worker_that_cannot_keep_up_takes_from_those_who_have_most() {
    let mut world = World::new(12);
    (1..=5).for_each(|name| {
        world.join(name, BotShape::default());
    });
    world.connect();
    (0..3).for_each(|place| world.publish(place, 20));
    let large = [1, 2, 3].map(|name| (name, Source::Camera, 720));
    world.watch_tracks(3, &large);
    world.watch_tracks(4, &[(1, Source::Camera, 90)]);
    world.run_ms(15_000);
    let shown = |world: &mut World| -> Vec<_> { (0..3).map(|slot| layer_shown(world.bot(3), slot)).collect() };
    assert_eq!(shown(&mut world), [Some(2); 3]);
    let sounds = |world: &mut World, place: usize| world.bot(place).count(1, Source::Microphone);
    let before = [sounds(&mut world, 3), sounds(&mut world, 4)];
    for _ in 0..16 {
        world.load(0.99);
        world.run_ms(250);
    }
    assert!(world.core.cap().is_some());
    assert!(shown(&mut world).iter().all(|layer| *layer < Some(2)), "{:?}", shown(&mut world));
    assert_eq!(layer_shown(world.bot(4), 0), Some(0));
    for (place, before) in [3, 4].into_iter().zip(before) {
        let heard = sounds(&mut world, place) - before;
        assert!((198..=202).contains(&heard), "{heard} of 200 sounds");
    }
    // It goes on: what shows nothing any more is told to be the server's doing, not the link's.
    for _ in 0..40 {
        world.load(0.99);
        world.run_ms(250);
    }
    let reasons: Vec<_> = crate::thin::paused(&world, 3).into_iter().flatten().collect();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| *reason == PauseReason::Overload), "{reasons:?}");
    for _ in 0..160 {
        world.load(0.2);
        world.run_ms(250);
    }
    assert_eq!(world.core.cap(), None);
    assert_eq!(shown(&mut world), [Some(2); 3]);
    assert_eq!(world.problems(), [""; 0]);
}

/// An encoder that begins anew sends another SSRC, with numbers below those that went before.
#[test]
fn a_publisher_that_begins_anew_with_other_numbers_is_seen_and_heard_again() {
    let mut world = World::new(13);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(4000);
    for _ in 0..2 {
        let sending = &mut world.bot(0).sending;
        for layer in &mut sending.videos[0].layers {
            layer.stream.ssrc = layer.stream.ssrc.wrapping_add(77_777);
            layer.stream.next = layer.stream.next.saturating_sub(30);
        }
        let sound = &mut sending.sounds[0].stream;
        (sound.ssrc, sound.next) = (sound.ssrc.wrapping_add(77_777), sound.next.saturating_sub(30));
        let count =
            |world: &mut World| [Source::Camera, Source::Microphone].map(|source| world.bot(1).count(1, source));
        let before = count(&mut world);
        world.run_ms(4000);
        let [pictures, sounds] = std::array::from_fn(|kind| count(&mut world)[kind] - before[kind]);
        assert!(pictures > 400 && sounds > 190, "{pictures} packets of pictures, {sounds} sounds");
    }
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: SIM
#[test]
fn key_frames_are_asked_for_once_per_layer_and_window() {
    let mut world = World::new(2);
    world.join(1, BotShape::default());
    for name in 2..=9 {
        world.join(name, BotShape::default());
    }
    world.connect();
    world.publish(0, 20);
    for place in 1..9 {
        world.watch_tracks(place, &[(1, Source::Camera, 720)]);
    }
    world.run_ms(1500);
    world.bot(0).sending.videos[0].layers.iter_mut().for_each(|layer| layer.requests.clear());
    // Eight viewers ask ten times a second for three seconds.
    for round in 0..30 {
        for place in 1..9 {
            world.bot(place).ask_for_key(0);
        }
        world.run_ms(100 + round % 3);
    }
    for layer in &world.places[0].bot.sending.videos[0].layers {
        for pair in layer.requests.windows(2) {
            assert!(pair[1] - pair[0] >= MediaLimits::default().key_frame_window, "{:?}", pair[1] - pair[0]);
        }
    }
    let top = &world.places[0].bot.sending.videos[0].layers[2].requests;
    assert!((6..=9).contains(&top.len()), "{}", top.len());
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn slots_are_pointed_elsewhere_without_sdp_and_numbers_go_on() {
    let mut world = World::new(3);
    for name in 1..=5 {
        let slots = if name == 5 { 2 } else { 4 };
        world.join(name, BotShape { video_slots: slots, ..BotShape::default() });
    }
    world.connect();
    (0..4).for_each(|place| world.publish(place, 60));
    let viewer = 4;
    for wishes in [[1, 2], [1, 3], [4, 3], [2, 1], [3, 4], [3, 4]] {
        world.watch_tracks(viewer, &wishes.map(|name| (name, Source::Camera, 180)));
        world.run_ms(1200);
        let mut shown: Vec<_> =
            world.bot(viewer).slots_of(Kind::Video).map(|slot| slot.last().unwrap().tag.bot).collect();
        shown.sort_unstable();
        let mut wanted = wishes.to_vec();
        wanted.sort_unstable();
        assert_eq!(shown, wanted);
        let told = world.events.iter().rev().find_map(|event| match event {
            Event::Slots { participant, slots, .. } if *participant == ParticipantId(5) => Some(slots.clone()),
            _ => None,
        });
        let mut told: Vec<_> = told
            .expect("it was told")
            .iter()
            .filter(|slot| slot.track.source == Source::Camera)
            .map(|slot| (slot.mid.clone(), slot.track.participant.0))
            .collect();
        told.sort();
        let mut seen: Vec<_> = world
            .bot(viewer)
            .slots_of(Kind::Video)
            .map(|slot| (slot.mid.clone(), slot.last().unwrap().tag.bot))
            .collect();
        seen.sort();
        assert_eq!(told, seen, "what was told is not what came");
    }
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.bot(viewer).slots.iter().map(|slot| slot.missing()).sum::<u64>(), 0);
}

// acceptance: P6
#[test]
fn each_listener_gets_the_five_loudest_and_never_his_own_voice() {
    let mut world = World::new(4);
    for name in 1..=9 {
        world.join(name, BotShape { sources: vec![Source::Microphone], video_slots: 0, ..BotShape::default() });
    }
    world.connect();
    // Nine open microphones; the first six speak, the rest is room noise.
    for place in 0..9 {
        world.publish(place, if place < 6 { 20 + place as u8 } else { 80 });
    }
    world.run_ms(4000);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(1000);
    for place in &world.places {
        let mut heard: Vec<u32> = (1..=9).filter(|name| place.bot.count(*name, Source::Microphone) > 45).collect();
        heard.retain(|name| *name != place.bot.name);
        assert_eq!(heard.len(), 5, "{} hears {heard:?}", place.bot.name);
        assert!(heard.iter().all(|name| *name <= 6), "{} hears {heard:?}", place.bot.name);
        assert_eq!(place.bot.count(place.bot.name, Source::Microphone), 0);
    }
    // A new voice is heard from its first word.
    world.bot(8).sending.sound(Source::Microphone).level = 5;
    world.bot(0).sending.sound(Source::Microphone).level = 90;
    world.run_ms(2000);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(1000);
    assert!(world.bot(3).count(9, Source::Microphone) > 45);
    let speakers = world.events.iter().rev().find_map(|event| match event {
        Event::Speakers { participants, .. } => Some(participants.clone()),
        _ => None,
    });
    assert_eq!(speakers.expect("speakers were told").first(), Some(&ParticipantId(9)));
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn shared_sound_is_heard_beside_the_voices() {
    let mut world = World::new(5);
    let shape = BotShape { sources: vec![Source::Microphone, Source::ScreenAudio], ..BotShape::default() };
    world.join(1, shape);
    world.join(2, BotShape::default());
    world.connect();
    let now = world.now;
    world.bot(0).start_sound(now, Source::ScreenAudio, 30);
    world.bot(0).start_sound(now, Source::Microphone, 30);
    world.run_ms(1000);
    assert!(world.bot(1).count(1, Source::ScreenAudio) > 45);
    assert!(world.bot(1).count(1, Source::Microphone) > 45);
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn probes_of_padding_leave_no_gap() {
    let mut world = World::new(6);
    world.join(1, BotShape { layers: 1, ..BotShape::default() });
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1000);
    for round in 0..200 {
        let bot = world.bot(0);
        let (ids, mut twcc) = (bot.extensions, bot.sending.twcc);
        let probes: Vec<_> =
            (0..round % 5).map(|_| bot.sending.videos[0].layers[0].stream.padding(ids, &mut twcc)).collect();
        bot.sending.twcc = twcc;
        probes.into_iter().for_each(|plain| bot.send_rtp(plain));
        world.run_ms(11);
    }
    world.run_ms(100);
    assert_eq!(world.problems(), [""; 0]);
    let slot = &world.places[1].bot.slots[0];
    assert_eq!(slot.missing(), 0);
    assert_eq!(slot.count(1, source_number(Source::Camera)), slot.got.len());
    assert_eq!(world.bot(1).heard.nacks, 0);
}

#[test]
fn a_layer_that_stops_gives_way_to_one_that_flows() {
    let mut world = World::new(7);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(2000);
    assert_eq!(layer_shown(world.bot(1), 0), Some(2));
    // As libwebrtc does when its uplink or its processor gets narrow.
    world.bot(0).sending.videos[0].layers[2].active = false;
    world.run_ms(2500);
    assert_eq!(layer_shown(world.bot(1), 0), Some(1));
    world.bot(0).sending.videos[0].layers[2].active = true;
    world.run_ms(2000);
    assert_eq!(layer_shown(world.bot(1), 0), Some(2));
    // Half a second of silence, a tick, a key frame's round trip.
    let times: Vec<_> = world.places[1].bot.slots[0].got.values().map(|got| got.at).collect();
    let longest = times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).max();
    assert!(longest.is_some_and(|gap| gap <= Duration::from_millis(900)), "{longest:?}");
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn a_picture_that_stops_is_told_and_so_is_its_return() {
    let mut world = World::new(8);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1500);
    let track = TrackId { participant: ParticipantId(1), source: Source::Camera };
    let flowing = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Flowing { track: found, flowing } if *found == track => Some(*flowing),
            _ => None,
        })
    };
    let paused = |world: &World| {
        world.events.iter().rev().find_map(|event| match event {
            Event::Slots { participant, slots, .. } if *participant == ParticipantId(2) => {
                slots.iter().find(|slot| slot.track == track).map(|slot| slot.paused)
            }
            _ => None,
        })
    };
    assert_eq!((flowing(&world), paused(&world)), (Some(true), Some(None)));
    world.bot(0).sending.video(Source::Camera).next = None;
    world.run_ms(3000);
    assert_eq!((flowing(&world), paused(&world)), (Some(false), Some(Some(PauseReason::NoPackets))));
    let now = world.now;
    world.bot(0).sending.video(Source::Camera).next = Some(now);
    world.run_ms(1500);
    assert_eq!((flowing(&world), paused(&world)), (Some(true), Some(None)));
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn what_is_wanted_of_a_track_is_told() {
    let mut world = World::new(9);
    (1..=3).for_each(|name| {
        world.join(name, BotShape::default());
    });
    world.connect();
    world.publish(0, 20);
    let track = TrackId { participant: ParticipantId(1), source: Source::Camera };
    for (first, second, expected) in [(180, 720, 720), (360, 90, 360), (0, 0, 0)] {
        for (place, height) in [(1, first), (2, second)] {
            let wishes = [(1, Source::Camera, height)];
            world.watch_tracks(place, if height > 0 { &wishes } else { &[] });
        }
        world.run_ms(600);
        let told = world.events.iter().rev().find_map(|event| match event {
            Event::Wanted { track: found, height, .. } if *found == track => Some(*height),
            _ => None,
        });
        assert_eq!(told, Some(expected));
    }
}
