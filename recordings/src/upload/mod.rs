//! Recordings in an object store: what is complete is copied to a folder or to S3 while the rest is still being recorded,
//! tried again while the store is away, verified, and only then removed here where that is wanted. Knows no meeting.
//!
//! The way: the ledger (what is stored, beside the manifest) → [`Queue`] (what is next, told the time) → [`Uploader`]
//! (does it) → [`Store`] (where it goes, and is read from).

mod connector;
mod index;
mod ledger;
mod queue;
mod store;
mod uploader;

pub use index::{index, look, note};
pub use ledger::{Object, Place, objects, place};
pub use queue::{Queue, Task};
pub use store::{Access, Store};
pub use uploader::Uploader;

use serde::Serialize;
use std::time::Duration;

/// What an uploader may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether files stay here that are stored.
    pub keep_local: bool,
    /// Files that are copied at once.
    pub at_once: usize,
    /// How often it is looked for files that are complete.
    pub look_every: Duration,
    /// How long a file waits after it could not be stored; twice as long each time.
    pub first_pause: Duration,
    /// How long it waits at most.
    pub longest_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_local: true,
            at_once: 2,
            look_every: Duration::from_secs(5),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// How storing a recording stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upload {
    /// What happens.
    pub state: State,
    /// Of files that are complete here and not stored.
    pub bytes_left: u64,
    /// Why the last try failed, where none has succeeded since.
    pub error: Option<String>,
}

/// What happens with a recording's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// They are being stored, or more are to come.
    Uploading,
    /// The store did not take something; it is tried again.
    Retrying,
    /// The recording has ended, and all of it is stored.
    Finished,
}

/// Something to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A file is in the store.
    Stored {
        /// Its length.
        bytes: u64,
    },
    /// A file was not taken; it is tried again.
    Failed,
    /// So much of all recordings is complete and not stored.
    Left {
        /// In all.
        bytes: u64,
    },
}
