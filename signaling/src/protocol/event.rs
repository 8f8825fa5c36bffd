//! What clients are told.

use crate::ids::{Epoch, Millis, ParticipantId, Source, TrackId};
use crate::protocol::command::Audience;
use crate::protocol::quality::Connection;
use crate::protocol::recording::{Recording, RecordingEnd, RecordingEndReason};
use crate::protocol::snapshot::{MeetingInfo, Participant, Policy, PolicyField, WaitingPerson};
use crate::role::Role;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// What a command returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// Done; nothing to say.
    Done,
    /// The SDP answer to an offer.
    Answer {
        /// The SDP.
        sdp: String,
    },
    /// What became of [`crate::protocol::Command::AdmitAll`]: it stops where the meeting is full.
    Admitted {
        /// How many came in.
        admitted: u16,
        /// How many wait still.
        waiting: u16,
    },
    /// The moderation log, oldest first.
    Log {
        /// Its entries.
        entries: Vec<LogEntry>,
    },
}

/// What happened. Sent in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// You knocked and wait. Sent again when something about the wait changes.
    Waiting {
        /// You.
        you: ParticipantId,
        /// The secret of your seat, for [`crate::protocol::Join::Resume`].
        seat: String,
        /// What may be known from outside.
        meeting: MeetingInfo,
        /// Whether a host is there who could let you in.
        host_present: bool,
        /// Whether the meeting is recorded.
        recorded: bool,
    },
    /// You are in: everything there is to know. Sent after admission and after a resume whose
    /// missed events are gone; replaces all state that the client holds.
    Welcome {
        /// You.
        you: ParticipantId,
        /// The secret of your seat.
        seat: String,
        /// The admission.
        epoch: Epoch,
        /// What may be known from outside, too.
        meeting: MeetingInfo,
        /// The rules.
        policy: Policy,
        /// Everybody admitted, you among them, in the order of their ids.
        participants: Vec<Participant>,
        /// Who waits; empty for those who may not admit.
        waiting: Vec<WaitingPerson>,
        /// The chat since your admission that you may read, oldest first.
        chat: Vec<ChatMessage>,
        /// Number of video and sound slots to offer.
        slots: SlotCounts,
        /// The recording under way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recording: Option<Recording>,
    },
    /// Somebody came in, or is back from a lost connection.
    Joined {
        /// Who.
        participant: Participant,
    },
    /// Something about a participant changed: name, role, sources, hand, spotlight, connection.
    Updated {
        /// As it is now.
        participant: Participant,
    },
    /// A host turned sources of many off at once: each of these sources of each of these participants is off now.
    TurnedOff {
        /// Whose, in the order of their ids.
        participants: Vec<ParticipantId>,
        /// Which.
        sources: Vec<Source>,
    },
    /// Somebody is no longer in.
    Left {
        /// Who.
        participant: ParticipantId,
    },
    /// To those who may admit: somebody knocked.
    Knocked {
        /// Who.
        person: WaitingPerson,
    },
    /// To those who may admit: somebody no longer waits.
    KnockEnded {
        /// Who.
        participant: ParticipantId,
    },
    /// The rules changed.
    PolicyChanged {
        /// As they are now.
        policy: Policy,
        /// By whom; absent where the server did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ParticipantId>,
    },
    /// A recording began, ended, or stands otherwise.
    RecordingChanged {
        /// As it is now; absent where nothing is recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recording: Option<Recording>,
        /// By whom; absent where the server did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ParticipantId>,
        /// The one that ended, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<RecordingEnd>,
    },
    /// Somebody wrote.
    Chat {
        /// What.
        message: ChatMessage,
    },
    /// A host turned a source of yours off.
    Muted {
        /// Which.
        source: Source,
        /// Who did it.
        by: ParticipantId,
    },
    /// A host asks you to turn a source on.
    AskedToUnmute {
        /// Which.
        source: Source,
        /// Who asks.
        by: ParticipantId,
    },
    /// You are out; the socket closes after this.
    Out {
        /// Why.
        reason: OutReason,
    },
}

/// Why somebody is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutReason {
    /// Left by one's own wish.
    Left,
    /// Turned away at the door.
    Denied,
    /// Removed; may knock again.
    Removed,
    /// Removed for good.
    Banned,
    /// The meeting ended.
    Ended,
    /// The same seat was taken up by a newer connection.
    Replaced,
    /// The server stops.
    ServerStopping,
}

/// One message of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Rising within the meeting.
    pub id: u64,
    /// Whose.
    pub from: ParticipantId,
    /// The name at that time, since its bearer may have left.
    pub name: String,
    /// To whom.
    pub to: Audience,
    /// When.
    pub at: Millis,
    /// Plain text.
    pub text: String,
}

/// One entry of the moderation log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// When.
    pub at: Millis,
    /// By whom; absent where the server did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ParticipantId>,
    /// That one's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    /// A stable word: `admit`, `deny`, `mute`, `mute-all`, `ask-to-unmute`, `lower-hand`, `rename`, `set-role`, `remove`,
    /// `ban`, `send-to-waiting-room`, `set-spotlight`, `set-policy`, `suspend-all`, `start-recording`, `pause-recording`,
    /// `resume-recording`, `stop-recording`, `mark`, `end`.
    pub action: String,
    /// Whom it concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<ParticipantId>,
    /// That one's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_name: Option<String>,
    /// What exactly.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_detail")]
    pub detail: Option<LogDetail>,
}

/// What exactly somebody did; the client has the words for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LogDetail {
    /// Of `mute`, `ask-to-unmute`.
    Source {
        /// Which.
        source: Source,
    },
    /// Of `set-role`.
    Role {
        /// The new one.
        role: Role,
    },
    /// Of `rename`.
    Name {
        /// The new one.
        name: String,
    },
    /// Of `set-spotlight`.
    Spotlight {
        /// Whether it went on.
        on: bool,
    },
    /// Of `set-policy`, `mute-all`.
    Policy {
        /// Those that this concerned.
        changes: Vec<PolicyChange>,
    },
    /// Of `stop-recording`.
    Recording {
        /// Why it ended.
        why: RecordingEndReason,
    },
    /// Of `mark`.
    Mark {
        /// What it is called.
        text: String,
    },
}

/// A rule and its new value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// Which.
    pub field: PolicyField,
    /// Whether it is on now.
    pub on: bool,
}

/// A log may have been written by another version: its entry stays, without what nobody here understands.
fn known_detail<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LogDetail>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Detail {
        Known(LogDetail),
        Other(IgnoredAny),
    }
    Ok(match Option::<Detail>::deserialize(deserializer)? {
        Some(Detail::Known(detail)) => Some(detail),
        Some(Detail::Other(_)) | None => None,
    })
}

/// How many receive slots to offer (design §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotCounts {
    /// Videos.
    pub video: u8,
    /// Sounds: the loudest and the pinned.
    pub audio: u8,
}

/// What the media plane reports to one client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum MediaEvent {
    /// Which track each receive slot carries now; complete, so it replaces the last.
    Slots {
        /// Slots without a track are left out.
        slots: Vec<Slot>,
    },
    /// Who speaks, loudest first; empty when nobody does.
    Speakers {
        /// Who.
        participants: Vec<ParticipantId>,
    },
    /// How good connections are; complete, so it replaces the last.
    Quality {
        /// Those that are not good, of all whom one sees, and one's own.
        connections: Vec<Connection>,
        /// What the server takes one's own downlink to carry, in kbit/s; absent before it knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        downlink_kbps: Option<u32>,
    },
    /// The state of one's own media session.
    Session {
        /// As it is now.
        state: SessionState,
    },
    /// Which of one's own layers somebody watches, so that the rest need not be sent.
    Wanted {
        /// Which source.
        source: Source,
        /// The height the largest watcher's tile has; 0 when nobody watches.
        height: u16,
    },
}

/// What a receive slot carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// The media section's `a=mid`.
    pub mid: String,
    /// The track in it.
    #[serde(flatten)]
    pub track: TrackId,
    /// Why no picture flows although it is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseReason>,
}

/// Why a wanted video does not flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseReason {
    /// The subscriber's link has no room for it.
    Bandwidth,
    /// The server has too much to do to send it.
    Overload,
    /// The publisher sends no packets.
    NoPackets,
    /// Sender and receiver share no codec.
    Codec,
}

/// The state of a media session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// ICE and DTLS are under way.
    Connecting,
    /// Media flows.
    Connected,
    /// No consent for 5 s; an ICE restart may bring it back.
    Disconnected,
    /// It will not come back; make a new peer connection.
    Failed,
}
