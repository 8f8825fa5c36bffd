//! Completes what a server left that ended without saying so: each file is cut behind its last whole part and told its
//! length, the manifest gets what is missing. May itself be cut anywhere and begun again. Decides nothing about
//! recordings that are complete.

use crate::container::Container;
use crate::frame::Codec;
use crate::journal::{self, Journal};
use crate::manifest::{Closed, End, EndReason, File as Entry, Manifest, Record, is_file_name, is_id};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What was found in a folder of recordings.
#[derive(Debug)]
pub struct Found {
    /// The folder of the recording.
    pub folder: PathBuf,
    /// Its manifest as it is now; an error where it can't be read or completed.
    pub manifest: io::Result<Manifest>,
    /// Whether it had to be completed.
    pub completed: bool,
}

/// Looks through a folder of recordings, each in a folder of its own, and completes what is not complete. A folder that
/// is not there holds none.
///
/// # Errors
/// When the folder can't be read. What is wrong with one recording keeps no other from being completed.
pub fn recover_all(folder: &Path) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name().to_str().is_some_and(is_id) {
            found.push(recover(&entry.path()));
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(found)
}

/// Completes the recording in a folder.
#[must_use]
pub fn recover(folder: &Path) -> Found {
    let mut completed = false;
    let manifest = read(folder).and_then(|manifest| {
        if manifest.end.is_some() {
            return Ok(manifest);
        }
        completed = true;
        complete(folder, &manifest)?;
        read(folder)
    });
    Found { folder: folder.to_owned(), manifest, completed }
}

/// The manifest in a folder.
///
/// # Errors
/// When it is not there, can't be read, or not even its first record is whole.
pub fn read(folder: &Path) -> io::Result<Manifest> {
    let bytes = fs::read(folder.join(Journal::Manifest.file()))?;
    Manifest::read(&bytes).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the manifest has no whole beginning"))
}

fn complete(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut lines = Vec::new();
    let mut end_ms = manifest.duration_ms();
    for file in manifest.files.iter().filter(|file| manifest.closed(file.file).is_none()) {
        let closed = complete_file(folder, file)?;
        end_ms = end_ms.max(closed.end_ms);
        lines.extend(journal::line(&Record::Closed(closed)));
    }
    let end = End { at_ms: end_ms, why: EndReason::Recovered, dropped: 0 };
    lines.extend(journal::line(&Record::End(end)));
    append(&folder.join(Journal::Timeline.file()), &[])?;
    append(&folder.join(Journal::Manifest.file()), &lines)
}

/// Cuts a file behind its last whole part and says how long it is.
fn complete_file(folder: &Path, file: &Entry) -> io::Result<Closed> {
    let nothing = Closed { file: file.file, bytes: 0, start_ms: file.at_ms, end_ms: file.at_ms, frames: 0 };
    if !is_file_name(&file.name) {
        return Ok(nothing);
    }
    let opened = match OpenOptions::new().read(true).write(true).open(folder.join(&file.name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(nothing),
        opened => opened?,
    };
    let scan = Container::scan(file.codec, &mut BufReader::new(&opened))?;
    if scan.parts.is_empty() {
        return Ok(Closed { bytes: scan.whole, ..nothing });
    }
    if opened.metadata()?.len() > scan.whole {
        opened.set_len(scan.whole)?;
    }
    if let Some(patch) = Container::ends_in(file.codec, &scan.init, scan.end()) {
        opened.write_all_at(&patch.bytes, patch.at)?;
    }
    opened.sync_data()?;
    let ms = |ticks| Codec::ms(file.codec, ticks);
    let (start_ms, end_ms, frames) = (ms(scan.start()), ms(scan.end()), scan.frames() as u64);
    Ok(Closed { file: file.file, bytes: scan.whole, start_ms, end_ms, frames })
}

/// Appends whole lines to a journal; what a cut left of its last line is ended first, and stays.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && lines.is_empty() => return Ok(()),
        bytes => bytes?,
    };
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    if bytes.last().is_some_and(|last| *last != b'\n') {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_data()
}
