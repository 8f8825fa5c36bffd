//! The manifest: what a recording consists of, as records that are appended while it is made. Knows no file system.

use crate::frame::Codec;
use crate::journal;
use serde::{Deserialize, Serialize};

/// The version of the layout on disk that we write.
pub const VERSION: u32 = 1;

/// What is appended. Times are in milliseconds since the recording began, but for `started_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Record {
    /// The first record.
    Start {
        /// [`VERSION`]
        version: u32,
        /// The recording's id, which is also the name of its folder.
        id: String,
        /// What people call it.
        title: String,
        /// Time of day, in milliseconds since 1970.
        started_at: u64,
    },
    /// Something to record appeared.
    Track(Track),
    /// A file was begun; it is there when this is read.
    File(File),
    /// Pictures of a file have this size from here on.
    Size(Size),
    /// A file is complete.
    Closed(Closed),
    /// For a while nothing was kept.
    Gap(Gap),
    /// The last record.
    End(End),
}

/// One source of one participant, as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Counted from 1.
    pub track: u32,
    /// Whose.
    pub participant: u32,
    /// Their name when it began.
    pub name: String,
    /// Which of their sources.
    pub source: String,
    /// When it appeared.
    pub at_ms: u64,
}

/// A media file of a track: frames from a key frame on, in one codec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Counted from 1, over all tracks.
    pub file: u32,
    /// Of which track.
    pub track: u32,
    /// In the recording's folder.
    pub name: String,
    /// Of its frames.
    pub codec: Codec,
    /// What a browser is asked with (RFC 6381).
    pub codecs: String,
    /// When its first frame begins.
    pub at_ms: u64,
}

/// A size of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Of which file.
    pub file: u32,
    /// From when on.
    pub at_ms: u64,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

/// What a complete file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Which.
    pub file: u32,
    /// Its length.
    pub bytes: u64,
    /// When its first frame begins.
    pub start_ms: u64,
    /// When its last frame ends.
    pub end_ms: u64,
    /// How many.
    pub frames: u64,
}

/// Why for a while nothing was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// Somebody wanted it so.
    Paused,
    /// There was no room on the disk.
    DiskFull,
    /// The disk could not be written to.
    ReadOnly,
    /// The disk did not keep up.
    Slow,
    /// Something else went wrong with the disk.
    Failed,
}

/// A time in which nothing was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From when on.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// Why.
    pub why: GapReason,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// Somebody stopped it, or the meeting ended.
    Stopped,
    /// It became as large as it may.
    Quota,
    /// The server ended without saying so; this was found at its next start.
    Recovered,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at_ms: u64,
    /// Why.
    pub why: EndReason,
    /// Frames that came and were not kept, but for those of pauses.
    pub dropped: u64,
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The recording's id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Time of day, in milliseconds since 1970.
    pub started_at: u64,
    /// In the order in which they appeared.
    pub tracks: Vec<Track>,
    /// In the order in which they were begun.
    pub files: Vec<File>,
    /// In their order.
    pub sizes: Vec<Size>,
    /// Of the files that are complete.
    pub closed: Vec<Closed>,
    /// In their order.
    pub gaps: Vec<Gap>,
    /// Where it has ended.
    pub end: Option<End>,
}

impl Manifest {
    /// Reads the records that are whole; `None` where not even the first is, or another version wrote it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut records = journal::read::<Record>(bytes).into_iter();
        let Some(Record::Start { version: VERSION, id, title, started_at }) = records.next() else { return None };
        let mut manifest = Self {
            id,
            title,
            started_at,
            tracks: Vec::new(),
            files: Vec::new(),
            sizes: Vec::new(),
            closed: Vec::new(),
            gaps: Vec::new(),
            end: None,
        };
        for record in records {
            match record {
                Record::Start { .. } => {}
                Record::Track(track) => manifest.tracks.push(track),
                Record::File(file) => manifest.files.push(file),
                Record::Size(size) => manifest.sizes.push(size),
                Record::Closed(closed) => manifest.closed.push(closed),
                Record::Gap(gap) => manifest.gaps.push(gap),
                Record::End(end) => manifest.end = Some(end),
            }
        }
        Some(manifest)
    }

    /// What a complete file holds.
    #[must_use]
    pub fn closed(&self, file: u32) -> Option<&Closed> {
        self.closed.iter().find(|closed| closed.file == file)
    }

    /// The name of a file of this recording that may be given out. Names in a manifest could have been changed by hand.
    #[must_use]
    pub fn file_name(&self, file: u32) -> Option<&str> {
        let name = self.files.iter().find(|known| known.file == file)?.name.as_str();
        is_file_name(name).then_some(name)
    }

    /// How long it is so far, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        let files = self.closed.iter().map(|closed| closed.end_ms).max().unwrap_or(0);
        self.end.map_or(files, |end| end.at_ms.max(files))
    }
}

/// Whether this is a name that we give to files: `0001-camera.webm`.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let Some((stem, ending)) = name.split_once('.') else { return false };
    let Some((number, source)) = stem.split_once('-') else { return false };
    matches!(ending, "mp4" | "webm")
        && (4..=10).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=32).contains(&source.len())
        && source.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether this is an id that a recording may have: it becomes the name of a folder.
#[must_use]
pub fn is_id(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    // acceptance: SEC10
    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert!(is_file_name("0001-camera.webm") && is_file_name("12345-screen-audio.mp4"));
        for wrong in [
            "",
            "..",
            "0001-camera",
            "../0001-camera.mp4",
            "0001-../x.mp4",
            "0001-a/b.mp4",
            "0001-camera.mp4/..",
            "0001-camera.mp4.webm",
            "/0001-camera.mp4",
            "0001-CON.mp4",
            "0001-camera.webm\0",
            "manifest.jsonl",
            "１２３４-camera.mp4",
        ] {
            assert!(!is_file_name(wrong), "{wrong:?}");
        }
        assert!(is_id("0f9d8c7b-12"));
        for wrong in ["", ".", "..", "../../etc", "a/b-long-enough", "short", "nul\0nul\0nul", &"x".repeat(65)] {
            assert!(!is_id(wrong), "{wrong:?}");
        }
    }
}
