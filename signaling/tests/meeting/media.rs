//! Sources and gates: what the router may forward.

use crate::world::*;
use signaling::Meeting;
use signaling::ids::{Epoch, Millis, Source};
use signaling::meeting::{Effect, Entry, Knock, MediaRights, MeetingSettings};
use signaling::protocol::*;
use signaling::role::Role;

#[test]
fn a_gate_is_open_while_its_source_is_on() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    for each in Source::ALL {
        world.done(ana, source(each, true));
        assert!(world.forwards(ana, each));
    }
    let rights = world.meeting.media_allowed(ana).unwrap();
    assert_eq!(rights, MediaRights { epoch: Epoch(1), role: Role::Attendee, open_gates: Source::ALL.to_vec() });
    world.done(ana, source(Source::Camera, false));
    assert!(!world.forwards(ana, Source::Camera) && world.forwards(ana, Source::Microphone));
    assert!(!world.participant(ana).camera);
}

// acceptance: M4
#[test]
fn who_is_muted_is_forwarded_no_more_and_unmutes_only_where_the_rules_let_him() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.told(ana);
    world.done(host, Command::Mute { participant: ana, source: Source::Microphone });
    assert!(!world.forwards(ana, Source::Microphone));
    let told = world.told(ana);
    assert_eq!(told[0], Event::Muted { source: Source::Microphone, by: host });
    world.done(ana, microphone(true));

    world.done(host, Command::MuteAll { may_unmute: false });
    assert!(!world.forwards(ana, Source::Microphone));
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::ForbiddenByPolicy));
    assert!(!world.forwards(ana, Source::Microphone));
    world.done(ana, source(Source::Camera, true));
}

// acceptance: M4
#[test]
fn the_gate_closes_before_anybody_is_told() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.done(host, Command::Mute { participant: ana, source: Source::Microphone });
    assert!(matches!(world.effects[0], Effect::SetGate { open: false, .. }));
    let reply = world.effects.len() - 1;
    assert!(matches!(&world.effects[reply], Effect::Send { message: ServerMessage::Reply { .. }, .. }));
    assert_eq!(world.effects[reply - 1], Effect::Persist, "stored before it is acknowledged");
}

// acceptance: M4
#[test]
fn mute_all_spares_hosts_and_co_hosts() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let (co, ana) = (world.by_link("Co"), world.by_link("Ana"));
    world.done(host, give(co, Role::CoHost));
    for one in [host, co, ana] {
        world.done(one, microphone(true));
    }
    world.done(co, Command::MuteAll { may_unmute: true });
    assert!(world.forwards(host, Source::Microphone) && world.forwards(co, Source::Microphone));
    assert!(!world.forwards(ana, Source::Microphone));
    world.done(ana, microphone(true));
}

/// With an event about each of those muted to each of those inside it would be 90,000 messages. Without a `World`,
/// which compares what 300 clients know after each of 600 steps.
#[test]
fn muting_three_hundred_microphones_tells_each_person_in_a_few_messages() {
    let now = Millis(1_800_000_000_000);
    let mut meeting = Meeting::new(MeetingSettings { capacity: 301, ..settings() }, now);
    let mut come = |entry, number: u32| {
        let name = format!("Person {number}");
        let knock = Knock { name, entry, account: None, identity: None, seat_secret: format!("seat-{number}") };
        let id = meeting.knock(now, knock).expect("there is room");
        meeting.handle_command(now, id, 1, microphone(true));
        while meeting.poll_effect().is_some() {}
        id
    };
    let host = come(Entry::Host, 0);
    let people: Vec<_> = (1..=300).map(|number| come(Entry::Link, number)).collect();
    assert_eq!(meeting.participants().filter(|one| one.microphone).count(), 301);
    meeting.handle_command(now, host, 2, Command::MuteAll { may_unmute: false });
    let effects: Vec<_> = std::iter::from_fn(|| meeting.poll_effect()).collect();
    let sent = effects.iter().filter(|effect| matches!(effect, Effect::Send { .. })).count();
    // To each: who muted him, who is off, the new rule; to the host the last two and the answer.
    assert_eq!(sent, 300 * 3 + 3);
    let told = |effect: &&Effect| match effect {
        Effect::Send {
            message: ServerMessage::Event { event: Event::TurnedOff { participants, sources }, .. },
            ..
        } => *participants == people && *sources == [Source::Microphone],
        _ => false,
    };
    assert_eq!(effects.iter().filter(told).count(), 301);
    assert!(meeting.participants().filter(|one| one.microphone).map(|one| one.id).eq([host]));
}

// acceptance: M4
#[test]
fn who_was_asked_may_turn_on_once_although_it_is_forbidden() {
    let mut world = World::with(Policy { may_unmute: false, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::ForbiddenByPolicy));
    world.done(host, Command::AskToUnmute { participant: ana, source: Source::Microphone });
    assert!(world.told(ana).contains(&Event::AskedToUnmute { source: Source::Microphone, by: host }));
    assert!(!world.forwards(ana, Source::Microphone), "asking turns nothing on");
    world.done(ana, microphone(true));
    world.done(ana, microphone(false));
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::ForbiddenByPolicy), "once");
    world.done(host, Command::AskToUnmute { participant: ana, source: Source::Microphone });
    world.done(host, Command::MuteAll { may_unmute: false });
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::ForbiddenByPolicy), "a later mute takes it back");
}

// acceptance: M6
#[test]
fn forbidding_shares_and_cameras_stops_those_that_run_but_not_the_hosts() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    for one in [host, ana] {
        for each in Source::ALL {
            world.done(one, source(each, true));
        }
    }
    world.done(host, rules(Policy { may_share: false, may_show_camera: false, ..OPEN }));
    assert_eq!(on(&world.participant(ana)), [Source::Microphone]);
    assert_eq!(on(&world.participant(host)), Source::ALL);
    for each in [Source::Camera, Source::Screen, Source::ScreenAudio] {
        assert_eq!(world.ask(ana, source(each, true)), Err(RefusalCode::ForbiddenByPolicy));
    }
}

// acceptance: M4
#[test]
fn forbidding_to_unmute_lets_those_speak_on_who_speak() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.done(host, rules(Policy { may_unmute: false, ..OPEN }));
    assert!(world.forwards(ana, Source::Microphone));
    world.done(ana, microphone(false));
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::ForbiddenByPolicy));
}

// acceptance: M4
#[test]
fn a_listener_publishes_nothing_until_promoted() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.done(host, give(ana, Role::Listener));
    assert!(!world.forwards(ana, Source::Microphone));
    for each in Source::ALL {
        assert_eq!(world.ask(ana, source(each, true)), Err(RefusalCode::NotPermitted));
        let ask = Command::AskToUnmute { participant: ana, source: each };
        assert_eq!(world.ask(host, ask), Err(RefusalCode::NotPermitted));
    }
    world.done(ana, Command::SetHand { raised: true });
    world.done(host, give(ana, Role::Attendee));
    world.done(ana, microphone(true));
}

// acceptance: M4
#[test]
fn suspend_all_stops_everything_at_once() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    for one in [host, ana] {
        for each in Source::ALL {
            world.done(one, source(each, true));
        }
    }
    world.done(host, Command::SuspendAll);
    assert!(world.gates.is_empty());
    for each in Source::ALL {
        assert_eq!(world.ask(ana, source(each, true)), Err(RefusalCode::ForbiddenByPolicy));
    }
    assert_eq!(world.ask(ana, say("what happened?")), Err(RefusalCode::ForbiddenByPolicy));
    world.done(ana, Command::SendChat { to: Audience::Hosts, text: "what happened?".into() });
    assert!(world.meeting.policy().locked);
    world.done(host, microphone(true));
    assert_eq!(world.meeting.log().last().map(|entry| entry.action.as_str()), Some("suspend-all"));
}

#[test]
fn falling_silent_always_succeeds() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    while world.ask(ana, Command::SetHand { raised: true }) != Err(RefusalCode::TooMany) {}
    world.done(ana, microphone(false));
    world.done(ana, microphone(false));
    assert!(!world.forwards(ana, Source::Microphone));
    world.done(host, give(ana, Role::Listener));
    world.done(ana, source(Source::Screen, false));
}
