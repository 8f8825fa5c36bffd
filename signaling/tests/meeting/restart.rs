//! What survives a restart of the server.

use crate::world::*;
use signaling::ids::Source;
use signaling::meeting::Entry;
use signaling::protocol::*;
use signaling::role::Role;

// acceptance: M8
#[test]
fn seats_roles_mutes_hands_lock_and_bans_survive_a_restart() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    let evil = world.knock("Evil", Entry::Link, Some("browser-e")).unwrap();
    let late = world.knock("Late", Entry::Number, None).unwrap();
    world.done(host, give(ana, Role::CoHost));
    world.done(ana, microphone(true));
    world.done(bo, Command::SetHand { raised: true });
    world.done(bo, say("remember me"));
    world.done(host, Command::Remove { participant: evil, ban: true });
    world.done(host, rules(Policy { locked: true, may_share: false, ..OPEN }));
    let (ana_before, bo_before) = (world.participant(ana), world.participant(bo));

    world.pass(60_000);
    world.restart();
    assert_eq!(world.meeting.counts().connected, 0);
    assert_eq!(world.knock("New", Entry::Link, None), Err(RefusalCode::MeetingLocked));
    assert_eq!(world.knock("Evil", Entry::Link, Some("browser-e")), Err(RefusalCode::Banned));
    world.pass(119_000);
    for one in [host, ana, bo, late] {
        assert_eq!(world.resume(one), Ok(one));
    }
    assert_eq!((world.participant(ana), world.participant(bo)), (ana_before, bo_before));
    assert!(world.waits(late));
    assert_eq!(world.clients[&bo].chat.len(), 1);
    assert_eq!(world.meeting.media_allowed(ana).unwrap().open_gates, [Source::Microphone]);
    assert_eq!(world.ask(bo, source(Source::Screen, true)), Err(RefusalCode::ForbiddenByPolicy));
    assert_eq!(world.meeting.log().count(), 3);
}

#[test]
fn seats_are_given_up_two_minutes_after_the_restart() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.pass(3_600_000);
    world.restart();
    world.pass(119_999);
    assert!(world.is_inside(host));
    world.pass(1);
    assert!(!world.is_inside(host));
    assert_eq!(world.meeting.poll_timeout(), None);
}

#[test]
fn after_a_restart_everything_is_told_afresh_and_numbers_do_not_go_back() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.restart();
    world.told(host);
    // The client saw more than was stored.
    world.clients.get_mut(&host).unwrap().last_event += 20;
    let seen = world.clients[&host].last_event;
    world.resume(host).unwrap();
    assert!(matches!(&world.told(host)[..], [Event::Welcome { .. }]));
    assert_eq!(world.clients[&host].last_event, seen + 1);
}

#[test]
fn a_command_answered_before_the_restart_is_not_carried_out_again() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    assert_eq!(world.ask_as(ana, 1, say("once")), Ok(Outcome::Done));
    world.restart();
    world.resume(ana).unwrap();
    assert_eq!(world.ask_as(ana, 1, say("once")), Ok(Outcome::Done));
    assert_eq!(world.clients[&ana].chat.len(), 1);
}

#[test]
fn ids_and_epochs_are_never_given_again() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, Command::Leave);
    world.restart();
    world.resume(host).unwrap();
    let bo = world.by_link("Bo");
    assert!(bo > ana);
    world.done(host, Command::SendToWaitingRoom { participant: bo });
    world.restart();
    world.resume(host).unwrap();
    world.resume(bo).unwrap();
    world.done(host, Command::Admit { participant: bo });
    assert_eq!(world.clients[&bo].epoch.0, 2);
}

#[test]
fn an_ended_meeting_stays_ended() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.done(host, Command::End);
    assert!(world.meeting.snapshot().has_ended());
    world.ended = false;
    world.restart();
    assert_eq!(world.knock("Hanna", Entry::Host, None), Err(RefusalCode::MeetingEnded));
    assert_eq!(world.meeting.log().count(), 1);
}

#[test]
fn a_meeting_that_ended_says_nothing_when_the_server_stops() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.done(host, Command::End);
    world.meeting.stop(world.now);
    world.carry_out();
    assert_eq!(world.effects, []);
}
