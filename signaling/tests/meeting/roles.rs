//! Hosts and co-hosts: given, taken, gone and back.

use crate::world::*;
use signaling::ids::Source;
use signaling::meeting::Entry;
use signaling::protocol::*;
use signaling::role::Role;

#[test]
fn a_co_host_learns_who_waits_and_forgets_it_when_dismissed() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(host, Command::Admit { participant: ana });
    let bo = world.by_link("Bo");
    assert!(world.clients[&ana].waiting.is_empty());
    world.done(host, give(ana, Role::CoHost));
    assert_eq!(world.clients[&ana].waiting.len(), 1);
    world.done(ana, Command::Admit { participant: bo });
    world.by_link("Cai");
    world.done(host, give(ana, Role::Attendee));
    assert!(world.clients[&ana].waiting.is_empty());
    assert_eq!(world.ask(ana, Command::AdmitAll), Err(RefusalCode::NotPermitted));
}

// acceptance: M4
#[test]
fn only_the_host_names_and_dismisses_hosts_and_co_hosts() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let (co, ana) = (world.by_link("Co"), world.by_link("Ana"));
    world.done(host, give(co, Role::CoHost));
    for command in [give(ana, Role::CoHost), give(ana, Role::Host), give(co, Role::Host), give(host, Role::Attendee)] {
        assert_eq!(world.ask(co, command), Err(RefusalCode::NotPermitted));
    }
    world.done(co, give(ana, Role::Listener));
    world.done(co, give(ana, Role::Attendee));
    world.done(host, give(ana, Role::Host));
    world.done(ana, give(host, Role::Attendee));
    assert_eq!(world.ask(host, Command::End), Err(RefusalCode::NotPermitted));
}

#[test]
fn the_last_host_may_not_step_down_but_may_leave() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    assert_eq!(world.ask(host, give(host, Role::CoHost)), Err(RefusalCode::LastHost));
    world.done(host, give(ana, Role::Host));
    world.done(host, give(host, Role::CoHost));
    world.done(ana, Command::Leave);
    assert_eq!(world.participant(host).role, Role::CoHost, "the meeting goes on with its co-host");
    let again = world.host("Ana");
    assert_eq!(world.participant(again).role, Role::Host);
}

#[test]
fn a_host_who_left_comes_back_as_host_into_a_locked_meeting() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(host, rules(Policy { locked: true, ..OPEN }));
    world.disconnect(host);
    world.pass(120_000);
    assert!(!world.is_inside(host) && world.is_inside(ana));
    let again = world.host("Hanna");
    world.done(again, Command::Mute { participant: ana, source: Source::Microphone });
}

// acceptance: M4
#[test]
fn a_co_host_takes_nothing_from_a_host_and_puts_out_no_co_host() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let (co, other) = (world.by_link("Co"), world.by_link("Other"));
    world.done(host, give(co, Role::CoHost));
    world.done(host, give(other, Role::CoHost));
    world.done(host, microphone(true));
    world.done(host, Command::SetHand { raised: true });
    let refused = [
        Command::Mute { participant: host, source: Source::Microphone },
        Command::Rename { participant: host, name: "X".into() },
        Command::Remove { participant: host, ban: true },
        Command::SendToWaitingRoom { participant: host },
        Command::Remove { participant: other, ban: false },
        Command::SendToWaitingRoom { participant: other },
    ];
    for command in refused {
        assert_eq!(world.ask(co, command.clone()), Err(RefusalCode::NotPermitted), "{command:?}");
    }
    world.done(co, Command::LowerHand { participant: host });
    world.done(co, Command::AskToUnmute { participant: host, source: Source::Camera });
    world.done(co, Command::Mute { participant: other, source: Source::Microphone });
    assert!(world.forwards(host, Source::Microphone));
    world.done(host, Command::Remove { participant: co, ban: false });
}

#[test]
fn nobody_removes_or_sends_back_himself() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    for command in [Command::Remove { participant: host, ban: false }, Command::SendToWaitingRoom { participant: host }]
    {
        assert_eq!(world.ask(host, command), Err(RefusalCode::NotPermitted));
    }
}

// acceptance: M4
#[test]
fn a_dismissed_co_host_comes_under_the_rules() {
    let mut world = World::with(Policy { may_share: false, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(host, give(ana, Role::CoHost));
    world.done(ana, source(Source::Screen, true));
    world.done(ana, microphone(true));
    world.done(host, give(ana, Role::Attendee));
    assert_eq!(on(&world.participant(ana)), [Source::Microphone]);
}

#[test]
fn who_is_sent_back_keeps_no_rights() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let second = world.knock("Harald", Entry::Host, None).unwrap();
    world.done(host, Command::SendToWaitingRoom { participant: second });
    world.done(host, Command::Admit { participant: second });
    assert_eq!(world.participant(second).role, Role::Attendee);
}
