//! The ledger: which files of a recording are in the object store. A journal of its own beside the manifest, which the
//! recorder writes alone. What is to be stored follows from both. Knows no store.

use crate::journal::{self, Journal};
use crate::manifest::{Manifest, is_file_name};
use crate::recovery;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Its file in the recording's folder.
const FILE: &str = "objects.jsonl";

/// What is appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", rename_all_fields = "snake_case")]
enum Record {
    /// A file is in the store.
    Stored(Object),
    /// It has been verified there, to the last byte, and may be missing here from now on.
    Moved { name: String },
}

/// A file in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its name in the recording's folder, here and there.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
}

/// Where a file of a recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Here.
    Local(PathBuf),
    /// In the store only.
    Stored(Object),
}

/// What is known of a recording's files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ledger {
    pub(super) stored: Vec<Object>,
    pub(super) moved: Vec<String>,
}

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// What is to be done for a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dues {
    /// Files to be stored.
    pub(super) files: Vec<Due>,
    /// It has ended, and nothing is to be done any more.
    pub(super) over: bool,
}

impl Ledger {
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let bytes = match fs::read(folder.join(FILE)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            bytes => bytes?,
        };
        let mut ledger = Self::default();
        for record in journal::read::<Record>(&bytes) {
            match record {
                Record::Stored(object) => {
                    ledger.stored.retain(|known| known.name != object.name);
                    ledger.stored.push(object);
                }
                Record::Moved { name } => ledger.moved.push(name),
            }
        }
        Ok(ledger)
    }

    fn object(&self, name: &str) -> Option<&Object> {
        self.stored.iter().find(|object| object.name == name)
    }

    fn is_done(&self, due: &Due, keep_local: bool) -> bool {
        // A journal may have grown since it was stored; it stays here, for it is small and tells where the rest is.
        let stored = self.object(&due.name).is_some_and(|object| object.bytes == due.bytes);
        stored && (keep_local || is_journal(&due.name) || self.moved.contains(&due.name))
    }
}

fn is_journal(name: &str) -> bool {
    [Journal::Manifest, Journal::Timeline].iter().any(|journal| journal.file() == name)
}

/// The files of a recording that are in the store.
///
/// # Errors
/// When the ledger can't be read.
pub fn objects(folder: &Path) -> io::Result<Vec<Object>> {
    Ok(Ledger::read(folder)?.stored)
}

/// Where a file of the recording in this folder is; `None` where it is nowhere.
///
/// # Errors
/// When the ledger can't be read.
pub fn place(folder: &Path, name: &str) -> io::Result<Option<Place>> {
    let local = folder.join(name);
    if !(is_file_name(name) || is_journal(name)) {
        return Ok(None);
    }
    if local.is_file() {
        return Ok(Some(Place::Local(local)));
    }
    Ok(Ledger::read(folder)?.object(name).cloned().map(Place::Stored))
}

/// What is to be stored of a recording now: files that are complete, and when it has ended and all of those are stored,
/// its journals.
pub(super) fn dues(folder: &Path, keep_local: bool) -> io::Result<Dues> {
    let ledger = Ledger::read(folder)?;
    let manifest = recovery::read(folder)?;
    let mut files = media(&manifest);
    files.retain(|due| !ledger.is_done(due, keep_local));
    let ended = manifest.end.is_some();
    if ended && files.is_empty() {
        for journal in [Journal::Timeline, Journal::Manifest] {
            let name = journal.file().to_owned();
            match fs::metadata(folder.join(&name)) {
                Ok(found) => files.push(Due { name, bytes: found.len() }),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.retain(|due| !ledger.is_done(due, keep_local));
    }
    let over = ended && files.is_empty();
    Ok(Dues { files, over })
}

fn media(manifest: &Manifest) -> Vec<Due> {
    let due = |closed: &crate::manifest::Closed| {
        let name = manifest.file_name(closed.file)?.to_owned();
        // What recovery did not find has no bytes, and is nowhere.
        (closed.bytes > 0).then_some(Due { name, bytes: closed.bytes })
    };
    manifest.closed.iter().filter_map(due).collect()
}

/// Notes that a file is in the store.
pub(super) fn note_stored(folder: &Path, object: Object) -> io::Result<()> {
    append(folder, &Record::Stored(object))
}

/// Notes that a file was verified in the store, then removes it here.
pub(super) fn remove_local(folder: &Path, name: &str) -> io::Result<()> {
    append(folder, &Record::Moved { name: name.to_owned() })?;
    match fs::remove_file(folder.join(name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn append(folder: &Path, record: &Record) -> io::Result<()> {
    let path = folder.join(FILE);
    let new = !path.exists();
    let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
    // A cut may have left half a line: it is ended, and passed over.
    let mut line = if new || ends_with_line(&path)? { Vec::new() } else { vec![b'\n'] };
    line.extend(journal::line(record));
    file.write_all(&line)?;
    file.sync_data()?;
    if new { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn ends_with_line(path: &Path) -> io::Result<bool> {
    Ok(fs::read(path)?.last().is_none_or(|last| *last == b'\n'))
}
