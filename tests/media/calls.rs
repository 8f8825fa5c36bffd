//! Calls as they should be: who sees and hears what.

use crate::bots::bot::BotShape;
use crate::bots::crypto::Opener;
use crate::bots::netem::Link;
use crate::bots::world::World;
use signaling::ids::Source;
use signaling::protocol::SessionState;
use std::time::{Duration, Instant};
use symposia::session::plan::Kind;

fn two(seed: u64, shape: BotShape) -> World {
    let mut world = World::new(seed);
    world.join(1, shape.clone());
    world.join(2, shape);
    world.connect();
    world
}

#[test]
fn the_handshake_takes_a_few_round_trips_in_either_role() {
    for active in [false, true] {
        let mut world = World::new(1);
        world.join(1, BotShape { active, ..BotShape::default() });
        world.connect();
        assert_eq!(world.places[0].state, Some(SessionState::Connected), "active: {active}");
        // Check and answer 10 ms, handshake four flights of 5 ms each; and how long `connect` looks on after it.
        let took = world.now.duration_since(world.start);
        assert!(took.as_millis() < 200, "{took:?}");
        let mapped = world.places[0].bot.agent.as_ref().and_then(|agent| agent.mapped);
        assert_eq!(mapped, Some(world.places[0].bot.address));
    }
}

// acceptance: M1
#[test]
fn two_see_and_hear_each_other_byte_for_byte_and_nobody_hears_himself() {
    for opener in [Opener::Ours, Opener::Oracle] {
        let mut world = two(2, BotShape { opener, ..BotShape::default() });
        world.watch_tracks(0, &[(2, Source::Camera, 720)]);
        world.watch_tracks(1, &[(1, Source::Camera, 720)]);
        world.publish(0, 20);
        world.publish(1, 20);
        world.run_ms(3000);
        assert_eq!(world.problems(), [""; 0]);
        for (place, own, other) in [(0, 1, 2), (1, 2, 1)] {
            let bot = &world.places[place].bot;
            // 30 frames a second of 7 packets in the top layer; 50 sounds a second.
            assert!(bot.count(other, Source::Camera) > 300, "{}", bot.count(other, Source::Camera));
            assert!(bot.count(other, Source::Microphone) >= 148, "{}", bot.count(other, Source::Microphone));
            assert_eq!(bot.count(own, Source::Camera) + bot.count(own, Source::Microphone), 0, "one hears himself");
            assert_eq!(bot.heard.strange, 0);
            assert_eq!(bot.slots_of(Kind::Video).map(|slot| slot.missing()).sum::<u64>(), 0);
            assert!(bot.heard.sender_reports > 2 && bot.heard.transport_feedbacks > 10, "{:?}", bot.heard);
        }
    }
}

/// When the first whole frame of a camera was there.
fn first_picture(world: &World, place: usize) -> Option<Instant> {
    let slot = world.places[place].bot.slots_of(Kind::Video).find(|slot| !slot.got.is_empty())?;
    let first = slot.got.values().next().filter(|got| got.key)?;
    slot.got.values().find(|got| got.marker && got.timestamp == first.timestamp).map(|got| got.at)
}

/// Somebody joins who wants to see the camera of the participant named 1.
fn join_and_watch(world: &mut World, name: u32) -> (usize, Instant) {
    let place = world.join(name, BotShape::default());
    world.watch_tracks(place, &[(1, Source::Camera, 180)]);
    (place, world.now)
}

/// Ways of 5 ms each: there and back for the check, with our hello; two more for the handshake, and the picture's.
/// The publisher sends a frame every 33 ms.
const SOON: Duration = Duration::from_millis(60);

#[test]
fn whoever_joins_sees_a_picture_as_soon_as_he_has_keys() {
    let mut world = World::new(7);
    world.join(1, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.run_ms(2000);
    let asked = world.core.counters.key_frame_requests;
    let (first, joined) = join_and_watch(&mut world, 2);
    assert_eq!(world.core.counters.key_frame_requests, asked + 1, "it is asked for with the wish, before any check");
    world.run_ms(70);
    let (second, later) = join_and_watch(&mut world, 3);
    world.run_ms(1000);
    assert_eq!(world.core.counters.key_frame_requests, asked + 1, "the second begins with the first one's key frame");
    for (place, joined) in [(first, joined), (second, later)] {
        let took = first_picture(&world, place).expect("there is a picture").duration_since(joined);
        assert!(took <= SOON, "bot {}: {took:?}", world.bot(place).name);
        assert_eq!(world.places[place].bot.slots.iter().map(|slot| slot.missing()).sum::<u64>(), 0);
    }
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn a_hundred_joins_a_second_see_a_picture_as_soon_as_one_does() {
    const JOINS: u32 = 100;
    let mut world = World::new(8);
    world.join(1, BotShape { video_slots: 1, ..BotShape::default() });
    world.connect();
    world.publish(0, 20);
    world.run_ms(2000);
    let joins: Vec<_> = (0..JOINS)
        .map(|join| {
            let joined = join_and_watch(&mut world, join + 2);
            world.run_ms(10);
            joined
        })
        .collect();
    world.run_ms(500);
    for (place, joined) in joins {
        let took = first_picture(&world, place).expect("there is a picture").duration_since(joined);
        // Whoever comes at the end of one key frame's time waits for the next.
        assert!(took <= SOON + KEY_FRAME_COMES, "bot {}: {took:?}", world.bot(place).name);
    }
    assert_eq!(world.problems(), [""; 0]);
}

/// To the publisher, until its next frame, and back.
const KEY_FRAME_COMES: Duration = Duration::from_millis(45);

#[test]
fn who_never_connects_does_not_go_on_asking_for_key_frames() {
    let mut world = World::new(9);
    world.join(1, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.run_ms(2000);
    let (place, _) = join_and_watch(&mut world, 2);
    world.set_links(place, Link::losing(1000), Link::losing(1000));
    let asked = world.core.counters.key_frame_requests;
    world.run_ms(10_000);
    assert_eq!(world.core.counters.key_frame_requests, asked);
}
