//! The permission table against the meeting: each command by each role, on each role.

use crate::world::*;
use signaling::ids::{ParticipantId, Source};
use signaling::meeting::Entry;
use signaling::permission::{Action, permits, permits_on};
use signaling::protocol::*;
use signaling::role::Role;

const ROLES: [Role; 4] = [Role::Listener, Role::Attendee, Role::CoHost, Role::Host];

/// A meeting in which `me` and `other` have these roles, and one more waits.
fn meeting_of(mine: Role, theirs: Role) -> (World, ParticipantId, ParticipantId, ParticipantId) {
    let mut world = World::with(OPEN);
    let founder = world.host("Founder");
    let (me, other) = (world.by_link("Me"), world.by_link("Other"));
    let waiting = world.knock("Waiting", Entry::Number, None).unwrap();
    for (who, role) in [(me, mine), (other, theirs)] {
        if world.participant(who).role != role {
            world.done(founder, give(who, role));
        }
    }
    (world, me, other, waiting)
}

/// What a role is refused of what needs no other.
fn own(waiting: ParticipantId) -> Vec<(Action, Command)> {
    vec![
        (Action::Publish, microphone(true)),
        (Action::RaiseHand, Command::SetHand { raised: true }),
        (Action::Chat, say("hello")),
        (Action::Admit, Command::Admit { participant: waiting }),
        (Action::Admit, Command::Deny { participant: waiting }),
        (Action::Admit, Command::AdmitAll),
        (Action::Mute, Command::MuteAll { may_unmute: true }),
        (Action::Remove, Command::Remove { participant: waiting, ban: true }),
        (Action::SetPolicy, rules(Policy { locked: true, ..OPEN })),
        (Action::SuspendAll, Command::SuspendAll),
        (Action::Record, Command::StartRecording),
        (Action::Record, Command::StopRecording),
        (Action::Record, Command::Mark { text: "here".into() }),
        (Action::ReadLog, Command::ReadLog),
        (Action::End, Command::End),
    ]
}

fn on_another(other: ParticipantId, theirs: Role) -> Vec<(Action, Command)> {
    let mut all = vec![
        (Action::Mute, Command::Mute { participant: other, source: Source::Camera }),
        (Action::LowerHand, Command::LowerHand { participant: other }),
        (Action::RenameOthers, Command::Rename { participant: other, name: "Else".into() }),
        (Action::NameHosts, give(other, Role::CoHost)),
        (Action::NameHosts, give(other, Role::Host)),
        (Action::Remove, Command::Remove { participant: other, ban: false }),
        (Action::Remove, Command::Remove { participant: other, ban: true }),
        (Action::SendToWaitingRoom, Command::SendToWaitingRoom { participant: other }),
        (Action::Spotlight, Command::SetSpotlight { participant: other, on: true }),
    ];
    if theirs >= Role::CoHost {
        all.push((Action::NameHosts, give(other, Role::Attendee)));
    } else {
        all.push((Action::SetSpeaker, give(other, Role::Listener)));
    }
    if permits(theirs, Action::Publish) {
        all.push((Action::AskToUnmute, Command::AskToUnmute { participant: other, source: Source::Camera }));
    }
    all
}

// acceptance: M4
#[test]
fn every_role_may_do_what_the_table_says_and_nothing_else() {
    for mine in ROLES {
        let (_, _, _, waiting) = meeting_of(mine, Role::Attendee);
        for (action, command) in own(waiting) {
            let (mut world, me, ..) = meeting_of(mine, Role::Attendee);
            let refused = world.ask(me, command.clone()) == Err(RefusalCode::NotPermitted);
            assert_eq!(!refused, permits(mine, action), "{mine:?} {command:?}");
            assert_eq!(world.meeting.permits(me, action), permits(mine, action) && !world.ended);
        }
    }
}

// acceptance: M4
#[test]
fn every_role_may_do_to_others_what_the_table_says_and_nothing_else() {
    for mine in ROLES {
        for theirs in ROLES {
            let (_, _, other, _) = meeting_of(mine, theirs);
            for (action, command) in on_another(other, theirs) {
                let (mut world, me, ..) = meeting_of(mine, theirs);
                let before = world.stored.clone();
                let refused = world.ask(me, command.clone()) == Err(RefusalCode::NotPermitted);
                assert_eq!(!refused, permits_on(mine, action, theirs), "{mine:?} on {theirs:?}: {command:?}");
                assert!(!refused || world.stored == before, "refused, yet something changed");
            }
        }
    }
}
