//! Streams with temporal and spatial layers: who gets which, and that all that comes can be decoded and is numbered
//! without a gap.

use crate::bots::bot::BotShape;
use crate::bots::bottleneck::Shape;
use crate::bots::netem::Link;
use crate::bots::sending::{LayerShape, SIMULCAST};
use crate::bots::world::World;
use signaling::ids::Source;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// One publishes so many simulcast layers, each of so many temporal ones, and so many watch it.
fn published(seed: u64, layers: usize, temporal_layers: u8, viewers: u32) -> World {
    let mut world = World::new(seed);
    world.join(1, BotShape { sources: vec![Source::Camera], layers, ..BotShape::default() });
    (2..2 + viewers).for_each(|name| {
        world.join(name, BotShape { sources: Vec::new(), ..BotShape::default() });
    });
    world.connect();
    let now = world.now;
    let shapes = SIMULCAST[..layers].iter().map(|shape| LayerShape { temporal_layers, ..*shape });
    world.bot(0).start_video(now, Source::Camera, &shapes.collect::<Vec<_>>(), 32);
    world
}

/// Which layers and temporal layers came to a viewer since then.
fn shown(world: &World, viewer: usize, since: Instant) -> BTreeSet<(u8, u8)> {
    let got = world.places[viewer].bot.slots[0].got.values().filter(|got| got.at >= since);
    got.map(|got| (got.tag.layer, got.tag.frame_layer.temporal)).collect()
}

/// The longest time between frames that came to a viewer since then.
fn longest_pause(world: &World, viewer: usize, since: Instant) -> Duration {
    let times = world.places[viewer].bot.slots[0].got.values().map(|got| got.at).filter(|at| *at >= since);
    let times: Vec<_> = times.collect();
    times.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0])).max().expect("frames came")
}

fn assert_continuous(world: &World, viewer: usize) {
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.places[viewer].bot.slots[0].missing(), 0);
}

// acceptance: M7
#[test]
fn a_wide_link_gets_every_picture_and_the_layer_follows_the_tile() {
    let mut world = published(1, 3, 3, 1);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(4000);
    for (height, layer) in [(90, 0), (720, 2), (300, 1), (720, 2)] {
        let changed = world.now;
        world.watch_tracks(1, &[(1, Source::Camera, height)]);
        world.run_ms(2000);
        let settled = world.now;
        world.run_ms(500);
        assert_eq!(shown(&world, 1, settled), (0..3).map(|temporal| (layer, temporal)).collect(), "{height}");
        assert!(longest_pause(&world, 1, changed) < Duration::from_millis(500));
    }
    assert_continuous(&world, 1);
}

/// 90 kbit/s: less than the lowest stream takes with all its pictures, more than with a quarter of them.
#[test]
fn a_link_too_thin_for_every_picture_gets_fewer_instead_of_none() {
    let mut world = published(2, 3, 3, 2);
    for viewer in [1, 2] {
        world.watch_tracks(viewer, &[(1, Source::Camera, 720)]);
    }
    world.run_ms(6000);
    world.set_downlink_shape(1, Shape::steady(90_000, 400));
    world.run_ms(10_000);
    let settled = world.now;
    world.run_ms(10_000);
    let seen = shown(&world, 1, settled);
    assert!(seen.iter().all(|(layer, temporal)| *layer == 0 && *temporal < 2), "{seen:?}");
    assert!(longest_pause(&world, 1, settled) < Duration::from_millis(1000), "{:?}", longest_pause(&world, 1, settled));
    let all: BTreeSet<_> = (0..3).map(|temporal| (2, temporal)).collect();
    assert_eq!(shown(&world, 2, settled), all, "the other is not touched by it");
    world.set_downlink_shape(1, Shape::steady(5_000_000, 400));
    world.run_ms(15_000);
    let wide = world.now;
    world.run_ms(1000);
    assert_eq!(shown(&world, 1, wide), all);
    assert_continuous(&world, 2);
    assert_eq!(world.problems(), [""; 0]);
}

/// What comes late because it was lost on the way to the server, and is of pictures that somebody does not get, has a
/// number there for which nothing else would ever come.
#[test]
fn what_is_left_out_after_it_was_late_leaves_no_hole() {
    let mut world = published(3, 3, 3, 2);
    for viewer in [1, 2] {
        world.watch_tracks(viewer, &[(1, Source::Camera, 180)]);
    }
    world.run_ms(6000);
    world.set_downlink_shape(1, Shape::steady(100_000, 400));
    world.run_ms(10_000);
    let lossy = world.now;
    world.set_links(0, Link::losing(80), Link::CLEAN);
    world.run_ms(15_000);
    world.set_links(0, Link::CLEAN, Link::CLEAN);
    world.run_ms(3000);
    let thin = &world.places[1].bot.slots[0];
    let seen = shown(&world, 1, lossy);
    assert!(seen.iter().all(|(layer, temporal)| *layer == 0 && *temporal < 2) && !seen.is_empty(), "{seen:?}");
    assert!(thin.empty.len() > 10, "{:?}", thin.empty);
    assert_eq!(thin.holes(), [0; 0], "of {} numbers", thin.got.len());
    assert_eq!(world.places[2].bot.slots[0].empty.len(), 0, "who gets all gets no empty ones");
    assert_eq!(world.problems(), [""; 0]);
}

/// An encoder that never makes a frame which needs the lowest temporal layer only: one goes up with a key frame then.
#[test]
fn more_pictures_are_had_also_where_no_frame_lets_one_up() {
    let mut world = published(4, 1, 3, 1);
    world.bot(0).sending.videos[0].layers[0].syncs = false;
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(3000);
    world.set_downlink_shape(1, Shape::steady(90_000, 400));
    world.run_ms(8000);
    let few = shown(&world, 1, world.now - Duration::from_secs(2));
    assert!(few.iter().all(|(_, temporal)| *temporal < 2), "{few:?}");
    world.set_downlink_shape(1, Shape::steady(5_000_000, 400));
    world.run_ms(15_000);
    let asked = world.bot(0).sending.videos[0].layers[0].requests.len();
    let wide = world.now;
    world.run_ms(5000);
    assert_eq!(shown(&world, 1, wide), (0..3).map(|temporal| (0, temporal)).collect());
    assert_eq!(world.bot(0).sending.videos[0].layers[0].requests.len(), asked, "and no further one");
    assert_continuous(&world, 1);
}
