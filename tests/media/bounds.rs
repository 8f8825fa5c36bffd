//! What a peer may ask of the media plane is bounded by the settings.

use crate::bots::world::{Plan, World};
use std::time::Duration;
use symposia::net::counters::Drop;
use symposia::net::udp::{MAX_BURST_DATAGRAMS, SendBatch};
use symposia::session::limits::MediaLimits;

/// One who shows himself and one who watches, within these bounds.
fn call(limits: MediaLimits) -> World {
    let mut world = World::call(31, Plan { limits, ..Plan::default() });
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

#[test]
fn timers_wait_until_there_is_room_for_what_they_send() {
    let mut world = call(MediaLimits::default());
    let later = world.now + Duration::from_secs(2);
    let mut out = SendBatch::new();
    let mut port = 1;
    while out.has_room_for(MAX_BURST_DATAGRAMS) {
        assert!(out.push(&[0], ([127, 0, 0, 1], port).into(), None));
        port += 1;
    }
    let before = out.datagrams();
    world.core.handle_timeout(later, &mut out);
    assert_eq!((out.datagrams(), out.refused()), (before, 0));
    assert!(world.core.poll_timeout().is_some_and(|at| at <= later));
    out.clear();
    world.core.handle_timeout(later, &mut out);
    assert!(!out.is_empty());
    assert!(world.core.poll_timeout().is_none_or(|at| at > later));
}
