//! Frames that leave whole, and packet by packet where the link is too thin for a burst; and what a change from one
//! to the other must not do.

use crate::bots::bot::BotShape;
use crate::bots::netem::Link;
use crate::bots::sending::LayerShape;
use crate::bots::world::{World, is_media};
use signaling::ids::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use symposia::rtp::Header;
use symposia::session::plan::Kind;

/// A frame of four packets takes it 22 ms.
const THIN: Link = Link { rate: Some(1_500_000), ..Link::CLEAN };

/// One whose packets come one after another, as over a thin uplink or from a paced encoder: a frame within 12 ms.
const PACED: Link = Link { rate: Some(3_000_000), ..Link::CLEAN };

/// The server's ticks, four a second, come at four points of a frame; one lies within its packets where they are paced.
const FPS: u32 = 29;

/// One sends frames of four packets; so many watch.
fn audience(seed: u64, watchers: usize) -> World {
    let mut world = World::new(seed);
    for name in 1..=watchers as u32 + 1 {
        world.join(name, BotShape { layers: 1, ..BotShape::default() });
    }
    world.connect();
    let now = world.now;
    world.bot(0).start_video(now, Source::Camera, &[LayerShape::new(360, 4_000)], FPS);
    world.bot(0).start_sound(now, Source::Microphone, 20);
    (1..=watchers).for_each(|place| world.watch_tracks(place, &[(1, Source::Camera, 360)]));
    world
}

/// The frames that left for a watcher while `time` passed: when their packets did. Cut frames at both ends are left out.
fn frames(world: &mut World, place: usize, time: Duration) -> Vec<Vec<Instant>> {
    world.watch = Some(Vec::new());
    world.run(time);
    let to = world.bot(place).address;
    let ssrc = world.bot(place).slots_of(Kind::Video).next().map(|slot| slot.ssrc);
    let mut frames = BTreeMap::<u32, Vec<Instant>>::new();
    for (at, _, data) in world.watch.take().iter().flatten().filter(|(_, other, data)| *other == to && is_media(data)) {
        let header = Header::parse(data).expect("the server sends RTP");
        if Some(header.ssrc) == ssrc {
            frames.entry(header.timestamp).or_default().push(*at);
        }
    }
    let all: Vec<_> = frames.into_values().collect();
    all.get(1..all.len().saturating_sub(1)).unwrap_or_default().to_vec()
}

fn spread(frame: &[Instant]) -> Duration {
    frame.iter().max().zip(frame.iter().min()).map_or(Duration::ZERO, |(last, first)| *last - *first)
}

/// Whether all of these frames left in one burst, or all packet by packet. Panics where some did so, some so.
fn bursts(frames: &[Vec<Instant>]) -> bool {
    assert!(frames.len() > 10, "{}", frames.len());
    assert!(frames.iter().all(|frame| frame.len() == 4 || frame.len() == 7), "packets are missing");
    let whole = frames.iter().filter(|frame| spread(frame) == Duration::ZERO).count();
    assert!(whole == 0 || whole == frames.len(), "{whole} of {} frames left whole", frames.len());
    whole > 0
}

#[test]
fn on_a_thin_link_the_first_packet_of_a_frame_leaves_before_its_last_came() {
    let mut world = audience(1, 2);
    world.set_links(0, PACED, Link::CLEAN);
    world.set_links(1, Link::CLEAN, THIN);
    world.run_ms(2500);
    let thin = frames(&mut world, 1, Duration::from_secs(1));
    // Two packets of 3.2 ms and one of 1.7 ms come after the first.
    assert!(thin.iter().all(|frame| spread(frame) > Duration::from_millis(7)), "{:?}", thin.first());
    assert!(!bursts(&thin));
    let fat = frames(&mut world, 2, Duration::from_secs(1));
    assert!(bursts(&fat));
    assert_eq!(world.problems(), [""; 0]);
    assert_eq!(world.places.iter().flat_map(|place| &place.bot.slots).map(|slot| slot.missing()).sum::<u64>(), 0);
}

#[test]
fn frames_of_one_packet_are_no_burst_on_any_link() {
    let mut world = World::new(2);
    (1..=2).for_each(|name| {
        world.join(name, BotShape { layers: 1, ..BotShape::default() });
    });
    world.connect();
    world.set_links(1, Link::CLEAN, Link { rate: Some(300_000), ..Link::CLEAN });
    let now = world.now;
    world.bot(0).start_video(now, Source::Camera, &[LayerShape::new(180, 700)], 15);
    world.watch_tracks(1, &[(1, Source::Camera, 180)]);
    world.run_ms(6000);
    assert_eq!(world.bot(1).slots[0].missing(), 0);
    assert!(world.bot(1).count(1, Source::Camera) > 80);
    assert_eq!(world.problems(), [""; 0]);
}

/// The publisher's packets come in one burst, so that the link's speed shows even while each goes on alone.
#[test]
fn a_link_that_becomes_fat_gets_bursts_again_within_a_second() {
    let mut world = audience(3, 1);
    world.set_links(1, Link::CLEAN, THIN);
    world.run_ms(2500);
    world.set_links(0, PACED, Link::CLEAN);
    let thin = frames(&mut world, 1, Duration::from_millis(700));
    assert!(!bursts(&thin));
    world.set_links(0, Link::CLEAN, Link::CLEAN);
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(1000);
    world.set_links(0, PACED, Link::CLEAN);
    world.run_ms(100);
    let fat = frames(&mut world, 1, Duration::from_millis(700));
    assert!(bursts(&fat));
    assert_eq!(world.problems(), [""; 0]);
}

/// Where packets come one after another no burst shows the link's speed; after ten seconds frames are tried whole.
#[test]
fn a_link_of_which_nothing_is_known_any_more_is_tried_with_bursts() {
    let mut world = audience(4, 1);
    world.set_links(0, PACED, Link::CLEAN);
    world.set_links(1, Link::CLEAN, THIN);
    world.run_ms(2500);
    assert!(!bursts(&frames(&mut world, 1, Duration::from_secs(1))));
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(11_000);
    assert!(bursts(&frames(&mut world, 1, Duration::from_secs(1))));
    // And where it is thin still, that is one burst or a few in ten seconds.
    world.set_links(1, Link::CLEAN, THIN);
    world.run_ms(1500);
    let thin = frames(&mut world, 1, Duration::from_secs(20));
    let whole = thin.iter().filter(|frame| spread(frame) == Duration::ZERO).count();
    assert!((1..=40).contains(&whole), "{whole} of {} frames left whole", thin.len());
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: SIM
#[test]
fn changing_the_pace_loses_nothing_and_seals_nothing_twice() {
    for seed in 10..16 {
        let mut world = audience(seed, 3);
        world.run_ms(1000);
        world.watch = Some(Vec::new());
        let mut paces = BTreeSet::new();
        for round in 0..24_u32 {
            // Frames come whole or in pieces, some packets come late as repairs, links change under way.
            let uplink = if round % 3 == 0 { Link::CLEAN } else { PACED };
            world.set_links(0, Link { loss: 20, ..uplink }, Link::CLEAN);
            for place in 1..=3 {
                let thin = (round / 4 + place as u32).is_multiple_of(2);
                world.set_links(place, Link::CLEAN, if thin { THIN } else { Link::CLEAN });
            }
            world.run_ms(407);
        }
        (0..=3).for_each(|place| world.set_links(place, Link::CLEAN, Link::CLEAN));
        world.run_ms(1500);
        let mut sealed = BTreeMap::<(SocketAddr, u32, u16), Vec<u8>>::new();
        let mut last = BTreeMap::<SocketAddr, (u32, Instant)>::new();
        for (at, to, data) in world.watch.take().into_iter().flatten().filter(|(_, _, data)| is_media(data)) {
            let header = Header::parse(&data).expect("the server sends RTP");
            if let Some((timestamp, before)) = last.insert(to, (header.timestamp, at))
                && timestamp == header.timestamp
            {
                paces.insert((to, before == at));
            }
            let before = sealed.insert((to, header.ssrc, header.sequence), data);
            assert_eq!(before, None, "two datagrams of one number, seed {seed}");
        }
        // Each number left by itself, not only when its receiver missed it: a repair has a stream of its own.
        for place in 1..=3 {
            let slot = &world.places[place].bot.slots[0];
            let numbers =
                sealed.keys().filter(|(to, ssrc, _)| (*to, *ssrc) == (world.places[place].bot.address, slot.ssrc));
            let numbers: BTreeSet<u16> = numbers.map(|(_, _, number)| *number).collect();
            let all = numbers.first().zip(numbers.last()).map(|(first, last)| usize::from(last - first) + 1);
            assert_eq!(Some(numbers.len()), all, "seed {seed}, watcher {place}");
        }
        assert_eq!(paces.len(), 6, "each watcher had both paces: {paces:?}");
        assert_eq!(world.problems(), [""; 0], "seed {seed}");
        for place in 1..=3 {
            assert_eq!(world.places[place].bot.slots[0].missing(), 0, "seed {seed}, watcher {place}");
        }
    }
}

/// Whoever comes on a thin link begins with the key frame that came for others, also where part of it is held for them.
#[test]
fn a_watcher_can_begin_within_a_key_frame_at_either_pace() {
    for wait in 0..12 {
        let mut world = audience(20 + wait, 2);
        world.set_links(0, PACED, Link::CLEAN);
        world.set_links(1, Link::CLEAN, THIN);
        world.run_ms(2500);
        world.watch_tracks(1, &[]);
        world.run_ms(500);
        world.bot(2).ask_for_key(0);
        // The request is there after 5 ms, and the key frame's seven packets come within 22 ms of the next frame.
        world.run_ms(5 + 3 * wait);
        let before = world.bot(1).count(1, Source::Camera);
        world.watch_tracks(1, &[(1, Source::Camera, 360)]);
        world.run_ms(1000);
        assert!(world.bot(1).count(1, Source::Camera) > before + 70, "{wait}");
        assert_eq!(world.problems(), [""; 0], "{wait}");
    }
}

/// The thread was busy: sounds of three and small pictures of two wait when it comes back. Each listener gets them in one
/// flush, the sounds in one send, and everybody everything.
#[test]
fn what_waits_for_one_destination_leaves_together() {
    let mut world = World::new(30);
    for name in 1..=6 {
        world.join(name, BotShape { layers: 1, ..BotShape::default() });
    }
    world.connect();
    let now = world.now;
    for place in 0..4 {
        world.bot(place).start_sound(now, Source::Microphone, 20);
        world.bot(place).start_video(now, Source::Camera, &[LayerShape::new(180, 500)], FPS);
    }
    for place in 0..6 {
        let others: Vec<_> = (1..=4).filter(|n| *n != place as u32 + 1).map(|n| (n, Source::Camera, 180)).collect();
        world.watch_tracks(place, &others);
    }
    world.run_ms(3000);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.busy_for = Some(Duration::from_millis(10));
    let (datagrams, sends) = (world.datagrams, world.sends);
    world.run_ms(4000);
    let (datagrams, sends) = (world.datagrams - datagrams, world.sends - sends);
    // All four speak and show at the same moments: of three or four sounds, and as many pictures, each makes a send.
    assert!(sends * 2 < datagrams, "{datagrams} datagrams in {sends} sends");
    assert_eq!(world.problems(), [""; 0]);
    for place in &world.places {
        for name in (1..=4).filter(|name| *name != place.bot.name) {
            let got = [Source::Microphone, Source::Camera].map(|source| place.bot.count(name, source));
            assert!(got[0] >= 195 && got[1] >= 112, "bot {} got {got:?} of bot {name}", place.bot.name);
        }
        assert_eq!(place.bot.slots.iter().map(|slot| slot.missing()).sum::<u64>(), 0);
    }
}
