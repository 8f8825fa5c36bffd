//! The names of things in a meeting. Knows nothing of who they belong to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A participant of one meeting, numbered from 1 in the order of their first knock; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId(pub u32);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a track shows or carries. A participant has at most one track of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The voice.
    Microphone,
    /// The face.
    Camera,
    /// A shared screen, window or tab.
    Screen,
    /// The sound of the shared tab or system.
    ScreenAudio,
}

impl Source {
    /// All of them, in the order in which a client offers them.
    pub const ALL: [Source; 4] = [Source::Microphone, Source::Camera, Source::Screen, Source::ScreenAudio];

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Source::Microphone => "microphone",
            Source::Camera => "camera",
            Source::Screen => "screen",
            Source::ScreenAudio => "screen-audio",
        }
    }

    /// Whether it is sound.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self, Source::Microphone | Source::ScreenAudio)
    }
}

/// One source of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrackId {
    /// Whose.
    pub participant: ParticipantId,
    /// Which.
    pub source: Source,
}

/// Counts the times a participant was let in. What belongs to an earlier admission passes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

/// Milliseconds since the Unix epoch, as the caller told them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This moment and `milliseconds` more.
    #[must_use]
    pub const fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}
