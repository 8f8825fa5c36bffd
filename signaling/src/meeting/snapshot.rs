//! What survives a restart of the server. Knows nothing of where it is stored.

use crate::ids::{Millis, ParticipantId};
use crate::meeting::chat::Chat;
use crate::meeting::seat::{Seat, SeatSecret};
use crate::meeting::settings::MeetingSettings;
use crate::protocol::{LogEntry, Policy};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A meeting at rest: seats, roles, mutes, hands, lock, bans, rules, chat and moderation log. Made by
/// [`super::Meeting::snapshot`]; whatever serde writes, it reads again.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MeetingSnapshot(State);

impl MeetingSnapshot {
    pub(super) const fn of(state: State) -> Self {
        Self(state)
    }

    pub(super) fn into_state(self) -> State {
        self.0
    }

    /// Whether the meeting is over: then there is nothing to restore it for but its log and chat.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.0.ended
    }
}

/// The durable part of a meeting. Connections, buffered events and rates are left out by the seats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) settings: MeetingSettings,
    pub(super) started_at: Millis,
    pub(super) ended: bool,
    pub(super) policy: Policy,
    pub(super) last_participant: u32,
    pub(super) seats: BTreeMap<ParticipantId, Seat>,
    /// When the last hand went up, so that no two went up at once and the queue has an order.
    pub(super) last_hand: Millis,
    pub(super) banned: Banned,
    pub(super) chat: Chat,
    pub(super) log: VecDeque<LogEntry>,
    /// Whether the meeting is to be recorded while somebody is in it.
    #[serde(default)]
    pub(super) records: bool,
    /// When the last recording began, so that no two have the same name.
    #[serde(default)]
    pub(super) last_recording: Millis,
}

/// Who may not come back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Banned {
    pub(super) identities: BTreeSet<String>,
    /// Only to say so: the seat itself is gone.
    pub(super) seats: BTreeSet<SeatSecret>,
}

impl State {
    pub(super) fn new(settings: MeetingSettings, now: Millis) -> Self {
        Self {
            policy: settings.policy,
            records: settings.auto_record,
            settings,
            started_at: now,
            ended: false,
            last_participant: 0,
            seats: BTreeMap::new(),
            last_hand: Millis(0),
            banned: Banned::default(),
            chat: Chat::default(),
            log: VecDeque::new(),
            last_recording: Millis(0),
        }
    }
}
