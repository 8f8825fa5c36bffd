//! The one table of who may do what. Knows roles, actions and rules; nothing of seats or messages.

use crate::ids::Source;
use crate::protocol::Policy;
use crate::role::Role;

/// What somebody may want to do. Turning a source of one's own off and leaving need no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Turn a source of one's own on.
    Publish,
    /// Raise or lower one's own hand.
    RaiseHand,
    /// Write to the chat.
    Chat,
    /// Change one's own name.
    RenameSelf,
    /// Let in who waits, or turn away; see who waits.
    Admit,
    /// Turn a source of somebody else off, or all microphones.
    Mute,
    /// Ask somebody to turn a source on.
    AskToUnmute,
    /// Lower somebody else's hand.
    LowerHand,
    /// Change somebody else's name.
    RenameOthers,
    /// Make an attendee a listener, or a listener an attendee.
    SetSpeaker,
    /// Name and dismiss hosts and co-hosts.
    NameHosts,
    /// Send somebody out, also for good.
    Remove,
    /// Send somebody back to the waiting room.
    SendToWaitingRoom,
    /// Put somebody's video large on everybody's page.
    Spotlight,
    /// Change the rules, the lock among them.
    SetPolicy,
    /// Stop everything at once.
    SuspendAll,
    /// Start, pause, resume and stop a recording, and mark places in it.
    Record,
    /// Read the moderation log.
    ReadLog,
    /// End the meeting for everybody.
    End,
}

impl Action {
    /// All of them, in the order of the documented table.
    pub const ALL: [Action; 19] = [
        Action::Publish,
        Action::RaiseHand,
        Action::Chat,
        Action::RenameSelf,
        Action::Admit,
        Action::Mute,
        Action::AskToUnmute,
        Action::LowerHand,
        Action::RenameOthers,
        Action::SetSpeaker,
        Action::NameHosts,
        Action::Remove,
        Action::SendToWaitingRoom,
        Action::Spotlight,
        Action::SetPolicy,
        Action::SuspendAll,
        Action::Record,
        Action::ReadLog,
        Action::End,
    ];
}

/// A row of the table.
struct Row {
    listener: bool,
    attendee: bool,
    co_host: bool,
    host: bool,
    /// The highest role that a co-host may do it to. A host may do it to everybody.
    reach: Role,
}

const Y: bool = true;
const N: bool = false;

const fn row(listener: bool, attendee: bool, co_host: bool, host: bool, reach: Role) -> Row {
    Row { listener, attendee, co_host, host, reach }
}

/// The table. A co-host takes nothing from a host, and sends no other co-host out.
#[rustfmt::skip]
const fn table(action: Action) -> Row {
    match action { //                   listener attendee co-host host  a co-host's reach
        Action::Publish           => row(N,      Y,       Y,      Y,    Role::Host),
        Action::RaiseHand         => row(Y,      Y,       Y,      Y,    Role::Host),
        Action::Chat              => row(Y,      Y,       Y,      Y,    Role::Host),
        Action::RenameSelf        => row(Y,      Y,       Y,      Y,    Role::Host),
        Action::Admit             => row(N,      N,       Y,      Y,    Role::Host),
        Action::Mute              => row(N,      N,       Y,      Y,    Role::CoHost),
        Action::AskToUnmute       => row(N,      N,       Y,      Y,    Role::Host),
        Action::LowerHand         => row(N,      N,       Y,      Y,    Role::Host),
        Action::RenameOthers      => row(N,      N,       Y,      Y,    Role::CoHost),
        Action::SetSpeaker        => row(N,      N,       Y,      Y,    Role::Attendee),
        Action::NameHosts         => row(N,      N,       N,      Y,    Role::Host),
        Action::Remove            => row(N,      N,       Y,      Y,    Role::Attendee),
        Action::SendToWaitingRoom => row(N,      N,       Y,      Y,    Role::Attendee),
        Action::Spotlight         => row(N,      N,       Y,      Y,    Role::Host),
        Action::SetPolicy         => row(N,      N,       Y,      Y,    Role::Host),
        Action::SuspendAll        => row(N,      N,       Y,      Y,    Role::Host),
        Action::Record            => row(N,      N,       Y,      Y,    Role::Host),
        Action::ReadLog           => row(N,      N,       Y,      Y,    Role::Host),
        Action::End               => row(N,      N,       N,      Y,    Role::Host),
    }
}

/// Whether a role permits an action at all.
#[must_use]
pub const fn permits(role: Role, action: Action) -> bool {
    let row = table(action);
    match role {
        Role::Listener => row.listener,
        Role::Attendee => row.attendee,
        Role::CoHost => row.co_host,
        Role::Host => row.host,
    }
}

/// Whether a role permits an action on somebody else of the role `on`.
#[must_use]
pub fn permits_on(role: Role, action: Action, on: Role) -> bool {
    permits(role, action) && (role == Role::Host || on <= table(action).reach)
}

/// What a rule of the meeting can forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// [`Policy::may_unmute`]
    Unmute,
    /// [`Policy::may_show_camera`]
    ShowCamera,
    /// [`Policy::may_share`]
    Share,
    /// [`Policy::may_chat`]
    Chat,
    /// [`Policy::may_rename`]
    Rename,
}

impl Rule {
    /// The rule that a source comes under.
    #[must_use]
    pub const fn of(source: Source) -> Self {
        match source {
            Source::Microphone => Rule::Unmute,
            Source::Camera => Rule::ShowCamera,
            Source::Screen | Source::ScreenAudio => Rule::Share,
        }
    }
}

/// Whether the rules bind a role: hosts and co-hosts are exempt.
#[must_use]
pub const fn exempt(role: Role) -> bool {
    matches!(role, Role::CoHost | Role::Host)
}

/// Whether the rules let a role do what `rule` is about.
#[must_use]
pub const fn allows(policy: &Policy, role: Role, rule: Rule) -> bool {
    exempt(role)
        || match rule {
            Rule::Unmute => policy.may_unmute,
            Rule::ShowCamera => policy.may_show_camera,
            Rule::Share => policy.may_share,
            Rule::Chat => policy.may_chat,
            Rule::Rename => policy.may_rename,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 4] = [Role::Listener, Role::Attendee, Role::CoHost, Role::Host];

    #[test]
    fn a_higher_role_permits_all_that_a_lower_one_does() {
        for action in Action::ALL {
            for pair in ROLES.windows(2) {
                assert!(!permits(pair[0], action) || permits(pair[1], action), "{action:?} {pair:?}");
            }
        }
    }

    #[test]
    fn a_co_host_may_all_but_end_and_name_hosts() {
        let refused: Vec<_> = Action::ALL.into_iter().filter(|action| !permits(Role::CoHost, *action)).collect();
        assert_eq!(refused, [Action::NameHosts, Action::End]);
    }

    #[test]
    fn a_co_host_takes_nothing_from_a_host_and_sends_no_co_host_out() {
        for action in [Action::Mute, Action::RenameOthers, Action::Remove, Action::SendToWaitingRoom] {
            assert!(!permits_on(Role::CoHost, action, Role::Host), "{action:?}");
            assert!(permits_on(Role::Host, action, Role::Host), "{action:?}");
            assert!(permits_on(Role::CoHost, action, Role::Attendee), "{action:?}");
        }
        assert!(!permits_on(Role::CoHost, Action::Remove, Role::CoHost));
        assert!(!permits_on(Role::CoHost, Action::SendToWaitingRoom, Role::CoHost));
        assert!(permits_on(Role::CoHost, Action::LowerHand, Role::Host));
        assert!(permits_on(Role::CoHost, Action::AskToUnmute, Role::Host));
    }

    #[test]
    fn nobody_without_a_right_gets_it_from_the_reach() {
        for action in Action::ALL {
            for on in ROLES {
                for role in ROLES.into_iter().filter(|role| !permits(*role, action)) {
                    assert!(!permits_on(role, action, on));
                }
            }
        }
    }

    #[test]
    fn rules_bind_attendees_and_listeners_only() {
        let nothing = Policy {
            waiting_room: true,
            locked: true,
            may_unmute: false,
            may_show_camera: false,
            may_share: false,
            may_chat: false,
            may_rename: false,
            mute_on_entry: true,
        };
        for rule in [Rule::Unmute, Rule::ShowCamera, Rule::Share, Rule::Chat, Rule::Rename] {
            assert!(!allows(&nothing, Role::Listener, rule));
            assert!(!allows(&nothing, Role::Attendee, rule));
            assert!(allows(&nothing, Role::CoHost, rule));
            assert!(allows(&nothing, Role::Host, rule));
        }
    }
}
