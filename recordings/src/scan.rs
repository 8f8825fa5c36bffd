//! What a reader finds in a media file. Knows no container.

/// A part in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How many bytes it has.
    pub len: u64,
    /// When it begins, in ticks since the recording began.
    pub time: u64,
    /// How long it is, in ticks.
    pub duration: u64,
    /// Whether one can begin to decode with it.
    pub independent: bool,
    /// How many frames.
    pub frames: usize,
}

/// What stands in a file, as far as it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// The bytes before the first part; empty where not even these are whole.
    pub init: Vec<u8>,
    /// Its parts.
    pub parts: Vec<Entry>,
    /// How many bytes are whole: the rest was being written when the file was cut.
    pub whole: u64,
}

impl Scan {
    /// When its first frame begins, in ticks.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.parts.first().map_or(0, |part| part.time)
    }

    /// When its last frame ends, in ticks.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.parts.iter().map(|part| part.time + part.duration).max().unwrap_or(0)
    }

    /// How many frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.parts.iter().map(|part| part.frames).sum()
    }
}
