//! The two containers behind one name: VP8 goes to WebM, since no browser plays it in MP4, all else to fragmented MP4.
//! Knows no file.

use crate::codec::Config;
use crate::frame::{Codec, Part};
use crate::scan::Scan;
use crate::{mp4, webm};
use std::io::{Read, Result, Seek};

/// What a file is made as.
#[derive(Debug)]
pub enum Container {
    /// Fragmented MP4.
    Mp4(mp4::Writer),
    /// WebM.
    WebM(webm::Writer),
}

/// Bytes that take the place of others in a file, once its length is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where.
    pub at: u64,
    /// As many as stood there.
    pub bytes: Vec<u8>,
}

impl Container {
    /// For frames that begin with a key frame of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        match config {
            Config::Vp8(config) => Self::WebM(webm::Writer::new(config)),
            _ => Self::Mp4(mp4::Writer::new(config)),
        }
    }

    /// How names of such files end.
    #[must_use]
    pub const fn ending(codec: Codec) -> &'static str {
        match codec {
            Codec::Vp8 => "webm",
            _ => "mp4",
        }
    }

    /// What a file begins with.
    #[must_use]
    pub fn init(&self) -> &[u8] {
        match self {
            Self::Mp4(writer) => writer.init(),
            Self::WebM(writer) => writer.init(),
        }
    }

    /// A part as it stands in the file.
    pub fn part(&mut self, part: &Part) -> Vec<u8> {
        match self {
            Self::Mp4(writer) => writer.part(part),
            Self::WebM(writer) => webm::Writer::part(writer, part),
        }
    }

    /// Says when the file ends, in ticks of its codec.
    #[must_use]
    pub fn ends(&self, end: u64) -> Option<Patch> {
        match self {
            Self::Mp4(writer) => mp4::ends(writer.init(), end),
            Self::WebM(writer) => webm::ends(writer.init(), end),
        }
    }

    /// Reads a file as far as it is whole.
    ///
    /// # Errors
    /// When it can't be read at all; what stands in it is never an error.
    pub fn scan(codec: Codec, file: &mut (impl Read + Seek)) -> Result<Scan> {
        match codec {
            Codec::Vp8 => webm::scan(file),
            _ => mp4::scan(file),
        }
    }

    /// Goes on behind what was found before in the same file: one that grows is read once.
    ///
    /// # Errors
    /// As [`Container::scan`].
    pub fn scan_on(codec: Codec, file: &mut (impl Read + Seek), found: Scan) -> Result<Scan> {
        match codec {
            Codec::Vp8 => webm::scan_on(file, found),
            _ => mp4::scan_on(file, found),
        }
    }

    /// As [`Container::ends`], for a file of which only the first bytes are known.
    #[must_use]
    pub fn ends_in(codec: Codec, init: &[u8], end: u64) -> Option<Patch> {
        match codec {
            Codec::Vp8 => webm::ends(init, end),
            _ => mp4::ends(init, end),
        }
    }
}
