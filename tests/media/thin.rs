//! Thin downlinks: Bots that watch through them, with the server's own estimator, probes and allocation.

use crate::bots::bot::BotShape;
use crate::bots::bottleneck::Shape;
use crate::bots::netem::Link;
use crate::bots::receiving::Slot;
use crate::bots::world::World;
use signaling::ids::{ParticipantId, Source};
use signaling::protocol::{PauseReason, SessionState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use symposia::session::plan::Kind;
use symposia::worker::api::Event;

/// So many show themselves; the last one of the world watches them all in large tiles.
fn watched(seed: u64, publishers: u32) -> (World, usize) {
    let mut world = World::new(seed);
    for name in 1..=publishers + 1 {
        world.join(name, BotShape { video_slots: 6, ..BotShape::default() });
    }
    world.connect();
    (0..publishers as usize).for_each(|place| world.publish(place, 20));
    let wishes: Vec<_> = (1..=publishers).map(|name| (name, Source::Camera, 720)).collect();
    let viewer = publishers as usize;
    world.watch_tracks(viewer, &wishes);
    (world, viewer)
}

fn layers(world: &World, viewer: usize) -> Vec<Option<u8>> {
    let recent = |slot: &Slot| slot.last().filter(|got| world.now - got.at < Duration::from_millis(700)).copied();
    world.places[viewer].bot.slots_of(Kind::Video).map(|slot| recent(slot).map(|got| got.tag.layer)).collect()
}

/// When pictures of a slot could be shown that came after `from`: those that are whole, from a key frame on.
fn shown(slot: &Slot, from: Instant) -> Vec<Instant> {
    let mut shown: Vec<Instant> = Vec::new();
    let (mut frame, mut begun, mut whole, mut last) = (None, 0, false, None);
    for got in slot.got.values() {
        let key = (got.tag.bot, got.tag.layer, got.tag.frame);
        if frame != Some(key) {
            // A frame needs the one before it, unless it is a key frame.
            let follows = whole && last.is_some_and(|last: u64| last + 1 == got.seq);
            (frame, begun, whole) = (Some(key), 0, (follows || got.key) && got.tag.packet == 0);
        }
        whole &= got.tag.packet == begun && last.is_none_or(|last| last + 1 == got.seq || begun == 0);
        begun += 1;
        last = Some(got.seq);
        if whole && begun == got.tag.packets {
            let at = shown.last().map_or(got.at, |before| got.at.max(*before));
            shown.push(at);
        }
    }
    shown.retain(|at| *at >= from);
    shown
}

fn longest_freeze(slot: &Slot, from: Instant) -> Duration {
    shown(slot, from).windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
}

// acceptance: N2, SIM
#[test]
fn a_link_that_shrinks_to_a_tenth_and_grows_again_is_followed() {
    // How long a router lets things wait: as today's do, and as those that buffer for long.
    for (publishers, longest_wait) in [(1, 300), (3, 300), (1, 1500)] {
        let (mut world, viewer) = watched(51, publishers);
        world.set_downlink_shape(viewer, Shape::steady(5_000_000, longest_wait));
        world.run_ms(12_000);
        let before = layers(&world, viewer);
        assert!(before.iter().flatten().all(|layer| *layer >= 1), "{publishers}: {before:?}");
        let narrow = world.now;
        world.set_downlink_shape(viewer, Shape::steady(500_000, longest_wait));
        world.run_ms(2000);
        let down = layers(&world, viewer);
        assert!(down < before, "{publishers}: {before:?}, then {down:?}");
        world.run_ms(1000);
        for _ in 0..100 {
            assert!(world.downlink_queue(viewer) < Duration::from_millis(400), "{:?}", world.downlink_queue(viewer));
            world.run_ms(100);
        }
        // Behind a router that lets everything wait for long, nothing can come sooner than what waits.
        let bound = if longest_wait > 300 { 1_500 } else { 500 };
        for slot in world.places[viewer].bot.slots_of(Kind::Video).filter(|slot| slot.last().is_some()) {
            let freeze = longest_freeze(slot, narrow - Duration::from_millis(500));
            let paused = publishers > 1;
            assert!(paused || freeze.as_millis() <= bound, "{publishers}, {longest_wait}: {freeze:?}");
        }
        world.set_downlink_shape(viewer, Shape::steady(5_000_000, longest_wait));
        let wide = world.now;
        while layers(&world, viewer) < before {
            world.run_ms(100);
            assert!(world.now - wide < Duration::from_secs(15), "{publishers}: {:?}", layers(&world, viewer));
        }
        assert_eq!(world.problems(), [""; 0]);
    }
}

pub fn paused(world: &World, viewer: usize) -> Vec<Option<PauseReason>> {
    let me = ParticipantId(viewer as u32 + 1);
    let told = world.events.iter().rev().find_map(|event| match event {
        Event::Slots { participant, slots, .. } if *participant == me => Some(slots),
        _ => None,
    });
    let pictures = told.into_iter().flatten().filter(|slot| slot.track.source == Source::Camera);
    pictures.map(|slot| slot.paused).collect()
}

// acceptance: N3
#[test]
fn on_a_very_thin_link_everything_is_heard_and_who_is_not_seen_is_said_why() {
    let (mut world, viewer) = watched(52, 6);
    // One speaks; the others' codecs send next to nothing while they are silent.
    for place in 1..6 {
        let sound = world.bot(place).sending.sound(Source::Microphone);
        (sound.level, sound.bytes) = (110, 40);
    }
    world.run_ms(5000);
    world.set_downlink_shape(viewer, Shape::steady(150_000, 300));
    world.run_ms(5000);
    world.bot(viewer).forget_received();
    let began = world.now;
    world.run_ms(20_000);
    let seconds = (world.now - began).as_secs();
    let heard = world.bot(viewer).count(1, Source::Microphone) as u64;
    assert!(heard * 100 >= seconds * 50 * 98, "{heard} of {} sounds", seconds * 50);
    let reasons = paused(&world, viewer);
    assert_eq!(reasons.len(), 6);
    let seen = layers(&world, viewer).iter().flatten().count();
    let told = reasons.iter().filter(|reason| **reason == Some(PauseReason::Bandwidth)).count();
    assert!(seen + told >= 6, "{seen} seen, {reasons:?}");
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn a_subscriber_whose_link_is_dead_costs_nothing_is_told_and_comes_back() {
    let (mut world, viewer) = watched(53, 2);
    world.run_ms(4000);
    let gone = Link { down: true, ..Link::CLEAN };
    world.set_links(viewer, gone, gone);
    world.run_ms(3000);
    assert_eq!(paused(&world, viewer), [Some(PauseReason::Bandwidth); 2]);
    world.run_ms(6000);
    assert_eq!(world.places[viewer].state, Some(SessionState::Disconnected));
    let (before, probed) = (world.core.counters.sent, world.core.counters.probed);
    // The other two hear and see nobody but each other, who show themselves to nobody: only sound is left.
    world.run_ms(2000);
    let sent = world.core.counters.sent - before;
    assert!(sent <= 2 * 2 * 50 + 2, "{sent} packets in two seconds");
    assert_eq!(world.core.counters.probed, probed);
    world.set_links(viewer, Link::CLEAN, Link::CLEAN);
    world.run_ms(3000);
    assert_eq!(world.places[viewer].state, Some(SessionState::Connected));
    world.bot(viewer).forget_received();
    world.run_ms(1000);
    assert!(world.bot(viewer).count(1, Source::Camera) > 100);
    assert!(world.bot(viewer).count(2, Source::Microphone) > 45);
    assert_eq!(paused(&world, viewer), [None; 2]);
}

/// One shows himself without a word, another watches: nothing but the picture is sent.
fn watched_in_silence(seed: u64) -> World {
    let mut world = World::new(seed);
    for name in 1..=2 {
        world.join(name, BotShape { sources: vec![Source::Camera], ..BotShape::default() });
    }
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(8000);
    assert_eq!(layers(&world, 1).first(), Some(&Some(2)));
    world
}

fn assert_back_within(world: &mut World, from: Instant, bound: Duration, what: &str) {
    while layers(world, 1).iter().flatten().next().is_none() {
        world.run_ms(100);
        assert!(world.now - from < bound, "{what}: no picture, {:?}", paused(world, 1));
    }
    // And it stays.
    world.run_ms(3000);
    assert!(layers(world, 1).iter().flatten().next().is_some(), "{what}: gone again");
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn a_picture_that_gave_way_comes_back_where_no_sound_is_heard() {
    let rates = |bits: u32, ms: usize| [vec![bits; ms], vec![6_000_000]].concat();
    for (what, rates) in [
        ("paused for 250 ms", rates(0, 250)),
        ("paused for 400 ms", rates(0, 400)),
        ("paused for 700 ms", rates(0, 700)),
        ("40 kbit/s for 5 s", rates(40_000, 5000)),
    ] {
        let mut world = watched_in_silence(55);
        let spell = rates.len() as u64;
        world.set_downlink_shape(1, Shape { rates, ..Shape::steady(0, 1500) });
        world.run_ms(spell + 1500);
        let wide = world.now;
        assert_back_within(&mut world, wide, Duration::from_secs(15), what);
    }
}

#[test]
fn a_link_that_was_dead_comes_back_where_no_sound_is_heard() {
    let mut world = watched_in_silence(56);
    world.set_links(1, Link::CLEAN, Link { down: true, ..Link::CLEAN });
    world.run_ms(5000);
    assert_eq!(paused(&world, 1), [Some(PauseReason::Bandwidth)]);
    // What looks for life costs less than a sound.
    let before = world.core.counters.sent_bytes;
    world.run_ms(2000);
    let sent = (world.core.counters.sent_bytes - before) * 8 / 2;
    assert!((1..30_000).contains(&sent), "{sent} bits per second");
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    let alive = world.now;
    assert_back_within(&mut world, alive, Duration::from_secs(15), "dead for 7 s");
}

#[test]
fn a_way_that_is_longer_after_a_move_is_no_full_link() {
    let mut world = watched_in_silence(57);
    let longer = Link { delay: Duration::from_millis(150), ..Link::CLEAN };
    world.set_links(1, Link::CLEAN, longer);
    let now = world.now;
    world.bot(1).move_to(now, SocketAddr::from(([10, 9, 9, 1], 50_000)));
    world.run_ms(1000);
    for _ in 0..50 {
        world.run_ms(100);
        assert!(layers(&world, 1).iter().flatten().next().is_some(), "{:?}", world.now - now);
    }
    assert_eq!(layers(&world, 1).first(), Some(&Some(2)));
    assert_eq!(world.problems(), [""; 0]);
}

#[test]
fn what_a_steady_link_just_does_not_carry_does_not_come_and_go_all_the_time() {
    for bits in [250_000, 300_000, 700_000, 775_000] {
        let (mut world, viewer) = watched(58, 1);
        world.set_downlink_shape(viewer, Shape::steady(bits, 300));
        world.run_ms(20_000);
        let (mut shown, mut changes) = (layers(&world, viewer), 0);
        for _ in 0..600 {
            world.run_ms(100);
            let now = layers(&world, viewer);
            changes += u32::from(now != shown);
            shown = now;
        }
        assert!(changes <= 9, "{bits}: {changes} changes in a minute");
    }
}

#[test]
fn a_wide_link_is_found_at_once_by_probes_that_disturb_nothing() {
    let mut world = World::new(54);
    (1..=4).for_each(|name| {
        world.join(name, BotShape::default());
    });
    world.connect();
    (0..4).for_each(|place| world.publish(place, 20));
    world.run_ms(3000);
    // Whoever comes later begins with what a guess allows.
    let viewer = world.join(5, BotShape { video_slots: 6, ..BotShape::default() });
    world.connect();
    world.watch_tracks(viewer, &[1, 2, 3, 4].map(|name| (name, Source::Camera, 720)));
    world.run_ms(150);
    assert!(layers(&world, viewer).iter().flatten().all(|layer| *layer < 2), "{:?}", layers(&world, viewer));
    let began = world.now;
    while layers(&world, viewer).iter().flatten().filter(|layer| **layer == 2).count() < 4 {
        world.run_ms(50);
        assert!(world.now - began < Duration::from_secs(3), "{:?}", layers(&world, viewer));
    }
    let probed = world.core.counters.probed;
    assert!(probed > 5, "{probed}");
    world.run_ms(2_000);
    let probed = world.core.counters.probed;
    world.run_ms(10_000);
    assert_eq!(world.core.counters.probed, probed, "what is not wanted is not looked for");
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.bot(viewer).heard.strange, 0);
}
