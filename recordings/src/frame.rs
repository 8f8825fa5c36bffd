//! The words of this package: a frame as it was coded, and a part of several. Knows no container.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a frame is coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// A packet of RFC 6716.
    Opus,
    /// A frame of RFC 6386.
    Vp8,
    /// A frame, or a superframe with its index.
    Vp9,
    /// NAL units, each after its length in four bytes, as ISO/IEC 14496-15 wants them.
    H264,
    /// A temporal unit without its delimiter, each OBU with its size.
    Av1,
    /// NAL units, each after its length in four bytes.
    Hevc,
    /// A frame of ISO/IEC 14496-3 as it stands in MP4, without a head of its own.
    Aac,
}

impl Codec {
    /// Those that browsers send.
    pub const OF_BROWSERS: [Codec; 5] = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

    /// Ticks per second: those of its RTP clock; of AAC the fewest in which samples of all its rates are whole, so that
    /// no time is ever rounded.
    #[must_use]
    pub const fn rate(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            // 2^9 × 3^2 × 5^3 × 7^2.
            Codec::Aac => 28_224_000,
            _ => 90_000,
        }
    }

    /// Sound rather than picture.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self, Codec::Opus | Codec::Aac)
    }

    /// A length in ticks as milliseconds.
    #[must_use]
    pub const fn ms(self, ticks: u64) -> u64 {
        ticks / (self.rate() as u64 / 1000)
    }
}

/// One coded picture, or one packet of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// With what.
    pub codec: Codec,
    /// When it begins to be decoded, in ticks of [`Codec::rate`] since the recording began.
    pub time: u64,
    /// How much later than that it is shown, in ticks; 0 where pictures are shown in the order in which they come.
    pub composition: i32,
    /// Whether one can begin to decode here. Sound always is.
    pub key: bool,
    /// Its bytes, in the form that [`Codec`] tells of.
    pub data: Bytes,
}

/// A frame in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Until the next one begins, in ticks.
    pub duration: u32,
    /// As in [`Frame`].
    pub composition: i32,
    /// As in [`Frame`].
    pub key: bool,
    /// As in [`Frame`].
    pub data: Bytes,
}

/// Frames that follow each other without a gap and are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// With what all of them are coded.
    pub codec: Codec,
    /// When it begins, in ticks since the recording began.
    pub time: u64,
    /// At least one.
    pub samples: Vec<Sample>,
}

impl Part {
    /// How long it is, in ticks.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.duration)).sum()
    }

    /// When it ends, in ticks since the recording began.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.time + self.duration()
    }

    /// Whether one can begin to decode with it.
    #[must_use]
    pub fn independent(&self) -> bool {
        self.samples.first().is_some_and(|sample| sample.key)
    }

    /// The bytes of all frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.iter().map(|sample| sample.data.len()).sum()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
