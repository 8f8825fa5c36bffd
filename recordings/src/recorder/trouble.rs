//! What can be wrong with a disk, in words for people. Knows no recording.

use crate::manifest::GapReason;
use std::fmt;
use std::io::{Error, ErrorKind};

/// Why nothing is kept at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room, or not more than is to stay free.
    DiskFull,
    /// It can't be written to.
    ReadOnly,
    /// It did not keep up.
    Slow,
    /// Something else, in the system's words.
    Failed(String),
}

impl Trouble {
    /// What an error of the system means.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Failed(error.to_string()),
        }
    }

    pub(super) const fn reason(&self) -> GapReason {
        match self {
            Self::DiskFull => GapReason::DiskFull,
            Self::ReadOnly => GapReason::ReadOnly,
            Self::Slow => GapReason::Slow,
            Self::Failed(_) => GapReason::Failed,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull => f.write_str("the disk for recordings is full"),
            Self::ReadOnly => f.write_str("the folder for recordings cannot be written to"),
            Self::Slow => f.write_str("the disk for recordings is too slow"),
            Self::Failed(why) => write!(f, "the disk for recordings failed: {why}"),
        }
    }
}

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Which.
    pub number: u64,
    /// Whether all of it is on the disk.
    pub result: Result<(), Trouble>,
    /// Bytes that are free on the disk, where that is known.
    pub free: Option<u64>,
}
