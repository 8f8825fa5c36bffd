//! What must not pass does not pass: closed gates, ended sessions, also with packets under way or held.

use crate::bots::bot::BotShape;
use crate::bots::sending::LayerShape;
use crate::bots::world::World;
use signaling::ids::Source;
use symposia::net::counters::Drop;
use symposia::worker::api::{Command, Event};

fn call(seed: u64) -> World {
    let mut world = World::new(seed);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.publish(0, 20);
    world.run_ms(1500);
    assert!(world.bot(1).count(1, Source::Camera) > 50);
    assert!(world.bot(1).count(1, Source::Microphone) > 50);
    world
}

/// RTP datagrams to one Bot since the watch began.
fn media_to(world: &World, place: usize) -> usize {
    let address = world.places[place].bot.address;
    let watched = world.watch.iter().flatten();
    watched.filter(|(_, to, data)| *to == address && data[0] >> 6 == 2 && !symposia::rtp::is_rtcp(data)).count()
}

// acceptance: M4
#[test]
fn a_closed_gate_lets_nothing_through_from_its_acknowledgement_on() {
    let mut world = call(1);
    // In the middle of a frame: some packets of it are held, others on the way to the server.
    world.run_ms(7);
    world.set_gate(0, Source::Camera, false);
    world.set_gate(0, Source::Microphone, false);
    world.watch = Some(Vec::new());
    let last = world.bot(1).slots[0].last().map(|got| got.seq as u16).expect("there was a picture");
    // A Bot that ignores its mute goes on; and somebody asks for what was sent before.
    for back in 0..20_u16 {
        world.bot(1).ask_again(0, &[last.wrapping_sub(back)]);
        world.run_ms(40);
    }
    assert_eq!(media_to(&world, 1), 0);
    assert!(world.dropped(Drop::GateClosed) > 100);
    let flowing: Vec<_> = world.events.iter().filter(|e| matches!(e, Event::Flowing { flowing: false, .. })).collect();
    assert_eq!(flowing.len(), 2, "{flowing:?}");
}

#[test]
fn a_gate_that_opens_again_brings_back_a_whole_picture() {
    let mut world = call(2);
    world.set_gate(0, Source::Camera, false);
    world.set_gate(0, Source::Microphone, false);
    world.run_ms(500);
    let before = world.bot(1).count(1, Source::Camera);
    world.set_gate(0, Source::Camera, true);
    world.set_gate(0, Source::Microphone, true);
    world.run_ms(1500);
    assert!(world.bot(1).count(1, Source::Camera) > before + 100, "no picture after the gate opened");
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: M4
#[test]
fn a_gate_closed_from_the_start_is_closed() {
    let mut world = World::new(3);
    let router = world.router(0);
    let link = crate::bots::netem::Link::CLEAN;
    world.join_router(router, 1, BotShape::default(), &[Source::Microphone], link);
    world.join(2, BotShape::default());
    world.connect();
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.publish(0, 20);
    world.run_ms(1000);
    assert_eq!(world.bot(1).count(1, Source::Camera), 0);
    assert!(world.bot(1).count(1, Source::Microphone) > 40);
}

// acceptance: M4
#[test]
fn a_screen_sent_in_the_cameras_section_is_under_the_cameras_gate() {
    let mut world = World::new(4);
    let shape = BotShape { sources: vec![Source::Microphone, Source::Camera, Source::Screen], ..BotShape::default() };
    let router = world.router(0);
    let link = crate::bots::netem::Link::CLEAN;
    world.join_router(router, 1, shape, &[Source::Microphone, Source::Screen], link);
    world.join(2, BotShape::default());
    world.connect();
    world.watch_tracks(1, &[(1, Source::Camera, 720), (1, Source::Screen, 1080)]);
    let now = world.now;
    world.bot(0).start_video(now, Source::Camera, &crate::bots::sending::SIMULCAST, 30);
    world.run_ms(800);
    assert!(world.places[1].bot.slots.iter().all(|slot| slot.got.is_empty()));
    let now = world.now;
    world.bot(0).start_video(now, Source::Screen, &[LayerShape::new(1080, 9000)], 10);
    world.run_ms(800);
    assert!(world.bot(1).count(1, Source::Screen) > 50);
    assert_eq!(world.bot(1).count(1, Source::Camera), 0);
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: M5
#[test]
fn nothing_passes_an_ended_session_in_either_direction() {
    for ended in [0, 1] {
        let mut world = call(5);
        world.run_ms(7);
        world.close(ended);
        world.watch = Some(Vec::new());
        world.run_ms(1500);
        assert_eq!(media_to(&world, 0) + media_to(&world, 1), 0, "of the Bot that was ended: {ended}");
        let ended = world.places[ended].bot.address;
        assert!(world.watch.iter().flatten().all(|(_, to, _)| *to != ended), "something went to the ended one");
        assert!(world.bot(usize::from(ended == world.places[1].bot.address)).closed, "nobody said goodbye");
    }
}

#[test]
fn a_newer_session_of_a_participant_ends_the_older() {
    let mut world = call(6);
    let again = world.join(1, BotShape::default());
    world.run_ms(500);
    assert!(world.bot(0).closed);
    assert!(world.bot(again).connected());
    world.publish(again, 20);
    let before = world.bot(1).count(1, Source::Camera);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1000);
    assert!(world.bot(1).count(1, Source::Camera) > before + 50);
    assert_eq!(world.core.counters.sessions, 2);
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: SIM
#[test]
fn all_left_means_nothing_left() {
    let mut world = call(7);
    world.close(0);
    world.run_ms(300);
    assert!(!world.core.is_empty());
    world.close(1);
    let router = world.router(0);
    world.command(Command::CloseRouter { router });
    assert!(world.core.is_empty());
    assert_eq!((world.core.counters.sessions, world.core.counters.routers), (0, 0));
    assert_eq!(world.core.poll_timeout(), None);
    // Their packets still come; nothing of them stays.
    world.run_ms(2000);
    assert!(world.core.is_empty());
}

#[test]
fn a_router_that_closes_ends_its_sessions_and_no_others() {
    let mut world = call(8);
    let other = world.open_router();
    let link = crate::bots::netem::Link::CLEAN;
    let shape = BotShape::default();
    let place = world.join_router(other, 9, shape, &[Source::Camera], link);
    world.run_ms(500);
    let router = world.router(0);
    world.command(Command::CloseRouter { router });
    world.run_ms(100);
    assert!(world.bot(0).closed && world.bot(1).closed && world.bot(place).connected());
    assert_eq!(world.core.counters.sessions, 1);
}
