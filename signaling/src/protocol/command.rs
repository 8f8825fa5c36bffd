//! What a client may ask. Whether it may is decided by the permission table, not here.

use crate::ids::{ParticipantId, Source, TrackId};
use crate::protocol::quality::SendLimit;
use crate::protocol::snapshot::Policy;
use crate::role::Role;
use serde::{Deserialize, Serialize};

/// By which right somebody comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Join {
    /// With the link of the meeting.
    Link {
        /// The meeting's id, as in the link.
        meeting: String,
        /// The link's own secret.
        token: String,
    },
    /// With the 9-digit meeting number.
    Number {
        /// Nine digits; spaces and dashes are ignored.
        number: String,
        /// Where the meeting has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passcode: Option<String>,
    },
    /// As the host: the browser's cookie for this meeting says so (the host link's secret was
    /// exchanged for it), or the token of the API.
    Host {
        /// The meeting's id.
        meeting: String,
    },
    /// Back to a seat kept for 120 s after the connection was lost.
    Resume {
        /// The meeting's id.
        meeting: String,
        /// The seat's secret, from [`crate::protocol::Event::Waiting`] or [`crate::protocol::Event::Welcome`].
        seat: String,
        /// The number of the last event seen on this seat.
        last_event: u64,
    },
}

/// To whom a chat message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Audience {
    /// Everybody admitted.
    Everyone,
    /// Host and co-hosts.
    Hosts,
    /// One participant (and the sender).
    One {
        /// Whom.
        participant: ParticipantId,
    },
}

/// What a client may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Command {
    // For oneself.
    /// Turns one's own source on or off. Off always succeeds.
    SetSource {
        /// Which.
        source: Source,
        /// On or off.
        on: bool,
    },
    /// Raises or lowers one's own hand.
    SetHand {
        /// Up or down.
        raised: bool,
    },
    /// Leaves for good: the seat is not kept.
    Leave,
    /// Writes to the chat; 1 to 4,000 characters, or as many as the server's settings allow.
    SendChat {
        /// To whom.
        to: Audience,
        /// The text, plain.
        text: String,
    },

    // Media.
    /// Offers a peer connection (SDP). The first offer makes the session, a later one with new ICE
    /// credentials restarts ICE. Answered by [`crate::protocol::Outcome::Answer`].
    Offer {
        /// The SDP.
        sdp: String,
        /// Which `mid` carries which of one's own sources; the other media sections, `recvonly`, are slots.
        sends: Vec<SendSlot>,
    },
    /// A candidate of the client's (trickle ICE); an empty one ends them.
    Candidate {
        /// As in `RTCIceCandidate.candidate`.
        candidate: String,
    },
    /// Says which videos are on the page, in order of importance; replaces what was said before.
    Watch {
        /// What to see. What is not named is not sent.
        videos: Vec<Wish>,
    },
    /// Says what keeps the client from sending all that is wanted of it.
    TellLimit {
        /// What; absent where nothing does any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<SendLimit>,
    },

    // For hosts and co-hosts.
    /// Lets somebody in who waits.
    Admit {
        /// Whom.
        participant: ParticipantId,
    },
    /// Lets everybody in who waits.
    AdmitAll,
    /// Turns somebody away who waits.
    Deny {
        /// Whom.
        participant: ParticipantId,
    },
    /// Turns somebody's source off.
    Mute {
        /// Whose.
        participant: ParticipantId,
        /// Which.
        source: Source,
    },
    /// Turns all microphones off but those of hosts and co-hosts.
    MuteAll {
        /// Whether people may unmute themselves afterwards (sets the policy).
        may_unmute: bool,
    },
    /// Asks somebody to turn a source on.
    AskToUnmute {
        /// Whom.
        participant: ParticipantId,
        /// Which.
        source: Source,
    },
    /// Lowers somebody's hand.
    LowerHand {
        /// Whose.
        participant: ParticipantId,
    },
    /// Changes a name: one's own where the policy allows it, anybody's as a host.
    Rename {
        /// Whose.
        participant: ParticipantId,
        /// 1 to 64 characters after trimming.
        name: String,
    },
    /// Gives a role. Only the host names or dismisses co-hosts and hosts.
    SetRole {
        /// To whom.
        participant: ParticipantId,
        /// Which.
        role: Role,
    },
    /// Sends somebody out, on every channel, within a second.
    Remove {
        /// Whom.
        participant: ParticipantId,
        /// Whether they may not come back to this meeting.
        ban: bool,
    },
    /// Sends somebody back to the waiting room.
    SendToWaitingRoom {
        /// Whom.
        participant: ParticipantId,
    },
    /// Puts a participant's video large on everybody's page, or takes it back.
    SetSpotlight {
        /// Whose.
        participant: ParticipantId,
        /// On or off.
        on: bool,
    },
    /// Replaces the rules of the meeting.
    SetPolicy {
        /// All of them.
        policy: Policy,
    },
    /// Stops everything at once: microphones, cameras, shares and chat off, and the meeting locked.
    SuspendAll,
    /// Begins to record the meeting.
    StartRecording,
    /// Keeps nothing until [`Command::ResumeRecording`].
    PauseRecording,
    /// Ends a pause.
    ResumeRecording,
    /// Ends the recording.
    StopRecording,
    /// Marks this place of the recording.
    Mark {
        /// What it is called: 1 to 80 characters after trimming.
        text: String,
    },
    /// Asks for the moderation log; answered by [`crate::protocol::Outcome::Log`].
    ReadLog,
    /// Ends the meeting for everybody.
    End,
}

/// A media section that sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendSlot {
    /// The section's `a=mid`.
    pub mid: String,
    /// What it carries.
    pub source: Source,
}

/// A video that somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wish {
    /// Which.
    #[serde(flatten)]
    pub track: TrackId,
    /// Height of the tile in device pixels; decides the layer.
    pub height: u16,
}
