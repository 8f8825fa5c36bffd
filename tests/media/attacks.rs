//! What strangers and cheats may send: nothing of it is forwarded, answered too loudly, or breaks a call.

use crate::bots::bot::BotShape;
use crate::bots::bot_identity;
use crate::bots::world::{World, server_address};
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
use symposia::session::plan::{DtlsRole, Fingerprint};

fn stranger() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6666))
}

fn call(seed: u64) -> World {
    let mut world = World::new(seed);
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
