//! What strangers and cheats may send: nothing of it is forwarded, answered too loudly, or breaks a call.

use crate::bots::bot::BotShape;
use crate::bots::bot_identity;
use crate::bots::world::{Plan, World, server_address};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use signaling::ids::Source;
use signaling::protocol::SessionState;
use std::net::SocketAddr;
use symposia::net::counters::Drop;
use symposia::net::stun::{BINDING, BindingRequest, Builder, Class, IntegrityKey, TransactionId};
use symposia::rtp::extension::Form;
use symposia::rtp::header::{self, Fields};
use symposia::session::dtls::{Dtls, Progress};
use symposia::session::limits::MediaLimits;
use symposia::session::plan::{DtlsRole, Fingerprint};

fn stranger() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6666))
}

/// What is tried here is tried often: only the tests of floods have the usual bounds.
fn call(seed: u64) -> World {
    let limits = MediaLimits { packets_per_second: u32::MAX, bytes_per_second: u32::MAX, ..MediaLimits::default() };
    call_within(seed, limits)
}

fn call_within(seed: u64, limits: MediaLimits) -> World {
    let mut world = World::with(seed, Plan { limits, ..Plan::default() });
    world.join(1, BotShape::default());
    world.join(2, BotShape::default());
    world.connect();
    world.publish(0, 20);
    world.publish(1, 20);
    world.watch_tracks(0, &[(2, Source::Camera, 720)]);
    world.watch_tracks(1, &[(1, Source::Camera, 720)]);
    world.run_ms(1500);
    world
}

fn assert_unharmed(world: &mut World, lasted_ms: u64) {
    assert_eq!(world.problems(), [""; 0]);
    for (place, other) in [(0, 2), (1, 1)] {
        assert_eq!(world.places[place].state, Some(SessionState::Connected));
        let bot = &world.places[place].bot;
        assert_eq!(bot.slots.iter().map(|slot| slot.missing()).sum::<u64>(), 0);
        let sounds = bot.count(other, Source::Microphone) as u64;
        assert!(sounds >= lasted_ms / 20 - 3, "{sounds} sounds in {lasted_ms} ms");
    }
}

/// Every first byte with every length, while a call goes on.
fn sweep(from: impl Fn(&World) -> SocketAddr, seed: u64) {
    let mut world = call(seed);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.unclaimed.clear();
    let started = world.now;
    let mut random = StdRng::seed_from_u64(seed);
    let mut bytes = [0; 1500];
    let source = from(&world);
    for len in 0..=1500_usize {
        random.fill_bytes(&mut bytes);
        for first in 0..=255 {
            bytes[0] = first;
            world.inject(source, &bytes[..len]);
        }
        world.run_ms(4);
    }
    world.run_ms(100);
    let lasted = world.now.duration_since(started).as_millis() as u64;
    assert_unharmed(&mut world, lasted);
    assert!(world.unclaimed.is_empty(), "strangers were answered");
}

// acceptance: SEC1
#[test]
fn any_first_byte_and_length_from_a_stranger_does_no_harm() {
    sweep(|_| stranger(), 1);
}

// acceptance: SEC1
#[test]
fn any_first_byte_and_length_from_a_checked_address_does_no_harm() {
    sweep(|world| world.places[0].bot.address, 2);
}

// acceptance: SEC1
#[test]
fn alerts_and_handshakes_in_the_clear_do_not_end_a_call() {
    let mut world = call(3);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    let started = world.now;
    let from = world.places[0].bot.address;
    for level in 0..=3_u8 {
        for description in 0..=120_u8 {
            for epoch in [0_u8, 1, 2] {
                let alert = [21, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, level, description, 0, 2, level, description];
                world.inject(from, &alert);
            }
        }
        world.run_ms(10);
    }
    for kind in 20..=26 {
        for message in 0..=25_u8 {
            let mut record = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 77, 0, 16];
            record.extend([message, 0, 0, 4, 0, 9, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
            world.inject(from, &record);
        }
    }
    world.run_ms(2000);
    let lasted = world.now.duration_since(started).as_millis() as u64;
    assert_unharmed(&mut world, lasted);
}

// acceptance: SEC3
#[test]
fn a_client_hello_from_elsewhere_never_takes_a_handshake_nor_gets_an_answer() {
    let mut world = World::new(4);
    let mut random = StdRng::seed_from_u64(4);
    for name in 0..1000 {
        let place = world.join(name + 1, BotShape { active: name % 4 == 3, ..BotShape::default() });
        let legitimate = world.places[place].bot.address;
        world.watch = Some(Vec::new());
        // The attacker is faster: its ClientHello is there before the owner's first check, and comes again all the
        // time, from its own address and from the owner's with another port.
        let mut other = Dtls::new(&bot_identity(), DtlsRole::Active, Fingerprint([0; 32]));
        assert!(matches!(other.start(world.now), Progress::None));
        let hello = other.poll_transmit().expect("the active side begins");
        let near = SocketAddr::new(legitimate.ip(), legitimate.port() + 1);
        for _ in 0..12 {
            world.inject(stranger(), &hello);
            world.inject(near, &hello);
            world.run_ms(u64::from(random.next_u32() % 6));
        }
        world.run_ms(120);
        assert!(world.bot(place).connected(), "handshake {name} failed");
        assert_eq!(world.places[place].state, Some(SessionState::Connected), "handshake {name} failed");
        let strange = world.watch.iter().flatten().filter(|(_, to, _)| *to == stranger() || *to == near).count();
        assert_eq!(strange, 0, "an address that passed no check was answered");
        world.close(place);
        // Those that are done need no looking after.
        world.places[place].retired = true;
    }
    assert!(world.dropped(Drop::UnknownAddress) >= 12_000, "the attacker was there all the time");
}

// acceptance: SEC4
#[test]
fn forged_and_replayed_packets_from_a_valid_address_are_not_forwarded() {
    let mut world = call(5);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.bot(0).keeps_sent = true;
    let started = world.now;
    world.run_ms(2000);
    let from = world.places[0].bot.address;
    let sent = std::mem::take(&mut world.bot(0).sent);
    // Until what is under way has arrived.
    world.run_ms(20);
    assert!(sent.len() > 500);
    let before = world.core.counters;
    for packet in &sent {
        world.inject(from, packet);
    }
    let replayed = world.dropped(Drop::Replayed) - before.dropped[Drop::Replayed as usize];
    assert_eq!(replayed, sent.len() as u64);
    assert_eq!(world.core.counters.received, before.received);
    // One bit of each changed; another stream's or nobody's SSRC; numbers a rollover away.
    let mut random = StdRng::seed_from_u64(5);
    let mut forged = 0;
    for packet in &sent {
        let mut changes = Vec::new();
        let mut flipped = packet.clone();
        let at = 12 + random.next_u32() as usize % (packet.len() - 12);
        flipped[at] ^= 1 << (random.next_u32() % 8);
        changes.push(flipped);
        let mut elsewhere = packet.clone();
        random.fill_bytes(&mut elsewhere[8..12]);
        changes.push(elsewhere);
        let mut jumped = packet.clone();
        jumped[2..4].copy_from_slice(&(u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(0x8000)).to_be_bytes());
        changes.push(jumped);
        let mut ahead = packet.clone();
        ahead[2..4].copy_from_slice(&(u16::from_be_bytes([packet[2], packet[3]]).wrapping_add(500)).to_be_bytes());
        changes.push(ahead);
        for change in changes {
            forged += 1;
            world.inject(from, &change);
        }
    }
    assert_eq!(world.core.counters.received, before.received, "a forged packet was taken for a real one");
    let refused: u64 = [Drop::Forged, Drop::Replayed, Drop::Malformed, Drop::UnknownStream]
        .iter()
        .map(|reason| world.dropped(*reason) - before.dropped[*reason as usize])
        .sum();
    assert_eq!(refused, forged + replayed);
    // The call goes on as if nothing had been: no state moved.
    world.run_ms(2000);
    let lasted = world.now.duration_since(started).as_millis() as u64;
    assert_unharmed(&mut world, lasted);
    assert!(world.places[1].bot.slots.iter().all(|slot| slot.duplicates == 0));
}

// acceptance: SEC4
#[test]
fn another_participants_packets_do_not_pass_under_ones_own_address() {
    let mut world = call(6);
    world.bot(0).keeps_sent = true;
    world.run_ms(500);
    let stolen = std::mem::take(&mut world.bot(0).sent);
    let (before, from) = (world.core.counters.received, world.places[1].bot.address);
    for packet in &stolen {
        world.inject(from, packet);
    }
    assert_eq!(world.core.counters.received, before);
    world.run_ms(500);
    assert_eq!(world.problems(), [""; 0]);
}

// acceptance: SEC4
#[test]
fn streams_made_up_by_a_participant_are_bounded_and_carry_nothing() {
    let mut world = call(7);
    let ids = world.places[0].bot.extensions;
    for number in 0..500_u32 {
        let mut bytes = vec![0; 200];
        let fields = Fields { marker: true, payload_type: 96, sequence: 1, timestamp: 1, ssrc: 0x7000_0000 + number };
        let mid = ids.mid.expect("agreed");
        let rid = ids.rid.expect("agreed");
        let names: [(u8, &[u8]); 2] = [(mid, b"1"), (rid, if number % 2 == 0 { b"q" } else { b"z" })];
        let header_len = header::write(&mut bytes, &fields, Form::OneByte, &names).expect("it fits");
        world.bot(0).send_rtp(crate::bots::sending::Plain { bytes, header_len, roc: 0 });
    }
    world.run_ms(300);
    assert!(world.dropped(Drop::Flood) > 0);
    assert_eq!(world.places[0].state, Some(SessionState::Connected));
    // The others still hear him.
    world.bot(1).forget_received();
    world.run_ms(500);
    assert!(world.bot(1).count(1, Source::Microphone) > 20);
}

// acceptance: SEC4
#[test]
fn after_a_rollover_old_packets_are_old_and_new_ones_pass() {
    let mut world = World::new(9);
    (1..=2).for_each(|name| _ = world.join(name, BotShape::default()));
    world.connect();
    world.publish(0, 20);
    let stream = &mut world.bot(0).sending.sound(Source::Microphone).stream;
    (stream.next, stream.packets) = (0xffff - 60, 0);
    let ssrc = stream.ssrc;
    world.bot(0).keeps_sent = true;
    world.run_ms(3000);
    assert!(world.bot(0).sending.sound(Source::Microphone).stream.next > 0x1_0000, "it went past the end");
    let heard = world.places[1].bot.count(1, Source::Microphone);
    assert!(heard >= 145, "{heard} of 150 sounds, before the end and after it");
    let of_sound = |packet: &Vec<u8>| packet[8..12] == ssrc.to_be_bytes();
    let sent: Vec<_> = std::mem::take(&mut world.bot(0).sent).into_iter().filter(of_sound).collect();
    // Until what is under way has arrived.
    world.run_ms(20);
    let heard = world.places[1].bot.count(1, Source::Microphone);
    let (before, from) = (world.core.counters, world.places[0].bot.address);
    for packet in &sent {
        world.inject(from, packet);
    }
    assert_eq!(world.core.counters.received, before.received, "an old packet passed for a new one");
    world.run_ms(1000);
    let more = world.places[1].bot.count(1, Source::Microphone) - heard;
    assert!((48..=52).contains(&more), "{more} sounds in the second after that");
    assert_eq!(world.problems(), [""; 0]);
}

/// What was counted of packets that were looked at, accepted or not.
fn looked_at(world: &World) -> u64 {
    let counters = &world.core.counters;
    counters.received + counters.dropped.iter().sum::<u64>() - world.dropped(Drop::Flood)
}

/// Sounds and packets of pictures that the second and the third have of each other.
fn of_each_other(world: &World) -> Vec<usize> {
    let of = |(viewer, other): (usize, u32), source| world.places[viewer].bot.count(other, source);
    [(1, 3), (2, 2)].into_iter().flat_map(|pair| [of(pair, Source::Microphone), of(pair, Source::Camera)]).collect()
}

/// Three talk and show themselves; the first lets `flood` loose for three seconds, 50,000 packets in each.
fn flooded(seed: u64, flood: impl Fn(&mut World, &mut StdRng)) -> World {
    let mut world = World::new(seed);
    (1..=3).for_each(|name| _ = world.join(name, BotShape::default()));
    world.connect();
    (0..3).for_each(|place| world.publish(place, 20));
    world.watch_tracks(1, &[(3, Source::Camera, 720)]);
    world.watch_tracks(2, &[(2, Source::Camera, 720)]);
    world.run_ms(3000);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    world.run_ms(3000);
    let quiet = of_each_other(&world);
    world.places.iter_mut().for_each(|place| place.bot.forget_received());
    let mut random = StdRng::seed_from_u64(seed);
    for second in 0..3 {
        let (before, refused) = (looked_at(&world), world.dropped(Drop::Flood));
        for _ in 0..1000 {
            (0..50).for_each(|_| flood(&mut world, &mut random));
            world.run_ms(1);
        }
        // The others' honest packets are among them, a thousand in a second; and at first there is what the second before it,
        // in which nothing came, had left.
        let found = looked_at(&world) - before;
        let bound = if second == 0 { 2 * 4_000 + 2_500 } else { 4_000 + 2_500 };
        assert!(found < bound, "{found} were looked at in second {second}");
        assert!(world.dropped(Drop::Flood) > refused + 40_000);
    }
    let after = of_each_other(&world);
    for (quiet, after) in quiet.iter().zip(&after) {
        assert!(*quiet > 140 && after * 100 >= quiet * 99 - 300, "{after} where {quiet} came before");
    }
    for viewer in [1, 2] {
        assert_eq!(world.places[viewer].state, Some(SessionState::Connected));
        assert_eq!(world.places[viewer].bot.problems(), [""; 0]);
    }
    world
}

// acceptance: SEC5
#[test]
fn a_flood_of_broken_packets_from_a_participant_harms_nobody_else() {
    let mut world = flooded(10, |world, random| {
        let mut bytes = vec![0; 40 + random.next_u32() as usize % 1200];
        random.fill_bytes(&mut bytes);
        bytes[0] = 0x80 | (bytes[0] & 0x3f);
        let from = world.places[0].bot.address;
        world.inject(from, &bytes);
    });
    // Once it is over he is heard as before.
    world.run_ms(1500);
    world.bot(1).forget_received();
    world.run_ms(1000);
    let sounds = world.places[1].bot.count(1, Source::Microphone);
    assert!(sounds >= 48, "{sounds} of 50 sounds of the one who sent too much");
}

// acceptance: SEC5
#[test]
fn a_flood_of_sealed_packets_from_a_participant_harms_nobody_else() {
    flooded(11, |world, _| world.bot(0).send_sound());
}

// acceptance: SEC5
#[test]
fn sound_is_forwarded_as_fast_as_sound_can_be_and_no_faster() {
    let mut world = call(12);
    world.bot(1).forget_received();
    let (before, refused) = (world.places[1].bot.heard.media, world.dropped(Drop::Flood));
    for _ in 0..2000 {
        (0..2).for_each(|_| world.bot(0).send_sound());
        world.run_ms(1);
    }
    let came = world.places[1].bot.count(1, Source::Microphone);
    assert!((700..=1_250).contains(&came), "{came} of 4,100 sounds in two seconds");
    assert!(world.places[1].bot.heard.media > before && world.dropped(Drop::Flood) - refused > 2_500);
}

// acceptance: SEC6
#[test]
fn stun_answers_are_never_longer_than_what_caused_them() {
    let mut world = World::new(8);
    // Where the handshake is ours to begin, it begins with the first check that has the right password.
    let place = world.join(1, BotShape { active: true, ..BotShape::default() });
    let (local, remote) = (world.places[place].plan.local.clone(), world.places[place].plan.remote.clone());
    let mut sent = Vec::new();
    let mut out = vec![0; 600];
    for (number, password) in [(0_u8, "wrong-password-wrong-pass"), (1, local.password.as_str())] {
        let key = IntegrityKey::new(password);
        for (receiver, sender) in
            [(local.ufrag.as_str(), remote.ufrag.as_str()), (&local.ufrag, "x"), ("00nobody", "x")]
        {
            let request = BindingRequest {
                transaction: TransactionId([number; 12]),
                receiver,
                sender,
                priority: 1,
                tie_breaker: 1,
                use_candidate: true,
            };
            let len = request.write(&mut out, &key).expect("it fits");
            sent.push(out[..len].to_vec());
            for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
                for unknown in 0..8_u16 {
                    let mut builder = Builder::new(&mut out, class, BINDING, TransactionId([7; 12]));
                    (0..unknown).for_each(|kind| builder.attribute(0x7f00 + kind, &[]));
                    if number == 0 {
                        builder.username(receiver, sender);
                    }
                    let len = builder.finish((unknown % 2 == 0).then_some(&key)).expect("it fits");
                    sent.push(out[..len].to_vec());
                }
            }
        }
    }
    sent.push(vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for datagram in sent {
        world.unclaimed.clear();
        world.inject(stranger(), &datagram);
        let answered: usize = world.unclaimed.iter().map(|(_, data)| data.len()).sum();
        assert!(answered <= datagram.len(), "{} bytes for {}", answered, datagram.len());
        assert!(world.unclaimed.iter().all(|(to, data)| *to == stranger() && data[0] < 4));
    }
    assert_eq!(server_address().port(), 8080);
}
