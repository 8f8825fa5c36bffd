//! What reaches a live meeting, and the seat that a socket holds in it. Knows no rules.

use super::outbox::{ConnectionId, Outbox};
use super::refusal::Refusal;
use signaling::ids::ParticipantId;
use signaling::meeting::{Counts, Knock, RecordingCommand};
use signaling::protocol::{Command, MeetingInfo, Policy};
use std::fmt;
use tokio::sync::{mpsc, oneshot};

/// What may wait for a meeting. A full mailbox makes sockets wait, and their clients with them.
pub(super) const MAILBOX: usize = 1024;

/// How somebody comes.
pub enum Door {
    /// For the first time, by a right that was checked.
    Knock(Knock),
    /// Back to a seat.
    Resume {
        /// The seat's secret.
        seat: String,
        /// The last event seen.
        last_event: u64,
    },
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both hold secrets.
        f.write_str(match self {
            Door::Knock(_) => "Knock",
            Door::Resume { .. } => "Resume",
        })
    }
}

/// A meeting as it is now, for REST.
#[derive(Debug, Clone)]
pub struct Description {
    /// What may be known from outside.
    pub info: MeetingInfo,
    /// The rules.
    pub policy: Policy,
    /// How many are where.
    pub counts: Counts,
    /// Whether it is recorded.
    pub recorded: bool,
    /// Whether it is, or will be by itself.
    pub to_be_recorded: bool,
}

/// What reaches a meeting.
#[derive(Debug)]
pub(super) enum Mail {
    Enter {
        door: Door,
        outbox: Outbox,
        answer: oneshot::Sender<Result<ParticipantId, Refusal>>,
    },
    Command {
        participant: ParticipantId,
        connection: ConnectionId,
        id: u64,
        command: Command,
    },
    Disconnected {
        participant: ParticipantId,
        connection: ConnectionId,
    },
    Describe {
        answer: oneshot::Sender<Description>,
    },
    Record {
        what: RecordingCommand,
        only: Option<String>,
        answer: oneshot::Sender<Result<String, Refusal>>,
    },
    /// An account may not be here any more; answered when it is out.
    ShutOut {
        account: i64,
        answer: oneshot::Sender<()>,
    },
    End,
    Stop,
}

/// A socket's seat.
#[derive(Debug)]
pub struct Seat {
    pub(super) mailbox: mpsc::Sender<Mail>,
    pub(super) participant: ParticipantId,
    pub(super) connection: ConnectionId,
}

impl Seat {
    /// Whose.
    #[must_use]
    pub const fn participant(&self) -> ParticipantId {
        self.participant
    }

    /// Passes a command on; false when the meeting is no more.
    pub async fn command(&self, id: u64, command: Command) -> bool {
        let mail = Mail::Command { participant: self.participant, connection: self.connection, id, command };
        self.mailbox.send(mail).await.is_ok()
    }

    /// The socket is gone; the seat is kept for a while.
    pub async fn disconnected(self) {
        let mail = Mail::Disconnected { participant: self.participant, connection: self.connection };
        // A meeting that is no more needs not hear it.
        let _ = self.mailbox.send(mail).await;
    }
}
