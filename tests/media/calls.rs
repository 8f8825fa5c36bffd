//! Calls as they should be: who sees and hears what.

use crate::bots::bot::BotShape;
use crate::bots::crypto::Opener;
use crate::bots::world::World;
use signaling::ids::Source;
use signaling::protocol::SessionState;
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
    for passive in [false, true] {
        let mut world = World::new(1);
        world.join(1, BotShape { passive, ..BotShape::default() });
        world.connect();
        assert_eq!(world.places[0].state, Some(SessionState::Connected), "passive: {passive}");
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
