//! The door and the waiting room.

use crate::world::*;
use signaling::ids::{Epoch, ParticipantId};
use signaling::meeting::{Counts, Entry, MeetingSettings};
use signaling::protocol::*;
use signaling::role::Role;

fn waiting_room() -> Policy {
    Policy { waiting_room: true, ..OPEN }
}

#[test]
fn the_link_lets_in_at_once_where_nobody_has_to_wait() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("  Ana ");
    assert_eq!(world.participant(ana).name, "Ana");
    assert_eq!(world.participant(ana).role, Role::Attendee);
    assert_eq!(world.participant(host).role, Role::Host);
    let told = world.told(host);
    assert!(matches!(&told[1], Event::Joined { participant } if participant.id == ana));
    assert!(matches!(&world.told(ana)[..], [Event::Welcome { epoch: Epoch(1), .. }]));
}

// acceptance: M3
#[test]
fn who_waits_is_told_nothing_but_the_wait() {
    let mut world = World::with(waiting_room());
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    assert!(world.waits(ana));
    assert_eq!(world.meeting.media_allowed(ana), None);
    world.done(host, say("a secret"));
    world.done(host, microphone(true));
    world.done(host, Command::SetHand { raised: true });
    let bo = world.by_link("Bo");
    world.done(host, Command::Admit { participant: bo });
    world.done(host, rules(Policy { may_share: false, ..waiting_room() }));
    let told = world.told(ana);
    assert!(matches!(&told[..], [Event::Waiting { host_present: true, meeting, .. }] if meeting.join_url.is_none()));
    for command in [say("hi"), microphone(true), Command::ReadLog, Command::Admit { participant: ana }] {
        assert_eq!(world.ask(ana, command), Err(RefusalCode::NotAdmitted));
    }
}

// acceptance: M3
#[test]
fn a_host_admits_one_and_sees_the_queue_shrink() {
    let mut world = World::with(waiting_room());
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    assert_eq!(world.clients[&host].waiting.len(), 2);
    world.done(host, Command::Admit { participant: ana });
    assert!(world.is_inside(ana) && world.waits(bo));
    assert_eq!(world.clients[&host].waiting.keys().copied().collect::<Vec<_>>(), [bo]);
    world.done(host, Command::Admit { participant: ana });
    assert_eq!(world.clients[&ana].epoch, Epoch(1), "admitted once although asked twice");
    assert_eq!(
        world.ask(host, Command::Admit { participant: ParticipantId(99) }),
        Err(RefusalCode::UnknownParticipant)
    );
}

// acceptance: M3
#[test]
fn who_is_denied_is_out_and_may_knock_again() {
    let mut world = World::with(waiting_room());
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    world.done(host, Command::Deny { participant: ana });
    assert_eq!(world.clients[&ana].out, Some(OutReason::Denied));
    assert!(!world.clients[&ana].connected);
    assert_eq!(world.resume(ana), Err(RefusalCode::SeatGone));
    let again = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    assert!(world.waits(again) && again > ana);
}

// acceptance: M3
#[test]
fn who_comes_by_number_waits_even_where_nobody_else_does() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Number, None).unwrap();
    assert!(world.waits(ana));
    world.done(host, Command::Admit { participant: ana });
    let seen = world.clients[&ana].meeting.clone().unwrap();
    assert_eq!(seen.join_url, None, "the link is not given to those who know the number only");

    let mut world = World::new(MeetingSettings { numbers_wait: false, ..settings() });
    let ana = world.knock("Ana", Entry::Number, None).unwrap();
    assert!(world.is_inside(ana));
}

// acceptance: M5
#[test]
fn a_hundred_who_come_after_the_lock_stay_out() {
    let mut world = World::new(MeetingSettings { capacity: 300, ..settings() });
    let host = world.host("Hanna");
    for number in 0..50 {
        world.by_link(&format!("early {number}"));
    }
    world.done(host, rules(Policy { locked: true, ..OPEN }));
    for number in 0..100 {
        let late = world.knock(&format!("late {number}"), Entry::Link, None);
        assert_eq!(late, Err(RefusalCode::MeetingLocked));
    }
    assert_eq!(world.meeting.counts(), Counts { admitted: 51, waiting: 0, connected: 51 });
}

// acceptance: M5
#[test]
fn the_lock_holds_for_the_waiting_room_but_not_for_seats_and_hosts() {
    let mut world = World::with(waiting_room());
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    world.done(host, Command::Admit { participant: ana });
    world.done(host, rules(Policy { locked: true, ..waiting_room() }));
    assert_eq!(world.ask(host, Command::Admit { participant: bo }), Err(RefusalCode::MeetingLocked));
    assert_eq!(world.ask(host, Command::AdmitAll), Err(RefusalCode::MeetingLocked));
    world.disconnect(ana);
    assert_eq!(world.resume(ana), Ok(ana));
    let second = world.host("Harald");
    assert!(world.is_inside(second));
    world.done(host, rules(waiting_room()));
    world.done(host, Command::Admit { participant: bo });
}

#[test]
fn the_plan_limits_how_many_are_in_and_counts_kept_seats() {
    let mut world = World::new(MeetingSettings { capacity: 3, ..settings() });
    world.host("Hanna");
    let ana = world.by_link("Ana");
    world.by_link("Bo");
    assert_eq!(world.knock("Cai", Entry::Link, None), Err(RefusalCode::MeetingFull));
    world.disconnect(ana);
    assert_eq!(world.knock("Cai", Entry::Link, None), Err(RefusalCode::MeetingFull));
    world.pass(120_000);
    world.by_link("Cai");
}

#[test]
fn a_place_is_kept_for_a_host_until_one_has_come() {
    let mut world = World::new(MeetingSettings { capacity: 3, ..settings() });
    world.by_link("Ana");
    world.by_link("Bo");
    assert_eq!(world.knock("Cai", Entry::Link, None), Err(RefusalCode::MeetingFull));
    let host = world.host("Hanna");
    assert_eq!(world.knock("Harald", Entry::Host, None), Err(RefusalCode::MeetingFull));
    world.disconnect(host);
    let again = world.host("Hanna");
    assert!(!world.is_inside(host) && world.is_inside(again), "from another device, in the place of the lost one");
}

// acceptance: M3
#[test]
fn admit_all_goes_by_the_time_of_waiting_and_stops_where_the_meeting_is_full() {
    let mut world = World::new(MeetingSettings { capacity: 3, policy: waiting_room(), ..settings() });
    let host = world.host("Hanna");
    let people: Vec<_> = ["Ana", "Bo", "Cai"].map(|name| world.by_link(name)).to_vec();
    assert_eq!(world.ask(host, Command::AdmitAll), Ok(Outcome::Admitted { admitted: 2, waiting: 1 }));
    assert!(world.is_inside(people[0]) && world.is_inside(people[1]) && world.waits(people[2]));
    assert_eq!(world.ask(host, Command::Admit { participant: people[2] }), Err(RefusalCode::MeetingFull));
    assert_eq!(world.ask(host, Command::AdmitAll), Ok(Outcome::Admitted { admitted: 0, waiting: 1 }));
}

#[test]
fn those_who_wait_learn_when_a_host_comes_and_goes() {
    let mut world = World::with(waiting_room());
    let ana = world.by_link("Ana");
    let present = |world: &mut World| match world.told(ana).pop() {
        Some(Event::Waiting { host_present, .. }) => Some(host_present),
        None => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(present(&mut world), Some(false));
    let host = world.host("Hanna");
    assert_eq!(present(&mut world), Some(true));
    world.disconnect(host);
    assert_eq!(present(&mut world), Some(false));
    world.resume(host).unwrap();
    assert_eq!(present(&mut world), Some(true));
    let second = world.host("Harald");
    world.done(host, Command::Leave);
    assert_eq!(present(&mut world), None, "another host is still there");
    world.done(second, Command::Leave);
    assert_eq!(present(&mut world), Some(false));
}

#[test]
fn names_that_show_nothing_are_refused_at_the_door() {
    let mut world = World::with(OPEN);
    for name in ["", "  ", "\u{202E}", &"x".repeat(65)] {
        assert_eq!(world.knock(name, Entry::Link, None), Err(RefusalCode::BadName));
    }
    assert_eq!(world.meeting.counts(), Counts::default());
}

#[test]
fn people_who_wait_may_leave() {
    let mut world = World::with(waiting_room());
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, Command::Leave);
    assert_eq!(world.clients[&ana].out, Some(OutReason::Left));
    assert!(world.clients[&host].waiting.is_empty());
}
