//! The queue of exports: one is made at a time, the others wait; how each stands survives the server. Knows neither scenes
//! nor who may ask.

use super::composer::{self, Job, Stopped};
use super::ffmpeg::{Ffmpeg, Missing};
use super::{Canvas, Export, Layout, State};
use crate::manifest::is_id;
use crate::recovery;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

/// How often an export is begun: where the server died twice over one, it may be what kills it.
const TRIES: u32 = 2;

/// What an exporter needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What `ffmpeg` is called.
    pub program: String,
    /// What the picture is like.
    pub canvas: Canvas,
    /// Bytes that stay free on the disk.
    pub reserve: u64,
    /// Exports that wait at most.
    pub waiting: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { program: "ffmpeg".to_owned(), canvas: Canvas::default(), reserve: 256 << 20, waiting: 100 }
    }
}

/// Brings a file of a recording (its id, the file's name) that is no more in its folder to a place, unless it is cancelled.
pub type Fetch = Box<dyn Fn(&str, &str, &Path, &AtomicBool) -> io::Result<()> + Send + Sync>;

/// Why an export is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It can't be made here.
    Missing(Missing),
    /// There is no such recording.
    Unknown,
    /// The recording has not ended.
    Running,
    /// Too many wait.
    Busy,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Unknown => f.write_str("there is no such recording"),
            Self::Running => f.write_str("the recording has not ended"),
            Self::Busy => f.write_str("too many exports wait already"),
        }
    }
}

/// What stands in `export-LAYOUT.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// It waits, or is being made, for so many times.
    Wanted {
        tries: u32,
    },
    Finished,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    phase: Phase,
    error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    recording: String,
    layout: Layout,
}

#[derive(Debug)]
struct Running {
    name: Name,
    progress: f64,
    cancelled: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Name>,
    running: Option<Running>,
    closed: bool,
}

struct Shared {
    folder: PathBuf,
    settings: Settings,
    /// Looked for by the thread, or by whoever asks before that: it takes some children.
    ffmpeg: OnceLock<Result<Ffmpeg, Missing>>,
    fetch: Fetch,
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// Makes exports of the recordings in a folder, on a thread of its own. Every call returns at once, but for small files
/// that it reads or writes; the first that asks for `ffmpeg`, [`Exporter::forget`] and dropping it take some tenths of a second.
pub struct Exporter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}

impl Exporter {
    /// Begins for the recordings in `folder`, each in a folder of its own. What was being made when the server ended is
    /// made anew.
    ///
    /// # Errors
    /// When the folder can't be read, or there is no thread to be had.
    pub fn start(folder: &Path, settings: Settings, fetch: Fetch) -> io::Result<Self> {
        let waiting = left_over(folder)?;
        let queue = Mutex::new(Queue { waiting, ..Queue::default() });
        let changed = Condvar::new();
        let shared =
            Arc::new(Shared { folder: folder.to_owned(), settings, ffmpeg: OnceLock::new(), fetch, queue, changed });
        let on_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("exports".to_owned()).spawn(move || on_thread.work())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Whether anything can be made here.
    ///
    /// # Errors
    /// When not: why.
    pub fn available(&self) -> Result<(), Missing> {
        self.shared.ffmpeg().map(|_| ())
    }

    /// Whether names are written on tiles: `ffmpeg` can do it where it was built with libass; fonts it takes from the
    /// system.
    #[must_use]
    pub fn writes_names(&self) -> bool {
        self.shared.ffmpeg().is_ok_and(|ffmpeg| ffmpeg.writes)
    }

    /// Somebody wants a layout of a recording. What waits, is being made, or is there already stays as it is; what
    /// failed is made again.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn request(&self, recording: &str, layout: Layout) -> Result<Export, Refused> {
        let shared = &self.shared;
        self.available().map_err(Refused::Missing)?;
        let folder = shared.of(recording).ok_or(Refused::Unknown)?;
        let manifest = recovery::read(&folder).map_err(|_| Refused::Unknown)?;
        if manifest.end.is_none() {
            return Err(Refused::Running);
        }
        let name = Name { recording: recording.to_owned(), layout };
        let mut queue = shared.lock();
        if let Some(export) = shared.state(&queue, &name).filter(|export| export.state != State::Failed) {
            return Ok(export);
        }
        if queue.waiting.len() >= shared.settings.waiting {
            return Err(Refused::Busy);
        }
        // Where it can't be noted, it is made all the same; only a restart would forget it.
        let _ = write(&folder, layout, &Note { phase: Phase::Wanted { tries: 0 }, error: None });
        queue.waiting.push_back(name);
        shared.changed.notify_all();
        Ok(Export { layout, state: State::Queued, progress: 0.0, bytes: 0, error: None })
    }

    /// How the exports of a recording stand.
    #[must_use]
    pub fn exports(&self, recording: &str) -> Vec<Export> {
        let queue = self.shared.lock();
        let name = |layout| Name { recording: recording.to_owned(), layout };
        Layout::ALL.into_iter().filter_map(|layout| self.shared.state(&queue, &name(layout))).collect()
    }

    /// The file of a layout, where it is finished.
    #[must_use]
    pub fn file(&self, recording: &str, layout: Layout) -> Option<PathBuf> {
        let queue = self.shared.lock();
        let state = self.shared.state(&queue, &Name { recording: recording.to_owned(), layout })?;
        (state.state == State::Finished).then(|| self.shared.folder.join(recording).join(layout.file()))
    }

    /// Cancels an export that waits or is being made, removes one that is finished or failed. Whether there was one.
    #[must_use]
    pub fn remove(&self, recording: &str, layout: Layout) -> bool {
        let name = Name { recording: recording.to_owned(), layout };
        let mut queue = self.shared.lock();
        self.shared.remove(&mut queue, &name)
    }

    /// Cancels all exports of a recording, and returns when none of its files is used any more, so that its folder can be
    /// removed.
    pub fn forget(&self, recording: &str) {
        let mut queue = self.shared.lock();
        for layout in Layout::ALL {
            self.shared.remove(&mut queue, &Name { recording: recording.to_owned(), layout });
        }
        let busy = |queue: &mut Queue| queue.running.as_ref().is_some_and(|run| run.name.recording == recording);
        drop(self.shared.changed.wait_while(queue, busy).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Exporter {
    /// Ends the child. What was being made is made anew at the next start.
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        if let Some(running) = &queue.running {
            running.cancelled.store(true, Ordering::Relaxed);
        }
        self.shared.changed.notify_all();
        drop(queue);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of a recording.
    fn of(&self, recording: &str) -> Option<PathBuf> {
        is_id(recording).then(|| self.folder.join(recording))
    }

    fn state(&self, queue: &Queue, name: &Name) -> Option<Export> {
        let layout = name.layout;
        let export = |state, progress| Export { layout, state, progress, bytes: 0, error: None };
        if let Some(running) = queue.running.as_ref().filter(|running| running.name == *name) {
            // Until its files are gone, one that was cancelled is none any more.
            let goes_on = !running.cancelled.load(Ordering::Relaxed);
            return goes_on.then(|| export(State::Running, running.progress));
        }
        if queue.waiting.contains(name) {
            return Some(export(State::Queued, 0.0));
        }
        let folder = self.of(&name.recording)?;
        let note = read(&folder, layout)?;
        match note.phase {
            Phase::Finished => {
                let bytes = fs::metadata(folder.join(layout.file())).ok()?.len();
                Some(Export { bytes, ..export(State::Finished, 1.0) })
            }
            Phase::Failed => Some(Export { error: note.error, ..export(State::Failed, 0.0) }),
            Phase::Wanted { .. } => None,
        }
    }

    fn remove(&self, queue: &mut Queue, name: &Name) -> bool {
        let known = self.state(queue, name).is_some();
        queue.waiting.retain(|waiting| waiting != name);
        if let Some(running) = queue.running.as_ref().filter(|running| running.name == *name) {
            running.cancelled.store(true, Ordering::Relaxed);
        }
        if let Some(folder) = self.of(&name.recording) {
            // The note goes first: without it a file is none of ours. Either may be missing.
            let _ = fs::remove_file(folder.join(note_file(name.layout)));
            let _ = fs::remove_file(folder.join(name.layout.file()));
        }
        known
    }

    fn ffmpeg(&self) -> Result<&Ffmpeg, Missing> {
        let found = self.ffmpeg.get_or_init(|| Ffmpeg::find(&self.settings.program));
        found.as_ref().map_err(|missing| *missing)
    }

    fn work(&self) {
        let ffmpeg = self.ffmpeg();
        while let Some((name, cancelled)) = self.next() {
            let result = match ffmpeg {
                Ok(ffmpeg) => self.make(ffmpeg, &name, &cancelled),
                Err(missing) => Err(Stopped::Failed(missing.to_string())),
            };
            let mut queue = self.lock();
            queue.running = None;
            // Whoever cancelled it has removed its note; where the server ends, the note lets it be made anew.
            if !cancelled.load(Ordering::Relaxed) {
                let note = match result {
                    Ok(_) => Some(Note { phase: Phase::Finished, error: None }),
                    Err(Stopped::Failed(why)) => Some(Note { phase: Phase::Failed, error: Some(why) }),
                    Err(Stopped::Cancelled) => None,
                };
                let folder = self.folder.join(&name.recording);
                if let Some(note) = note.filter(|_| folder.exists()) {
                    let _ = write(&folder, name.layout, &note);
                }
            } else if queue.closed {
                // That the server was told to end is nothing the export did.
                let folder = self.folder.join(&name.recording);
                let _ = write(&folder, name.layout, &Note { phase: Phase::Wanted { tries: 0 }, error: None });
            } else {
                let _ = fs::remove_file(self.folder.join(&name.recording).join(name.layout.file()));
            }
            self.changed.notify_all();
        }
    }

    /// Waits for the next one.
    fn next(&self) -> Option<(Name, Arc<AtomicBool>)> {
        let idle = |queue: &mut Queue| !queue.closed && queue.waiting.is_empty();
        let mut queue = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let name = (!queue.closed).then(|| queue.waiting.pop_front())??;
        let cancelled = Arc::new(AtomicBool::new(false));
        queue.running = Some(Running { name: name.clone(), progress: 0.0, cancelled: Arc::clone(&cancelled) });
        Some((name, cancelled))
    }

    fn make(&self, ffmpeg: &Ffmpeg, name: &Name, cancelled: &AtomicBool) -> Result<u64, Stopped> {
        let folder = self.folder.join(&name.recording);
        let tries = match read(&folder, name.layout) {
            Some(Note { phase: Phase::Wanted { tries }, .. }) => tries,
            _ => 0,
        };
        if tries >= TRIES {
            return Err(Stopped::Failed("the server ended each time this was made".to_owned()));
        }
        write(&folder, name.layout, &Note { phase: Phase::Wanted { tries: tries + 1 }, error: None })?;
        let progress = |progress: f64| {
            if let Some(running) = &mut self.lock().running {
                running.progress = progress;
            }
        };
        let fetch = |file: &str, to: &Path| (self.fetch)(&name.recording, file, to, cancelled);
        let Settings { canvas, reserve, .. } = self.settings;
        let (folder, layout) = (folder.as_path(), name.layout);
        Job { ffmpeg, folder, layout, canvas, reserve, fetch: &fetch, cancelled, progress: &progress }.make()
    }
}

fn note_file(layout: Layout) -> String {
    format!("export-{}.json", layout.name())
}

fn read(folder: &Path, layout: Layout) -> Option<Note> {
    serde_json::from_slice(&fs::read(folder.join(note_file(layout))).ok()?).ok()
}

fn write(folder: &Path, layout: Layout, note: &Note) -> io::Result<()> {
    let (path, new) = (folder.join(note_file(layout)), folder.join(format!("{}.part", note_file(layout))));
    fs::write(&new, serde_json::to_vec(note)?)?;
    File::open(&new)?.sync_all()?;
    fs::rename(new, path)
}

/// Removes what a server left half done, and gives what was wanted of it.
fn left_over(folder: &Path) -> io::Result<VecDeque<Name>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(VecDeque::new()),
        entries => entries?,
    };
    let mut names = VecDeque::new();
    for entry in entries {
        let entry = entry?;
        let recording = entry.file_name().to_string_lossy().into_owned();
        if !is_id(&recording) || !entry.file_type()?.is_dir() {
            continue;
        }
        for layout in Layout::ALL {
            composer::remove(&entry.path().join(composer::scratch(layout)))?;
            if matches!(read(&entry.path(), layout), Some(Note { phase: Phase::Wanted { .. }, .. })) {
                names.push_back(Name { recording: recording.clone(), layout });
            }
        }
    }
    names.make_contiguous().sort_by(|a, b| a.recording.cmp(&b.recording));
    Ok(names)
}
