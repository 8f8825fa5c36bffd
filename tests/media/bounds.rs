//! What a peer may ask of the media plane is bounded by the settings.

use crate::bots::bot::BotShape;
use crate::bots::world::World;
use signaling::ids::Source;
use std::time::Duration;
use symposia::net::counters::Drop;
use symposia::session::limits::MediaLimits;

/// One who shows himself and one who watches, within these bounds.
fn call(limits: MediaLimits) -> World {
    let mut world = World::bounded(31, limits);
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1500);
    world
}

/// How many packets come again within a second to somebody who asks for everything.
fn sent_again(nacks_per_second: u32) -> u64 {
    let mut world = call(MediaLimits { nacks_per_second, ..MediaLimits::default() });
    world.run_ms(1000);
    let before = world.core.counters.retransmitted;
    let sequences: Vec<u16> = world.places[1].bot.slots[0].got.keys().rev().take(120).map(|seq| *seq as u16).collect();
    assert!(sequences.len() > 100, "enough was sent to ask for: {}", sequences.len());
    world.bot(1).ask_again(0, &sequences);
    world.run_ms(300);
    world.core.counters.retransmitted - before
}

#[test]
fn lost_packets_come_again_as_often_as_the_settings_allow() {
    assert_eq!((sent_again(7), sent_again(0)), (7, 0));
    let all = sent_again(MediaLimits::default().nacks_per_second);
    assert!(all > 30, "{all}");
}

/// How often the publisher's top layer is asked for a key frame in ten seconds in which a viewer asks ten times a second.
fn key_frames_asked_for(limits: MediaLimits) -> (usize, Option<Duration>) {
    let mut world = call(limits);
    world.bot(0).sending.videos[0].layers.iter_mut().for_each(|layer| layer.requests.clear());
    for _ in 0..100 {
        world.bot(1).ask_for_key(0);
        world.run_ms(100);
    }
    let requests = &world.places[0].bot.sending.videos[0].layers[2].requests;
    (requests.len(), requests.windows(2).map(|pair| pair[1] - pair[0]).min())
}

#[test]
fn key_frames_are_asked_for_as_often_as_the_settings_allow() {
    let limits = MediaLimits { key_frame_window: Duration::from_millis(1), ..MediaLimits::default() };
    let (free, _) = key_frames_asked_for(limits);
    let (bounded, _) = key_frames_asked_for(MediaLimits { key_frame_requests_per_second: 2, ..limits });
    assert!(free > 80, "{free}");
    assert!((15..=24).contains(&bounded), "{bounded}");
    let window = Duration::from_secs(2);
    let (spaced, apart) = key_frames_asked_for(MediaLimits { key_frame_window: window, ..limits });
    assert!((4..=6).contains(&spaced), "{spaced}");
    assert!(apart.is_some_and(|apart| apart >= window), "{apart:?}");
}

#[test]
fn a_session_sends_as_many_streams_as_the_settings_allow() {
    let arrived = |streams| {
        let world = call(MediaLimits { streams, ..MediaLimits::default() });
        (world.core.counters.received, world.dropped(Drop::Flood))
    };
    let ((few, refused), (all, none)) = (arrived(2), arrived(MediaLimits::default().streams));
    assert!(refused > 0 && none == 0, "{refused}, {none}");
    assert!(few < all && few > 0, "{few} of {all}");
}
