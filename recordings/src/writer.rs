//! Does what the recorder decided: one thread for each recording, which waits for the disk so that nobody else does.
//! Decides nothing, tells what came of it.

use crate::disk::{Batch, Step};
use crate::recorder::{Trouble, Written};
use rustix::fs::fstatvfs;
use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Takes batches. The recorder has one on its way at most, so that nothing piles up here.
#[derive(Debug)]
pub struct Writer {
    batches: Option<Sender<Arc<Batch>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Begins; all that waits for the disk does so on the writer's thread, and tells there what came of it: `began` of the
    /// recording's folder, after which nothing more is written where that could not be made or was there already, `done`
    /// of each batch.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        folder: &Path,
        began: impl FnOnce(io::Result<()>) + Send + 'static,
        done: impl Fn(Written) + Send + 'static,
    ) -> io::Result<Self> {
        let mut disk = Disk { folder: folder.to_owned(), files: HashMap::new() };
        let (batches, receiver): (_, Receiver<Arc<Batch>>) = channel();
        let run = move || {
            let made = make_folder(&disk.folder);
            let is_there = made.is_ok();
            began(made);
            if !is_there {
                return;
            }
            for batch in receiver {
                done(disk.write(&batch));
            }
        };
        let thread = std::thread::Builder::new().name("recording".to_owned()).spawn(run)?;
        Ok(Self { batches: Some(batches), thread: Some(thread) })
    }

    /// Hands a batch over.
    pub fn write(&self, batch: Arc<Batch>) {
        // The thread ends with the sender only.
        let _ = self.batches.as_ref().map(|batches| batches.send(batch));
    }
}

impl Drop for Writer {
    /// Waits for what is on its way.
    fn drop(&mut self) {
        self.batches.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A folder nobody else may read, whose name survives a power cut.
fn make_folder(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().ok_or(ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    DirBuilder::new().mode(0o700).create(folder)?;
    File::open(folder)?.sync_all()?;
    File::open(parent)?.sync_all()?;
    if let Some(above) = parent.parent().filter(|above| !above.as_os_str().is_empty()) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

struct Disk {
    folder: PathBuf,
    files: HashMap<String, File>,
}

impl Disk {
    fn write(&mut self, batch: &Batch) -> Written {
        let result = batch.steps().into_iter().try_for_each(|step| self.step(step));
        if result.is_err() {
            self.undo(batch);
        }
        // Nothing stays open between ticks: a recording may have more files than a process may open, and an
        // administrator may make its disk read-only.
        self.files.clear();
        let result = result.map_err(|error| Trouble::of(&error));
        Written { number: batch.number, result, free: self.free() }
    }

    fn step(&mut self, step: Step<'_>) -> io::Result<()> {
        match step {
            Step::Write { file, at, bytes, make } => self.open(file, make)?.write_all_at(bytes, at),
            Step::Sync(file) => self.open(file, false)?.sync_data(),
            Step::SyncFolder => File::open(&self.folder)?.sync_all(),
        }
    }

    fn open(&mut self, file: &str, make: bool) -> io::Result<&File> {
        if !self.files.contains_key(file) {
            let path = self.folder.join(file);
            let opened = OpenOptions::new().write(true).create(make).truncate(false).mode(0o600).open(path)?;
            self.files.insert(file.to_owned(), opened);
        }
        self.files.get(file).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Takes away what a failed batch left at the ends of files: they play as they are, and there is room again.
    fn undo(&mut self, batch: &Batch) {
        for (file, len) in batch.before() {
            // Where this fails too, the next try writes the same bytes to the same place, or recovery cuts them off.
            let _ = self.open(file, false).and_then(|file| file.set_len(len));
        }
    }

    /// Bytes that we may still write.
    fn free(&self) -> Option<u64> {
        let folder = File::open(&self.folder).ok()?;
        let stat = fstatvfs(&folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
