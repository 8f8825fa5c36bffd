//! The state that clients hold: the meeting, its rules, its people.

use crate::ids::{Millis, ParticipantId};
use crate::role::Role;
use serde::{Deserialize, Serialize};

/// What may be known from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeetingInfo {
    /// The id, as in the link.
    pub id: String,
    /// 0 to 200 characters.
    pub title: String,
    /// Nine digits.
    pub number: String,
    /// The link to share; absent for those who wait or came by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
    /// Since when it runs.
    pub started_at: Millis,
    /// How many may be in it (the plan's limit).
    pub capacity: u16,
}

/// The rules of a meeting. What is forbidden binds attendees and listeners; hosts and co-hosts are exempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// People who come must be let in.
    pub waiting_room: bool,
    /// Nobody comes in any more, not even from the waiting room; who has a seat keeps it.
    pub locked: bool,
    /// Who is muted may unmute himself.
    pub may_unmute: bool,
    /// Cameras may be turned on.
    pub may_show_camera: bool,
    /// Screens may be shared.
    pub may_share: bool,
    /// People may write to everyone and to each other; to hosts they always may.
    pub may_chat: bool,
    /// People may change their own name.
    pub may_rename: bool,
    /// People who come are muted.
    pub mute_on_entry: bool,
}

/// A rule, by its name in [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyField {
    /// [`Policy::waiting_room`]
    WaitingRoom,
    /// [`Policy::locked`]
    Locked,
    /// [`Policy::may_unmute`]
    MayUnmute,
    /// [`Policy::may_show_camera`]
    MayShowCamera,
    /// [`Policy::may_share`]
    MayShare,
    /// [`Policy::may_chat`]
    MayChat,
    /// [`Policy::may_rename`]
    MayRename,
    /// [`Policy::mute_on_entry`]
    MuteOnEntry,
}

/// Somebody admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub id: ParticipantId,
    /// Shown to all.
    pub name: String,
    /// What.
    pub role: Role,
    /// Not signed in.
    pub guest: bool,
    /// Is on.
    pub microphone: bool,
    /// Is on.
    pub camera: bool,
    /// Is on.
    pub screen: bool,
    /// Is on.
    pub screen_audio: bool,
    /// Since when the hand is up; the queue is in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_raised_at: Option<Millis>,
    /// Large on everybody's page.
    pub spotlight: bool,
    /// False while the seat is kept for somebody whose connection was lost.
    pub connected: bool,
    /// Since when in the meeting.
    pub joined_at: Millis,
}

/// Somebody in the waiting room, as hosts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPerson {
    /// Who.
    pub id: ParticipantId,
    /// The name given at the door.
    pub name: String,
    /// Not signed in.
    pub guest: bool,
    /// Since when.
    pub since: Millis,
    /// Was sent back from the meeting.
    pub sent_back: bool,
}
