//! Lost connections, kept seats, missed events, commands that come again.

use crate::world::*;
use signaling::ids::{Epoch, Source};
use signaling::meeting::{Effect, Entry};
use signaling::protocol::*;
use signaling::role::Role;

// acceptance: M8
#[test]
fn a_seat_is_kept_for_two_minutes_with_role_sources_and_hand() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(host, give(ana, Role::CoHost));
    world.done(ana, microphone(true));
    world.done(ana, Command::SetHand { raised: true });
    let before = world.participant(ana);
    world.disconnect(ana);
    assert!(!world.clients[&host].participants[&ana].connected);
    assert!(world.forwards(ana, Source::Microphone), "media outlives a lost socket");
    world.pass(119_999);
    assert_eq!(world.resume(ana), Ok(ana));
    assert_eq!(world.participant(ana), before);
    assert_eq!(world.clients[&ana].epoch, Epoch(1));

    world.disconnect(ana);
    world.pass(120_000);
    assert!(!world.is_inside(ana) && !world.forwards(ana, Source::Microphone));
    assert!(!world.clients[&host].participants.contains_key(&ana));
    assert_eq!(world.resume(ana), Err(RefusalCode::SeatGone));
}

#[test]
fn a_seat_is_gone_on_time_even_where_the_timer_comes_late() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    world.disconnect(ana);
    world.now = world.now.plus(120_000);
    assert_eq!(world.resume(ana), Err(RefusalCode::SeatGone));
}

// acceptance: M8
#[test]
fn who_returns_hears_what_he_missed_and_nothing_twice() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.told(ana);
    world.disconnect(ana);
    world.done(host, say("one"));
    world.done(host, say("two"));
    let bo = world.by_link("Bo");
    world.resume(ana).unwrap();
    let told = world.told(ana);
    assert!(matches!(&told[..], [
        Event::Chat { message: one },
        Event::Chat { message: two },
        Event::Joined { participant },
        Event::Joined { participant: me },
    ] if one.text == "one" && two.text == "two" && participant.id == bo && me.id == ana && me.connected));
    assert!(matches!(world.told(bo).last(), Some(Event::Joined { participant }) if participant.id == ana));
}

#[test]
fn events_that_never_arrived_come_again_although_they_were_sent() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    let seen = world.clients[&ana].last_event;
    world.done(host, Command::SetHand { raised: true });
    world.disconnect(ana);
    world.told(ana);
    world.resume_from(ana, seen).unwrap();
    let told = world.told(ana);
    assert!(matches!(&told[..], [Event::Updated { participant }, Event::Joined { .. }] if participant.id == host));
}

#[test]
fn who_was_changed_while_away_does_not_believe_to_be_away_still() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.disconnect(ana);
    world.done(host, give(ana, Role::CoHost));
    world.resume(ana).unwrap();
    assert!(world.clients[&ana].participants[&ana].connected);
}

#[test]
fn who_missed_too_much_gets_everything_afresh() {
    let mut settings = settings();
    settings.limits.event_buffer = 8;
    let mut world = World::new(settings);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.disconnect(ana);
    for round in 0..9 {
        world.done(host, Command::SetHand { raised: round % 2 == 0 });
    }
    world.told(ana);
    world.resume(ana).unwrap();
    assert!(matches!(&world.told(ana)[..], [Event::Welcome { .. }]));
    assert!(world.clients[&ana].participants[&host].hand_raised_at.is_some());
}

#[test]
fn a_newer_connection_replaces_the_older_one() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.told(host);
    assert_eq!(world.resume(ana), Ok(ana));
    assert!(matches!(&world.effects[..], [Effect::Replace { participant, .. }] if *participant == ana));
    assert_eq!(world.told(host), [], "nobody else notices");
    world.done(ana, say("still me"));
}

#[test]
fn a_wrong_secret_opens_no_seat() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    let seat = world.clients[&ana].seat.clone();
    for wrong in ["", "seat", "seat-2", &format!("{seat} ")] {
        assert_eq!(world.meeting.resume(world.now, wrong, 1), Err(RefusalCode::SeatGone));
        assert_eq!(world.meeting.bearer(wrong), None);
    }
    assert_eq!(world.meeting.bearer(&seat), Some(ana));
    world.done(ana, Command::Leave);
    assert_eq!(world.meeting.bearer(&seat), None);
}

#[test]
fn who_waits_keeps_the_place_too_and_may_be_let_in_meanwhile() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    world.disconnect(ana);
    world.disconnect(bo);
    world.done(host, Command::Admit { participant: ana });
    assert!(!world.participant(ana).connected);
    world.told(ana);
    world.resume(ana).unwrap();
    assert!(matches!(&world.told(ana)[..], [Event::Welcome { .. }]));
    world.pass(120_000);
    assert!(world.clients[&host].waiting.is_empty());
    assert_eq!(world.resume(bo), Err(RefusalCode::SeatGone));
}

#[test]
fn a_command_that_comes_again_is_answered_alike_and_not_carried_out_twice() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    assert_eq!(world.ask_as(ana, 7, say("once")), Ok(Outcome::Done));
    assert_eq!(world.ask_as(ana, 8, Command::End), Err(RefusalCode::NotPermitted));
    world.disconnect(ana);
    world.resume(ana).unwrap();
    assert_eq!(world.ask_as(ana, 7, say("once")), Ok(Outcome::Done));
    world.done(host, give(ana, Role::Host));
    assert_eq!(world.ask_as(ana, 8, Command::End), Err(RefusalCode::NotPermitted), "as it was answered then");
    assert_eq!(world.clients[&host].chat.len(), 1);
}

#[test]
fn the_memory_of_commands_is_bounded_and_what_it_forgot_is_refused() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    for _ in 0..200 {
        world.pass(50);
        world.done(ana, Command::SetHand { raised: true });
    }
    assert_eq!(world.ask_as(ana, 200, say("x")), Ok(Outcome::Done), "remembered as the hand");
    assert_eq!(world.ask_as(ana, 100, say("x")), Err(RefusalCode::OutOfOrder));
    assert!(world.clients[&ana].chat.is_empty());
}

#[test]
fn a_page_that_begins_anew_counts_its_commands_anew() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    assert_eq!(world.ask_as(ana, 1, say("first page")), Ok(Outcome::Done));
    world.disconnect(ana);
    world.resume_from(ana, 0).unwrap();
    assert_eq!(world.ask_as(ana, 1, say("second page")), Ok(Outcome::Done));
    assert_eq!(world.clients[&ana].chat.len(), 2);
}

#[test]
fn leaving_gives_the_seat_up_at_once() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.done(ana, Command::Leave);
    assert_eq!(world.clients[&ana].out, Some(OutReason::Left));
    assert!(!world.clients[&host].participants.contains_key(&ana) && world.gates.is_empty());
    assert_eq!(world.resume(ana), Err(RefusalCode::SeatGone));
}

#[test]
fn a_stopping_server_tells_everybody_and_keeps_the_seats() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Number, None).unwrap();
    world.meeting.stop(world.now);
    world.carry_out();
    for one in [host, ana] {
        assert_eq!(world.told(one).last(), Some(&Event::Out { reason: OutReason::ServerStopping }));
        assert!(!world.clients[&one].connected);
    }
    world.restart();
    world.resume(host).unwrap();
    world.resume(ana).unwrap();
    assert!(world.is_inside(host) && world.waits(ana));
}
