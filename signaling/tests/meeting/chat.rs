//! The chat: who reads what, and its bounds.

use crate::world::*;
use signaling::ids::ParticipantId;
use signaling::protocol::*;
use signaling::role::Role;

fn to(participant: ParticipantId) -> Command {
    Command::SendChat { to: Audience::One { participant }, text: "psst".into() }
}

fn to_hosts() -> Command {
    Command::SendChat { to: Audience::Hosts, text: "help".into() }
}

fn read(world: &World, who: ParticipantId) -> usize {
    world.clients[&who].chat.len()
}

#[test]
fn each_message_reaches_its_audience_and_the_sender_only() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let people = ["Ana", "Bo", "Cai"].map(|name| world.by_link(name));
    world.done(host, give(people[2], Role::CoHost));
    world.done(people[0], say("hello"));
    world.done(people[0], to(people[1]));
    world.done(people[0], to_hosts());
    let read = [host, people[0], people[1], people[2]].map(|one| read(&world, one));
    assert_eq!(read, [2, 3, 2, 2]);
    assert_eq!(world.meeting.public_chat().count(), 1);
}

#[test]
fn who_comes_later_or_becomes_host_later_reads_nothing_of_before() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, to_hosts());
    let bo = world.by_link("Bo");
    assert_eq!(read(&world, bo), 0);
    world.done(host, give(bo, Role::CoHost));
    world.disconnect(bo);
    world.resume_from(bo, 0).unwrap();
    assert_eq!(read(&world, bo), 0);
}

#[test]
fn a_page_that_is_loaded_again_gets_the_chat_since_the_admission() {
    let mut world = World::with(OPEN);
    world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, say("one"));
    world.done(ana, say("two\nlines\u{7}"));
    world.disconnect(ana);
    world.resume_from(ana, 0).unwrap();
    let texts: Vec<_> = world.clients[&ana].chat.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["one", "two\nlines"]);
}

#[test]
fn where_chat_is_forbidden_hosts_are_still_reached() {
    let mut world = World::with(Policy { may_chat: false, ..OPEN });
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    assert_eq!(world.ask(ana, say("hi")), Err(RefusalCode::ForbiddenByPolicy));
    assert_eq!(world.ask(ana, to(bo)), Err(RefusalCode::ForbiddenByPolicy));
    world.done(ana, to(host));
    world.done(ana, to_hosts());
    world.done(host, say("hello"));
    world.done(host, to(bo));
}

#[test]
fn nobody_writes_to_those_who_wait_or_are_gone() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    assert_eq!(world.ask(host, to(ana)), Err(RefusalCode::UnknownParticipant));
    world.done(host, Command::Deny { participant: ana });
    assert_eq!(world.ask(host, to(ana)), Err(RefusalCode::UnknownParticipant));
}

#[test]
fn messages_without_anything_to_see_or_too_long_are_refused() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    for text in ["", " \n ", "\u{0}\u{8}", &"é".repeat(4_001)] {
        assert_eq!(world.ask(ana, say(text)), Err(RefusalCode::BadText));
    }
    world.done(ana, say(&"é".repeat(4_000)));
}

#[test]
fn the_sender_s_name_stays_as_it_was() {
    let mut world = World::with(OPEN);
    let ana = world.by_link("Ana");
    world.done(ana, say("hi"));
    world.done(ana, Command::Rename { participant: ana, name: "Annika".into() });
    world.disconnect(ana);
    world.resume_from(ana, 0).unwrap();
    assert_eq!(world.clients[&ana].chat[0].name, "Ana");
}
