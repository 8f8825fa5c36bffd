//! The words that all protocols of encoders end in: formats and coded frames. Knows no protocol.

use bytes::Bytes;
use recordings::codec::Config;
use recordings::{Codec, Frame};

/// What the frames that follow are, and what their decoder must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// With what they are coded.
    pub codec: Codec,
    /// What [`Config::of_record`] reads, or `OpusHead`; empty for VP9, whose key frames say it all.
    pub record: Bytes,
}

impl Format {
    /// What the record says; `None` for VP9.
    #[must_use]
    pub fn config(&self) -> Option<Config> {
        Config::of_record(self.codec, &self.record)
    }

    /// Channels of sound; 0 where only the sound itself says how many.
    #[must_use]
    pub fn channels(&self) -> u8 {
        match self.config() {
            Some(Config::Aac(config)) => config.channels,
            Some(Config::Opus) => self.record.get(9).copied().unwrap_or(0),
            _ => 0,
        }
    }

    /// Samples of sound per second.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        match self.config() {
            Some(Config::Aac(config)) => config.rate,
            _ => self.codec.rate(),
        }
    }
}

/// What comes out of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What follows of sound or picture has this format. Comes before the first frame, and again when it changed.
    Format(Format),
    /// The next one of its track; its time is since the publisher's first frame and grows.
    Frame(Frame),
    /// Something came that is not taken; said once.
    Ignored(Ignored),
}

/// What of a push is not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// A picture or sound in a codec that no viewer could be given.
    Codec {
        /// Which of the two.
        sound: bool,
        /// Its usual name, or four characters.
        name: String,
    },
    /// Tracks beside the first picture and the first sound.
    MoreTracks,
}

/// Why somebody may not publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No broadcast has this key.
    WrongKey,
    /// Somebody else publishes with it.
    Busy,
    /// The server stops, or cannot look the key up.
    Unavailable,
}

impl Refused {
    /// What the encoder shows.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::WrongKey => "The stream key is wrong, or its broadcast is over.",
            Self::Busy => "Somebody else is publishing with this stream key.",
            Self::Unavailable => "The server takes no streams just now; try again later.",
        }
    }
}
