//! The chat: what was written and who may read it. Whether somebody may write is decided elsewhere.

use crate::ids::ParticipantId;
use crate::protocol::{Audience, ChatMessage};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// The newest messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Chat {
    /// How many were ever written.
    written: u64,
    kept: VecDeque<Kept>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    message: ChatMessage,
    /// Who it was for when it was written; who becomes a host later reads nothing of before.
    readers: Readers,
}

/// Who may read a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Readers {
    /// All who were inside.
    Everyone,
    /// These.
    These(BTreeSet<ParticipantId>),
}

impl Readers {
    pub(super) fn include(&self, participant: ParticipantId) -> bool {
        match self {
            Readers::Everyone => true,
            Readers::These(these) => these.contains(&participant),
        }
    }
}

impl Chat {
    /// The id that the next message gets.
    pub(super) const fn next_id(&self) -> u64 {
        self.written + 1
    }

    pub(super) fn keep(&mut self, message: ChatMessage, readers: Readers, bound: usize) {
        debug_assert_eq!(message.id, self.next_id());
        self.written = message.id;
        self.kept.push_back(Kept { message, readers });
        if self.kept.len() > bound {
            self.kept.pop_front();
        }
    }

    /// What somebody may read whose admission was before the message `from`.
    pub(super) fn readable(&self, reader: ParticipantId, from: u64) -> Vec<ChatMessage> {
        let since = self.kept.iter().filter(|kept| kept.message.id >= from);
        since.filter(|kept| kept.readers.include(reader)).map(|kept| kept.message.clone()).collect()
    }

    /// What everybody could read.
    pub(super) fn public(&self) -> impl Iterator<Item = &ChatMessage> {
        self.kept.iter().map(|kept| &kept.message).filter(|message| message.to == Audience::Everyone)
    }
}
