//! Remove, ban, send back, hands, names, spotlight, end, and the log of all that.

use crate::world::*;
use signaling::ids::{Epoch, Source};
use signaling::meeting::{Effect, Entry};
use signaling::protocol::*;
use signaling::role::Role;

// acceptance: M5
#[test]
fn who_is_removed_is_out_on_every_channel_and_may_come_again() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    world.done(ana, microphone(true));
    world.done(host, Command::Remove { participant: ana, ban: false });
    assert_eq!(world.effects[0], Effect::EndMedia { participant: ana, epoch: Epoch(1) }, "media ends first");
    assert_eq!(world.clients[&ana].out, Some(OutReason::Removed));
    assert!(!world.clients[&ana].connected && !world.forwards(ana, Source::Microphone));
    assert_eq!(world.meeting.media_allowed(ana), None);
    world.done(host, say("now we are alone"));
    assert_eq!(world.resume(ana), Err(RefusalCode::SeatGone));
    world.meeting.handle_command(world.now, ana, 9, say("still here"));
    world.carry_out();
    assert_eq!(world.effects, [], "commands of the removed are not even answered");
    let again = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    assert!(world.clients[&again].chat.is_empty(), "what was said meanwhile is not for him");
}

#[test]
fn who_is_shut_out_of_the_server_loses_every_seat_inside_waiting_and_kept() {
    let mut world = World::with(OPEN);
    let mut sit = |name, entry| world.knock_as(name, entry, None, Some(7)).expect("the door opens");
    let (inside, away) = (sit("Ana", Entry::Host), sit("Ana's phone", Entry::Link));
    let other = world.knock_as("Ben", Entry::Link, None, Some(8)).expect("the door opens");
    world.done(inside, Command::SetPolicy { policy: Policy { waiting_room: true, ..OPEN } });
    let waiting = world.knock_as("Ana's tablet", Entry::Link, None, Some(7)).expect("a place to wait");
    world.disconnect(away);
    world.done(inside, microphone(true));
    world.meeting.shut_out(world.now, 7);
    world.carry_out();
    for seat in [inside, waiting] {
        assert_eq!(world.clients[&seat].out, Some(OutReason::Removed));
    }
    assert!(!world.forwards(inside, Source::Microphone));
    for seat in [inside, away, waiting] {
        assert_eq!(world.resume(seat), Err(RefusalCode::SeatGone));
    }
    assert!(world.clients[&other].connected && world.meeting.media_allowed(other).is_some());
}

// acceptance: M5
#[test]
fn who_is_banned_comes_back_by_no_way() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    let tab = world.knock("Ana's other tab", Entry::Number, Some("browser-a")).unwrap();
    world.done(host, Command::Remove { participant: ana, ban: true });
    assert_eq!(world.clients[&ana].out, Some(OutReason::Banned));
    assert_eq!(world.clients[&tab].out, Some(OutReason::Banned), "all seats of the same browser go");
    assert_eq!(world.banned, ["browser-a"], "recordings are told");
    assert_eq!(world.resume(ana), Err(RefusalCode::Banned));
    assert_eq!(world.resume(tab), Err(RefusalCode::Banned));
    for entry in [Entry::Link, Entry::Number] {
        assert_eq!(world.knock("Not Ana", entry, Some("browser-a")), Err(RefusalCode::Banned));
    }
    world.knock("Bo", Entry::Link, Some("browser-b")).unwrap();
    world.restart();
    assert_eq!(world.knock("Ana", Entry::Link, Some("browser-a")), Err(RefusalCode::Banned));
}

#[test]
fn a_host_who_bans_his_own_second_tab_stays_in() {
    let mut world = World::with(OPEN);
    let host = world.knock("Hanna", Entry::Host, Some("browser-h")).unwrap();
    let tab = world.knock("Test", Entry::Link, Some("browser-h")).unwrap();
    world.done(host, Command::Remove { participant: tab, ban: true });
    assert!(world.is_inside(host) && !world.is_inside(tab));
    world.done(host, Command::Leave);
    world.knock("Hanna", Entry::Host, Some("browser-h")).expect("the host link is always good");
}

// acceptance: M5
#[test]
fn somebody_who_waits_can_be_banned_too() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.knock("Ana", Entry::Link, Some("browser-a")).unwrap();
    world.done(host, Command::Remove { participant: ana, ban: true });
    assert_eq!(world.knock("Ana", Entry::Link, Some("browser-a")), Err(RefusalCode::Banned));
    assert!(world.clients[&host].waiting.is_empty());
}

// acceptance: M4
#[test]
fn who_is_sent_back_waits_and_comes_in_under_a_new_epoch() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(ana, microphone(true));
    world.done(ana, Command::SetHand { raised: true });
    world.done(host, say("before"));
    world.done(host, Command::SendToWaitingRoom { participant: ana });
    assert_eq!(world.effects[0], Effect::EndMedia { participant: ana, epoch: Epoch(1) });
    assert!(world.waits(ana) && world.meeting.media_allowed(ana).is_none());
    assert!(world.clients[&host].waiting[&ana].sent_back);
    world.done(host, say("meanwhile"));
    assert_eq!(world.ask(ana, microphone(true)), Err(RefusalCode::NotAdmitted));
    world.done(host, Command::Admit { participant: ana });
    let rights = world.meeting.media_allowed(ana).unwrap();
    assert_eq!((rights.epoch, rights.open_gates), (Epoch(2), vec![]));
    assert!(world.clients[&ana].chat.is_empty(), "nothing of the earlier admission");
    assert_eq!(world.participant(ana).hand_raised_at, None);
}

// acceptance: M3
#[test]
fn what_happened_inside_is_not_repeated_to_somebody_sent_back_while_away() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.disconnect(ana);
    world.done(host, say("a secret"));
    world.done(host, Command::SendToWaitingRoom { participant: ana });
    world.told(ana);
    world.resume(ana).unwrap();
    assert!(matches!(&world.told(ana)[..], [Event::Waiting { .. }]));
}

// acceptance: M4
#[test]
fn hands_queue_in_the_order_in_which_they_went_up() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let people = ["Ana", "Bo", "Cai"].map(|name| world.by_link(name));
    for one in [2, 0, 1] {
        world.done(people[one], Command::SetHand { raised: true });
    }
    world.pass(1_000);
    world.done(people[2], Command::SetHand { raised: true });
    let queue = |world: &World| {
        let mut raised: Vec<_> = world
            .meeting
            .participants()
            .filter_map(|participant| Some((participant.hand_raised_at?, participant.id)))
            .collect();
        raised.sort();
        raised.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    assert_eq!(queue(&world), [people[2], people[0], people[1]], "raising it again loses no place");
    world.done(host, Command::LowerHand { participant: people[2] });
    world.done(people[2], Command::SetHand { raised: true });
    assert_eq!(queue(&world), [people[0], people[1], people[2]]);
    world.done(people[0], Command::SetHand { raised: false });
    assert_eq!(queue(&world), [people[1], people[2]]);
}

// acceptance: M4
#[test]
fn people_rename_themselves_where_they_may_and_hosts_rename_anybody() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let (ana, bo) = (world.by_link("Ana"), world.by_link("Bo"));
    let rename = |participant, name: &str| Command::Rename { participant, name: name.into() };
    world.done(ana, rename(ana, " Ana María "));
    assert_eq!(world.participant(ana).name, "Ana María");
    assert_eq!(world.ask(ana, rename(bo, "Bö")), Err(RefusalCode::NotPermitted));
    assert_eq!(world.ask(ana, rename(ana, "\u{202E}")), Err(RefusalCode::BadName));
    world.done(host, rules(Policy { may_rename: false, ..OPEN }));
    assert_eq!(world.ask(ana, rename(ana, "Hanna")), Err(RefusalCode::ForbiddenByPolicy));
    world.done(host, rename(ana, "Ana"));
    world.done(host, rename(host, "Hanna M."));
}

// acceptance: M4
#[test]
fn the_spotlight_is_bounded() {
    let mut settings = settings();
    settings.limits.spotlights = 2;
    let mut world = World::new(settings);
    let host = world.host("Hanna");
    let people = ["Ana", "Bo"].map(|name| world.by_link(name));
    let light = |participant, on| Command::SetSpotlight { participant, on };
    world.done(host, light(people[0], true));
    world.done(host, light(people[1], true));
    assert_eq!(world.ask(host, light(host, true)), Err(RefusalCode::TooMany));
    world.done(host, light(people[0], true));
    world.done(host, light(people[0], false));
    world.done(host, light(host, true));
    assert!(world.participant(host).spotlight && !world.participant(people[0]).spotlight);
}

// acceptance: M4
#[test]
fn the_end_is_told_to_everybody_and_is_final() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    let bo = world.knock("Bo", Entry::Number, None).unwrap();
    world.done(ana, microphone(true));
    world.done(host, Command::End);
    for one in [host, ana, bo] {
        assert_eq!(world.clients[&one].out, Some(OutReason::Ended));
    }
    assert!(world.ended && world.meeting.has_ended() && world.gates.is_empty());
    assert_eq!(world.effects.last(), Some(&Effect::Ended));
    assert_eq!(world.knock("Cai", Entry::Link, None), Err(RefusalCode::MeetingEnded));
    assert_eq!(world.knock("Hanna", Entry::Host, None), Err(RefusalCode::MeetingEnded));
    assert_eq!(world.resume(ana), Err(RefusalCode::MeetingEnded));
    assert_eq!(world.meeting.poll_timeout(), None);
    world.meeting.end(world.now);
    world.carry_out();
    assert_eq!(world.effects, []);
}

// acceptance: M4
#[test]
fn the_log_says_who_did_what_to_whom_and_hosts_read_it() {
    let mut world = World::with(Policy { waiting_room: true, ..OPEN });
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    world.done(host, Command::Admit { participant: ana });
    world.done(ana, microphone(true));
    world.done(host, Command::Mute { participant: ana, source: Source::Microphone });
    world.done(host, give(ana, Role::CoHost));
    world.done(host, rules(Policy { locked: true, ..OPEN }));
    world.done(host, give(ana, Role::Attendee));
    world.done(host, Command::Remove { participant: ana, ban: true });
    let Ok(Outcome::Log { entries }) = world.ask(host, Command::ReadLog) else { panic!("no log") };
    let lines: Vec<_> = entries
        .iter()
        .map(|entry| {
            assert_eq!((entry.by, entry.by_name.as_deref()), (Some(host), Some("Hanna")));
            (entry.action.as_str(), entry.on_name.as_deref(), entry.detail.clone())
        })
        .collect();
    let change = |field, on| PolicyChange { field, on };
    let changes = vec![change(PolicyField::Locked, true), change(PolicyField::WaitingRoom, false)];
    let expected = [
        ("admit", Some("Ana"), None),
        ("mute", Some("Ana"), Some(LogDetail::Source { source: Source::Microphone })),
        ("set-role", Some("Ana"), Some(LogDetail::Role { role: Role::CoHost })),
        ("set-policy", None, Some(LogDetail::Policy { changes })),
        ("set-role", Some("Ana"), Some(LogDetail::Role { role: Role::Attendee })),
        ("ban", Some("Ana"), None),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn an_entry_of_another_version_is_kept_without_what_it_does_not_understand() {
    let of = |detail: &str| -> LogEntry {
        serde_json::from_str(&format!(r#"{{"at":1,"action":"mute","detail":{detail}}}"#)).expect("an entry")
    };
    assert_eq!(of(r#"{"kind":"spotlight","on":true}"#).detail, Some(LogDetail::Spotlight { on: true }));
    for other in [r#""microphone""#, r#"{"kind":"later"}"#, "null"] {
        assert_eq!(of(other).detail, None, "{other}");
    }
}
