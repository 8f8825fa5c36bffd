//! What the meeting asks its caller to do, and what the caller asks it. Plain data.

use crate::ids::{Epoch, ParticipantId, Source};
use crate::protocol::{RecordingEndReason, RecordingTrouble, ServerMessage};
use crate::role::Role;
use serde::{Deserialize, Serialize};

/// What the caller must do, in the order in which it comes out.
///
/// What stops media ([`Effect::SetGate`] closed, [`Effect::EndMedia`]) comes before every message that
/// speaks of it, and [`Effect::Persist`] before the reply to the command that made it necessary: a
/// caller that waits for the worker's acknowledgement and for the store before it goes on never
/// tells anybody of something that is not yet true.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a message to a participant's socket.
    Send {
        /// To whom.
        to: ParticipantId,
        /// What; events bear their number already.
        message: ServerMessage,
    },
    /// The seat was taken up by a newer connection: send this to the older socket and close it. Every
    /// later [`Effect::Send`] is for the newer one.
    Replace {
        /// Whose.
        participant: ParticipantId,
        /// The last message for the older socket.
        message: ServerMessage,
    },
    /// Close a participant's socket once all that was sent is written.
    CloseSocket {
        /// Whose.
        participant: ParticipantId,
    },
    /// Forward a source's packets from now on, or no more.
    SetGate {
        /// Whose.
        participant: ParticipantId,
        /// The admission that it belongs to.
        epoch: Epoch,
        /// Which.
        source: Source,
        /// Forward or not.
        open: bool,
    },
    /// End the media session of an admission: nothing of it passes any more, in either direction.
    EndMedia {
        /// Whose.
        participant: ParticipantId,
        /// The admission that is over.
        epoch: Epoch,
    },
    /// Record all that passes open gates from now on.
    StartRecording {
        /// Its name: letters, digits and dashes where the meeting's id has no others.
        id: String,
    },
    /// Keep nothing for now.
    PauseRecording {
        /// Of which.
        id: String,
    },
    /// Go on with a recording that was paused.
    ResumeRecording {
        /// Which.
        id: String,
    },
    /// End a recording.
    StopRecording {
        /// Which.
        id: String,
    },
    /// Mark this place of a recording.
    MarkRecording {
        /// Of which.
        id: String,
        /// What it is called.
        text: String,
    },
    /// Whoever comes with this identity ([`Knock::identity`]) may not see any more what is kept of the meeting.
    Banned {
        /// Which.
        identity: String,
    },
    /// Something that must survive a restart changed: store [`super::Meeting::snapshot`].
    Persist,
    /// The meeting is over; nothing follows.
    Ended,
}

/// What is to become of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingCommand {
    /// It begins.
    Start,
    /// Nothing is kept for now.
    Pause,
    /// The pause is over.
    Resume,
    /// It ends.
    Stop,
}

/// What the caller says of a recording that it carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingNews {
    /// Something keeps it from going on, or no more.
    Trouble(Option<RecordingTrouble>),
    /// It ended by itself, or could not begin.
    Ended(RecordingEndReason),
}

/// Somebody at the door.
#[derive(Clone)]
pub struct Knock {
    /// As typed.
    pub name: String,
    /// By which right; the caller has checked it.
    pub entry: Entry,
    /// Who is signed in; nobody is a guest. Who is shut out of the server loses the seat by it ([`super::Meeting::shut_out`]).
    pub account: Option<i64>,
    /// What stays the same when this browser or account comes again; bans hold by it.
    pub identity: Option<String>,
    /// The secret of the new seat: at least 128 random bits, made by the caller, never used before.
    pub seat_secret: String,
}

/// The way somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// By the meeting's link.
    Link,
    /// By the meeting's number.
    Number,
    /// As the host.
    Host,
}

/// What a participant's media session may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRights {
    /// The admission; the session ends with it.
    pub epoch: Epoch,
    /// A listener's session sends nothing.
    pub role: Role,
    /// The sources whose packets are forwarded from the start.
    pub open_gates: Vec<Source>,
}

/// How many are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// With a seat inside, connected or not.
    pub admitted: usize,
    /// In the waiting room, connected or not.
    pub waiting: usize,
    /// Sockets, of both.
    pub connected: usize,
}
