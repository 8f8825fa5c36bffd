//! How good connections are and why, in words that clients have sentences for.

use crate::ids::ParticipantId;
use serde::{Deserialize, Serialize};

/// How good somebody's connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Whose.
    pub participant: ParticipantId,
    /// How good.
    #[serde(flatten)]
    pub condition: Condition,
}

/// A step, and what makes it no better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// How good.
    pub quality: Quality,
    /// Why it is not good, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Condition {
    /// Nothing to notice.
    pub const GOOD: Self = Self { quality: Quality::Good, cause: None };

    /// The worse of two; the first where they are alike.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        if other.quality > self.quality { other } else { self }
    }
}

/// In four steps, as people read it, the best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Nothing to notice.
    #[default]
    Good,
    /// Something can be noticed.
    Fair,
    /// Hardly usable.
    Poor,
    /// Nothing is heard of it.
    Lost,
}

/// One direction of a connection, as its participant sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// From the participant to the server: all others notice.
    Uplink,
    /// From the server to the participant: nobody else notices.
    Downlink,
}

/// Why a connection is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Cause {
    /// Packets are lost on the way.
    Loss {
        /// On which.
        link: Link,
        /// Of a hundred.
        percent: u8,
    },
    /// Packets take long to the participant and back.
    Delay {
        /// Milliseconds.
        ms: u16,
    },
    /// The way is too narrow for what is wanted.
    Thin {
        /// Which.
        link: Link,
        /// What it carries, in kbit/s.
        kbps: u32,
    },
    /// The participant's machine is too slow for what it should send.
    Processor,
}

/// What keeps a client from sending all that is wanted of it, as only its browser knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SendLimit {
    /// Its uplink.
    Bandwidth {
        /// What the browser takes the uplink to carry, in kbit/s.
        kbps: u32,
    },
    /// Its machine.
    Processor,
}
