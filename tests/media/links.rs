//! Bad links: loss, jitter, reordering, duplicates, changes of address, thin downlinks.

use crate::bots::bot::BotShape;
use crate::bots::netem::Link;
use crate::bots::world::{Plan, World};
use signaling::ids::Source;
use signaling::protocol::{Cause, Condition, Link as Direction, Quality, SessionState};
use std::net::SocketAddr;
use std::time::Duration;
use symposia::session::plan::Kind;
use symposia::session::quality::Conditions;
use symposia::worker::api::Event;

fn call(seed: u64) -> World {
    let mut world = World::call(seed, Plan::default());
    world.run_ms(1500);
    world
}

// acceptance: N1
#[test]
fn what_the_downlink_loses_comes_again_as_retransmission() {
    let mut world = call(1);
    world.set_links(1, Link::CLEAN, Link::losing(50));
    world.run_ms(5000);
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(500);
    assert_eq!(world.problems(), [""; 0]);
    assert!(world.core.counters.retransmitted > 30, "{}", world.core.counters.retransmitted);
    let slot = &world.places[1].bot.slots[0];
    let repaired = slot.got.values().filter(|got| got.repaired).count();
    assert!(repaired > 30, "{repaired}");
    assert_eq!(slot.missing(), 0, "of {} packets, {repaired} were repaired", slot.got.len());
}

// acceptance: N1
#[test]
fn what_the_downlink_loses_comes_again_for_those_without_retransmission_streams_too() {
    let mut world = World::new(22);
    world.join(1, BotShape::default());
    world.join(2, BotShape { without_rtx: true, ..BotShape::default() });
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1500);
    let asked = world.bot(0).heard.picture_losses;
    world.set_links(1, Link::CLEAN, Link::losing(50));
    world.run_ms(5000);
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(500);
    assert_eq!(world.problems(), [""; 0]);
    assert!(world.core.counters.retransmitted > 30, "{}", world.core.counters.retransmitted);
    let slot = world.places[1].bot.slots_of(Kind::Video).find(|slot| !slot.got.is_empty()).expect("a picture");
    assert_eq!(slot.missing(), 0, "of {} packets", slot.got.len());
    assert_eq!(world.bot(0).heard.picture_losses, asked, "no key frame was needed");
}

// acceptance: N1
#[test]
fn what_the_uplink_loses_is_asked_for_and_passed_on() {
    let mut world = call(2);
    world.set_links(0, Link::losing(100), Link::CLEAN);
    world.run_ms(5000);
    world.set_links(0, Link::CLEAN, Link::CLEAN);
    world.run_ms(500);
    assert!(world.bot(0).heard.nacks > 20);
    let resent: u64 = world.bot(0).sending.streams_mut().map(|stream| stream.retransmitted).sum();
    assert!(resent > 30, "{resent}");
    let slot = &world.places[1].bot.slots[0];
    assert_eq!(slot.missing(), 0, "of {}", slot.got.len());
    assert_eq!(world.problems(), [""; 0]);
}

/// What is told of the connections of a participant, the newest last.
fn told(world: &World, place: usize) -> Vec<Conditions> {
    let participant = world.places[place].participant;
    let of = |event: &Event| match event {
        Event::Quality { participant: whose, conditions } if *whose == participant => Some(*conditions),
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

#[test]
fn whose_link_loses_in_which_direction_is_told_once_and_so_is_its_end() {
    let mut world = call(21);
    world.set_links(0, Link::losing(250), Link::CLEAN);
    world.set_links(1, Link::CLEAN, Link::losing(250));
    world.run_ms(20_000);
    let (up, down) = (told(&world, 0), told(&world, 1));
    let (up, down) = (up.last().expect("told"), down.last().expect("told"));
    let Some(Cause::Loss { link: Direction::Uplink, percent }) = up.uplink.cause else { panic!("{up:?}") };
    assert!((12..=35).contains(&percent), "{percent}");
    assert_eq!((up.uplink.quality, up.downlink.quality), (Quality::Poor, Quality::Good));
    let Some(Cause::Loss { link: Direction::Downlink, .. }) = down.downlink.cause else { panic!("{down:?}") };
    assert_eq!(down.uplink.quality, Quality::Good, "{down:?}");
    for place in [0, 1] {
        world.set_links(place, Link::CLEAN, Link::CLEAN);
    }
    world.run_ms(60_000);
    for place in [0, 1] {
        let all = told(&world, place);
        let last = all.last().expect("told");
        assert_eq!((last.uplink, last.downlink), (Condition::GOOD, Condition::GOOD), "{place}: {all:?}");
        assert!(all.len() < 30, "a flood: {all:?}");
    }
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: N1
#[test]
fn sound_over_a_link_that_loses_a_fifth_is_repeated_in_later_packets() {
    let mut world = call(8);
    world.set_links(1, Link::CLEAN, Link::losing(200));
    // Feedback has to tell of the loss first.
    world.run_ms(2000);
    fn sound(world: &mut World) -> Vec<&mut crate::bots::receiving::Slot> {
        let slots = &mut world.places[1].bot.slots;
        slots.iter_mut().filter(|slot| slot.kind == Kind::Audio && !slot.got.is_empty()).collect()
    }
    sound(&mut world).into_iter().for_each(|slot| slot.got.clear());
    world.run_ms(10_000);
    let (mut missing, mut silent) = (0, 0);
    for slot in sound(&mut world) {
        missing += slot.missing();
        silent += slot.silent();
    }
    assert!(missing > 70, "{missing} of 500 were lost");
    assert!(silent * 50 <= 500, "{silent} of {missing} lost sounds were not repeated");
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(20_000);
    sound(&mut world).into_iter().for_each(|slot| slot.repeated.clear());
    world.run_ms(1_000);
    assert!(sound(&mut world).iter().all(|slot| slot.repeated.is_empty()), "nothing is lost any more");
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: N4
#[test]
fn jitter_reordering_and_duplicates_do_no_harm() {
    let rough = Link {
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(30),
        loss: 10,
        duplicate: 10,
        reorder: 50,
        ..Link::CLEAN
    };
    let mut world = World::new(3);
    let router = world.router(0);
    for name in 1..=3 {
        let shape = BotShape::default();
        world.join_router(router, name, shape.clone(), &shape.sources, rough);
    }
    world.connect();
    for place in 0..3 {
        world.publish(place, 30);
        let others: Vec<_> =
            (1..=3).filter(|name| *name != place as u32 + 1).map(|n| (n, Source::Camera, 360)).collect();
        world.watch_tracks(place, &others);
    }
    world.run_ms(6000);
    (0..3).for_each(|place| world.set_links(place, Link::CLEAN, Link::CLEAN));
    world.run_ms(1000);
    assert_eq!(world.problems(), [""; 0]);
    for place in &world.places {
        for slot in &place.bot.slots {
            // Sound has no retransmissions yet: what both links lose stays lost.
            let bound = if slot.kind == Kind::Video { 100 } else { 16 };
            let (got, missing) = (slot.got.len() as u64, slot.missing());
            assert!(missing * bound <= got, "bot {} slot {}: {missing} of {got} missing", place.bot.name, slot.mid);
        }
    }
}

// acceptance: N7
#[test]
fn the_handshake_ends_though_datagrams_are_lost() {
    for seed in 0..20 {
        for active in [false, true] {
            let mut world = World::new(seed);
            let router = world.router(0);
            let shape = BotShape { active, ..BotShape::default() };
            world.join_router(router, 1, shape, &[], Link::losing(250));
            world.run_ms(5000);
            assert!(world.bot(0).connected(), "seed {seed}, active: {active}");
            assert_eq!(world.places[0].state, Some(SessionState::Connected), "seed {seed}, active: {active}");
        }
    }
}

// acceptance: N5
#[test]
fn a_new_address_is_followed_with_the_next_check() {
    let mut world = call(4);
    let now = world.now;
    for place in 0..2 {
        world.bot(place).move_to(now, SocketAddr::from(([10, 9, 9, place as u8], 50_000)));
    }
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(1000);
    assert!(world.bot(1).count(1, Source::Camera) > 100);
    assert!(world.bot(1).count(1, Source::Microphone) > 40);
    assert_eq!(world.problems(), [""; 0]);
    assert!(world.places.iter().all(|place| place.state == Some(SessionState::Connected)));
}

// acceptance: N5
#[test]
fn an_ice_restart_keeps_keys_and_streams() {
    let mut world = call(5);
    for round in 0..3 {
        let now = world.now;
        world.bot(1).move_to(now, SocketAddr::from(([10, 8, round, 1], 50_000)));
        world.restart_ice(1);
        world.restart_ice(0);
        let before = world.bot(1).count(1, Source::Camera);
        world.run_ms(1000);
        assert!(world.bot(1).count(1, Source::Camera) > before + 100, "round {round}");
        assert_eq!(world.bot(1).agent.as_ref().map(|agent| agent.refusals.len()), Some(0));
    }
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.places[1].state, Some(SessionState::Connected));
}

// acceptance: M8
#[test]
fn a_network_that_is_gone_and_comes_back_brings_the_call_back() {
    let mut world = call(6);
    let gone = Link { down: true, ..Link::CLEAN };
    world.set_links(1, gone, gone);
    world.run_ms(12_000);
    assert_eq!(world.places[1].state, Some(SessionState::Disconnected));
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.restart_ice(1);
    world.run_ms(1500);
    assert_eq!(world.places[1].state, Some(SessionState::Connected));
    world.bot(1).forget_received();
    world.run_ms(1000);
    assert!(world.bot(1).count(1, Source::Camera) > 30);
    // Gone for longer than consent lasts, the session is over.
    world.set_links(1, gone, gone);
    world.run_ms(40_000);
    assert_eq!(world.places[1].state, Some(SessionState::Failed));
    assert_eq!(world.core.counters.sessions, 1);
}

// acceptance: M8
#[test]
fn who_is_gone_gets_nothing_until_he_is_back() {
    let mut world = call(8);
    let gone = Link { down: true, ..Link::CLEAN };
    world.set_links(1, gone, gone);
    world.run_ms(9_000);
    assert_eq!(world.places[1].state, Some(SessionState::Disconnected));
    let (sent, received) = (world.core.counters.sent, world.core.counters.received);
    world.run_ms(5_000);
    assert!(world.core.counters.received > received + 500, "the other one goes on sending");
    assert_eq!(world.core.counters.sent, sent);
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.bot(1).forget_received();
    world.run_ms(3_000);
    assert_eq!(world.places[1].state, Some(SessionState::Connected));
    assert!(world.bot(1).count(1, Source::Camera) > 30);
}

#[test]
fn a_lossy_link_gets_a_lower_layer_and_a_good_one_the_top_again() {
    let mut world = call(7);
    let layer = |world: &World| world.places[1].bot.slots[0].last().map(|got| got.tag.layer);
    assert_eq!(layer(&world), Some(2));
    world.set_links(1, Link::CLEAN, Link::losing(300));
    world.run_ms(6000);
    assert!(layer(&world) < Some(2), "{:?}", layer(&world));
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(60_000);
    assert_eq!(layer(&world), Some(2));
    assert_eq!(world.problems(), [""; 0]);
}
