//! The queue of mixes: each recording that ended is mixed once, one after the other, on a thread that gives way to all
//! others. What a server left half done is gone on with at the next start. Knows neither samples nor who may listen.

use super::make::{UNFINISHED, make};
use crate::manifest::is_id;
use crate::{recovery, room};
use rustix::process::setpriority_process;
use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Files that had to be fetched, while they are needed.
const FETCHED: &str = "mix.files";
/// How far it was each time it was begun: where the server died twice at one place, that may be what kills it.
const TRIES_FILE: &str = "mix.tries";
const TRIES: usize = 2;
/// What is out of reach may be back after this.
const PAUSE: Duration = Duration::from_secs(30);
/// Bytes of a second of sound, with what is around it.
const BYTES_PER_SECOND: u64 = 6_000;

/// What a mixer needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that stay free on the disk.
    pub reserve: u64,
}

/// Brings a file of a recording (its id, the file's name) that is no more in its folder to a place, unless it is cancelled.
pub type Fetch = Box<dyn Fn(&str, &str, &Path, &AtomicBool) -> io::Result<()> + Send + Sync>;

/// Told what came of a recording: whether it has a mix now.
type Done = Box<dyn Fn(&str, io::Result<bool>) + Send + Sync>;

#[derive(Debug, Default)]
struct Queue {
    /// With how often it was tried since the server's start.
    waiting: VecDeque<(String, usize)>,
    running: Option<(String, Arc<AtomicBool>)>,
    closed: bool,
}

struct Shared {
    folder: PathBuf,
    settings: Settings,
    fetch: Fetch,
    /// Told what came of each.
    done: Done,
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// Mixes the recordings in a folder, on a thread of its own. Every call returns at once, but [`Mixer::forget`] and dropping
/// it, which wait until ten seconds of one voice are mixed, or a file of one is looked through.
pub struct Mixer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Mixer {
    /// Begins. Nothing is looked for by itself: [`Mixer::look`] is told of what there is.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        folder: &Path,
        settings: Settings,
        fetch: Fetch,
        done: impl Fn(&str, io::Result<bool>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let shared =
            Arc::new(Shared { folder: folder.to_owned(), settings, fetch, done: Box::new(done), queue, changed });
        let on_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("mixes".to_owned()).spawn(move || on_thread.work())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A recording has ended. One that is mixed already, or waits for it, stays as it is.
    pub fn look(&self, recording: &str) {
        if !is_id(recording) || self.shared.folder.join(recording).join(super::FILE).exists() {
            return;
        }
        let mut queue = self.shared.lock();
        let known = queue.running.as_ref().is_some_and(|(id, _)| id == recording);
        if !known && queue.waiting.iter().all(|(id, _)| id != recording) {
            queue.waiting.push_back((recording.to_owned(), 0));
            self.shared.changed.notify_all();
        }
    }

    /// Nothing is begun any more, and what is being made stays as it is for the next start. Waits as [`Mixer::forget`] does.
    pub fn stop(&self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        if let Some((_, cancelled)) = &queue.running {
            cancelled.store(true, Ordering::Relaxed);
        }
        self.shared.changed.notify_all();
        let busy = |queue: &mut Queue| queue.running.is_some();
        drop(self.shared.changed.wait_while(queue, busy).unwrap_or_else(PoisonError::into_inner));
    }

    /// Nothing is made of a recording any more, and none of its files is used, so that its folder can be removed.
    pub fn forget(&self, recording: &str) {
        let mut queue = self.shared.lock();
        queue.waiting.retain(|(id, _)| id != recording);
        if let Some((_, cancelled)) = queue.running.as_ref().filter(|(id, _)| id == recording) {
            cancelled.store(true, Ordering::Relaxed);
        }
        let busy = |queue: &mut Queue| queue.running.as_ref().is_some_and(|(id, _)| id == recording);
        drop(self.shared.changed.wait_while(queue, busy).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Mixer {
    /// What is being made is gone on with at the next start.
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // Of this thread only, as Linux has it. Where it may not, the kernel is fair.
        let _ = setpriority_process(None, 19);
        while let Some((id, tries, cancelled)) = self.next() {
            let made = catch_unwind(AssertUnwindSafe(|| self.mix(&id, &cancelled)));
            let made = made.unwrap_or_else(|_| Err(io::Error::other("its sound made the mixer panic")));
            let mut queue = self.lock();
            queue.running = None;
            self.changed.notify_all();
            let cancelled = cancelled.load(Ordering::Relaxed);
            let may_help = made.as_ref().is_err_and(|error| error.kind() != ErrorKind::InvalidData);
            if may_help && !cancelled && tries + 1 < TRIES {
                // The disk or the object store may be away; what was recorded waits.
                queue.waiting.push_back((id, tries + 1));
                let only = |queue: &mut Queue| !queue.closed && queue.waiting.len() <= 1;
                drop(self.changed.wait_timeout_while(queue, PAUSE, only));
                continue;
            }
            drop(queue);
            if !cancelled {
                (self.done)(&id, made);
            }
        }
    }

    fn next(&self) -> Option<(String, usize, Arc<AtomicBool>)> {
        let idle = |queue: &mut Queue| !queue.closed && queue.waiting.is_empty();
        let mut queue = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return None;
        }
        let (id, tries) = queue.waiting.pop_front()?;
        let cancelled = Arc::new(AtomicBool::new(false));
        queue.running = Some((id.clone(), Arc::clone(&cancelled)));
        Some((id, tries, cancelled))
    }

    fn mix(&self, id: &str, cancelled: &AtomicBool) -> io::Result<bool> {
        let folder = self.folder.join(id);
        // What a server that died had fetched may be what the disk is full of.
        let fetched = folder.join(FETCHED);
        let _ = fs::remove_dir_all(&fetched);
        let manifest = recovery::read(&folder)?;
        if manifest.end.is_none() || folder.join(super::FILE).exists() {
            return Ok(manifest.end.is_some());
        }
        let tries_file = folder.join(TRIES_FILE);
        let tries = fs::read_to_string(&tries_file).unwrap_or_default();
        let far = fs::metadata(folder.join(UNFINISHED)).map_or(0, |file| file.len()).to_string();
        if tries.lines().filter(|line| *line == far).count() >= TRIES {
            return Err(io::Error::new(ErrorKind::InvalidData, "servers died over it"));
        }
        let needed = manifest.duration_ms().div_ceil(1000) * BYTES_PER_SECOND;
        if room::free(&folder) < self.settings.reserve.saturating_add(needed) {
            return Err(ErrorKind::StorageFull.into());
        }
        fs::write(&tries_file, format!("{tries}{far}\n"))?;
        let place = |name: &str| {
            let here = folder.join(name);
            if here.exists() {
                return Ok(here);
            }
            if !fetched.exists() {
                DirBuilder::new().mode(0o700).create(&fetched)?;
            }
            let there = fetched.join(name);
            if there.exists() {
                return Ok(there);
            }
            let bytes = manifest.closed.iter().find(|closed| manifest.file_name(closed.file) == Some(name));
            let bytes = bytes.map_or(0, |closed| closed.bytes);
            if room::free(&folder) < self.settings.reserve.saturating_add(needed).saturating_add(bytes) {
                return Err(ErrorKind::StorageFull.into());
            }
            (self.fetch)(id, name, &there, cancelled)?;
            Ok(there)
        };
        let made = make(&folder, &manifest, place, || !cancelled.load(Ordering::Relaxed));
        let _ = fs::remove_dir_all(&fetched);
        // Only what took the server with it counts: this came back.
        let _ = fs::remove_file(&tries_file);
        made
    }
}
