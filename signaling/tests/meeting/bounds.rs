//! What a stranger can push against.

use crate::world::*;
use signaling::meeting::{Entry, MeetingSettings};
use signaling::protocol::*;

// acceptance: SEC7
#[test]
fn the_chat_rate_is_bounded_per_seat() {
    let mut world = World::with(OPEN);
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    let written = (0..40).filter(|_| world.ask(ana, say("spam")) == Ok(Outcome::Done)).count();
    assert_eq!(written, 10);
    world.done(bo, say("others are not slowed"));
    world.pass(1_000);
    let written = (0..15).filter(|_| world.ask(ana, say("spam")) == Ok(Outcome::Done)).count();
    assert_eq!(written, 5);
}

// acceptance: SEC7
#[test]
fn the_command_rate_is_bounded_per_seat_and_the_refusal_says_when_to_ask_again() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    let carried_out = (1..=100).take_while(|_| world.ask(ana, Command::ReadLog) != Err(RefusalCode::TooMany)).count();
    assert_eq!(carried_out, 60);
    world.meeting.handle_command(world.now, ana, 500, Command::ReadLog);
    let refused = std::iter::from_fn(|| world.meeting.poll_effect()).last();
    let expected = ServerMessage::Refused {
        id: 500,
        code: RefusalCode::TooMany,
        message: RefusalCode::TooMany.sentence().into(),
        retry_after: Some(1),
    };
    assert!(matches!(refused, Some(signaling::meeting::Effect::Send { message, .. }) if message == expected));
    world.pass(1_000);
    assert_eq!(world.ask_as(ana, 500, Command::SetHand { raised: true }), Ok(Outcome::Done), "the id is still free");
}

#[test]
fn the_waiting_room_is_bounded() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let first = world.by_link("first");
    for number in 1..200 {
        world.by_link(&format!("{number}"));
    }
    assert_eq!(world.knock("one too many", Entry::Link, None), Err(RefusalCode::TooMany));
    world.done(host, Command::Deny { participant: first });
    world.by_link("now");
}

#[test]
fn nobody_is_sent_back_into_a_full_waiting_room() {
    let mut settings = settings();
    settings.limits.waiting = 1;
    let mut world = World::new(settings);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.knock("Bo", Entry::Number, None).unwrap();
    assert_eq!(world.ask(host, Command::SendToWaitingRoom { participant: ana }), Err(RefusalCode::TooMany));
    assert!(world.is_inside(ana));
}

#[test]
fn chat_and_log_keep_the_newest_only() {
    let mut settings = settings();
    settings.limits.chat_kept = 3;
    settings.limits.log_kept = 4;
    let mut world = World::new(settings);
    let host = world.host("Hanna");
    for number in 0..5 {
        world.pass(1_000);
        world.meeting.handle_command(world.now, host, 100 + number, say(&number.to_string()));
        world.meeting.handle_command(world.now, host, 200 + number, Command::MuteAll { may_unmute: number % 2 == 0 });
        while world.meeting.poll_effect().is_some() {}
    }
    let texts: Vec<_> = world.meeting.public_chat().map(|message| message.text.clone()).collect();
    assert_eq!(texts, ["2", "3", "4"]);
    assert_eq!(world.meeting.log().count(), 4);
}

#[test]
fn bans_are_bounded_and_removing_still_works() {
    let mut settings = MeetingSettings { capacity: 20, ..settings() };
    settings.limits.bans = 2;
    let mut world = World::new(settings);
    let host = world.host("Hanna");
    let people = ["a", "b", "c"].map(|name| world.knock(name, Entry::Link, Some(name)).unwrap());
    world.done(host, Command::Remove { participant: people[0], ban: true });
    world.done(host, Command::Remove { participant: people[1], ban: true });
    assert_eq!(world.ask(host, Command::Remove { participant: people[2], ban: true }), Err(RefusalCode::TooMany));
    world.done(host, Command::Remove { participant: people[2], ban: false });
}

#[test]
fn media_commands_are_none_of_the_meeting_s() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    let watch = Command::Watch { videos: vec![] };
    assert_eq!(world.ask(ana, watch), Err(RefusalCode::Internal));
    assert_eq!(world.ask(ana, Command::TellLimit { limit: None }), Err(RefusalCode::Internal));
}

// acceptance: SEC7
#[test]
fn commands_that_the_caller_carries_out_count_against_the_same_rate() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    let counted = (0..100).filter(|_| world.meeting.count_command(world.now, ana)).count();
    assert_eq!(counted, 60);
    assert_eq!(world.ask(ana, Command::ReadLog), Err(RefusalCode::TooMany));
    world.pass(1_000);
    assert!(world.meeting.count_command(world.now, ana));
    world.done(ana, Command::Leave);
    assert!(!world.meeting.count_command(world.now, ana), "of somebody who is gone, nothing is carried out");
}
