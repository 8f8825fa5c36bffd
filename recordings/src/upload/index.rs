//! Where players can begin in a file that is in the store only: its parts, noted here before it goes. Knows no store.

use crate::container::Container;
use crate::manifest::is_file_name;
use crate::recovery;
use crate::scan::{Entry, Scan};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// As it is written: the head, then offset, length, time, duration, whether one can begin there, and frames of each part.
#[derive(Serialize, Deserialize)]
struct Noted {
    init: Vec<u8>,
    parts: Vec<(u64, u64, u64, u64, bool, usize)>,
}

fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.parts"))
}

/// The parts of a file of the recording in `folder`; it lies at `at`.
///
/// # Errors
/// When it is none of the recording's, or can't be read.
pub fn look(folder: &Path, name: &str, at: &Path) -> io::Result<Scan> {
    let manifest = recovery::read(folder)?;
    let file = manifest.files.iter().find(|file| file.name == name).ok_or(ErrorKind::NotFound)?;
    Container::scan(file.codec, &mut BufReader::with_capacity(1 << 16, File::open(at)?))
}

/// Notes the parts of a file of the recording in `folder`.
///
/// # Errors
/// When the note can't be written.
pub fn note(folder: &Path, name: &str, scan: &Scan) -> io::Result<()> {
    let parts = scan.parts.iter().map(|part| {
        let Entry { offset, len, time, duration, independent, frames } = *part;
        (offset, len, time, duration, independent, frames)
    });
    let noted = serde_json::to_vec(&Noted { init: scan.init.clone(), parts: parts.collect() })?;
    let (path, new) = (path(folder, name), path(folder, &format!("{name}.new")));
    let mut written = File::create(&new)?;
    written.write_all(&noted)?;
    written.sync_all()?;
    fs::rename(new, path)
}

/// Notes the parts of a file that is to go, where they are not noted.
pub(super) fn keep(folder: &Path, name: &str) -> io::Result<()> {
    let at = folder.join(name);
    // It may be gone already, where only the note of that was missing.
    if index(folder, name).is_ok() || !at.exists() {
        return Ok(());
    }
    note(folder, name, &look(folder, name, &at)?)
}

/// What stands in a file that is in the store only, as it was noted when it went there.
///
/// # Errors
/// When that is not noted ([`ErrorKind::NotFound`]), or can't be read.
pub fn index(folder: &Path, name: &str) -> io::Result<Scan> {
    if !is_file_name(name) {
        return Err(ErrorKind::NotFound.into());
    }
    let noted: Noted = serde_json::from_slice(&fs::read(path(folder, name))?)?;
    let init = noted.init;
    let parts = noted.parts.into_iter().map(|(offset, len, time, duration, independent, frames)| Entry {
        offset,
        len,
        time,
        duration,
        independent,
        frames,
    });
    let parts: Vec<Entry> = parts.collect();
    let whole = parts.last().map_or(init.len() as u64, |last| last.offset.saturating_add(last.len));
    Ok(Scan { init, parts, whole })
}
