//! What of a live stream leaves memory, on the disk for those who go back: one thread writes the segments of all streams
//! as they end. Knows no playlist and no HTTP.

use super::counters;
use super::stream::Kind;
use super::window::Segment;
use bytes::Bytes;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of segments that may wait for the disk. What comes beyond them is a gap for who goes back.
const MOST_WAITING: usize = 64 << 20;
/// For how long files stay that no playlist names any more: players load them from the playlist they have
/// (draft-pantos-hls-rfc8216bis §6.2.2).
const LINGER_US: u64 = 60_000_000;

/// How far viewers can go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewind {
    /// Where streams have a folder each. What is left of another run's is removed at the start, and nothing else.
    pub folder: PathBuf,
    /// By how much. Zero: nothing is kept, only removed.
    pub window: Duration,
    /// Bytes of one stream; where they do not suffice, less far.
    pub max_bytes: u64,
    /// Bytes of the disk that stay free: below them nothing is kept.
    pub reserve: u64,
}

/// The thread that writes. Clones share it; it ends with the last, and with the last archive.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    settings: Arc<Rewind>,
}

#[derive(Debug)]
enum Job {
    Keep(Arc<Shelf>, Arc<Segment>),
    Forget(PathBuf),
}

/// A segment that is or was in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) msn: u64,
    pub(super) head: u32,
    pub(super) era: u32,
    pub(super) at_ms: u64,
    pub(super) duration_us: u64,
    /// Its bytes on the disk; `None` while they are not there.
    pub(super) len: Option<u64>,
}

impl Entry {
    pub(super) fn of(segment: &Segment) -> Self {
        let &Segment { msn, head, era, at_ms, duration_us, .. } = segment;
        Self { msn, head, era, at_ms, duration_us, len: None }
    }
}

/// What is kept of one stream. Dropped, its files are removed.
#[derive(Debug)]
pub(super) struct Archive {
    disk: Disk,
    folder: PathBuf,
    shelves: [Arc<Shelf>; 2],
}

/// What is kept of one rendition.
#[derive(Debug)]
struct Shelf {
    folder: PathBuf,
    name: &'static str,
    window_us: u64,
    max_bytes: u64,
    /// Segments at most: a publisher may make them as short as it likes.
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In their order, without one missing.
    entries: VecDeque<Entry>,
    heads: VecDeque<(u32, Bytes)>,
    us: u64,
    bytes: u64,
    /// How often the disk took a segment.
    changes: u64,
    /// No file is left of those before this one.
    swept: u64,
}

/// The file of a segment.
fn file(folder: &Path, name: &str, msn: u64) -> PathBuf {
    folder.join(format!("{name}-{msn}.m4s"))
}

impl Disk {
    /// Removes what another run of the server left, and starts the thread; `None` where there is none to be had, or
    /// nothing for it to do afterwards.
    pub(super) fn start(settings: Rewind) -> Option<Self> {
        let keeps = !settings.window.is_zero();
        let (jobs, receiver) = channel();
        let (waiting, settings) = (Arc::<AtomicUsize>::default(), Arc::new(settings));
        let (counted, of_thread) = (Arc::clone(&waiting), Arc::clone(&settings));
        let thread = std::thread::Builder::new().name("rewind".to_owned()).spawn(move || {
            clear(&of_thread.folder);
            run(&receiver, &counted, &of_thread);
        });
        match thread {
            Ok(_) => keeps.then_some(Self { jobs, waiting, settings }),
            Err(error) => {
                tracing::error!(%error, "nobody can go back far in live streams: no thread");
                None
            }
        }
    }

    /// For a stream whose name is no other's.
    pub(super) fn archive(&self, name: &str) -> Archive {
        let folder = self.settings.folder.join(name);
        let window_us = u64::try_from(self.settings.window.as_micros()).unwrap_or(u64::MAX);
        // Twice what the shortest proper segments need.
        let most = usize::try_from(self.settings.window.as_secs()).unwrap_or(usize::MAX).saturating_mul(2);
        let most = most.saturating_add(1_000);
        // Sound is a sixteenth of what a picture takes, at most a quarter.
        let shelves = [(Kind::Picture, 1), (Kind::Sound, 4)].map(|(kind, part)| {
            let max_bytes = self.settings.max_bytes / part;
            let (folder, kept) = (folder.clone(), Mutex::default());
            Arc::new(Shelf { folder, name: kind.name(), window_us, max_bytes, most, kept })
        });
        Archive { disk: self.clone(), folder, shelves }
    }
}

impl Shelf {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is not too old already: the disk may be far behind.
    fn wants(&self, msn: u64) -> bool {
        self.kept().entries.front().is_some_and(|first| first.msn <= msn)
    }

    /// It is on the disk now.
    fn handle_written(&self, msn: u64, len: u64) {
        let mut kept = self.kept();
        if let Some(entry) = kept.entries.iter_mut().rev().find(|entry| entry.msn == msn) {
            entry.len = Some(len);
            kept.bytes += len;
            kept.changes += 1;
        }
        self.trim(&mut kept);
    }

    /// Those whose files have to go.
    fn take_gone(&self) -> Range<u64> {
        let mut kept = self.kept();
        let first = kept.entries.front().map_or(kept.swept, |first| first.msn);
        std::mem::replace(&mut kept.swept, first)..first
    }

    /// Forgets what is too old or too much. The files are for the thread that writes.
    fn trim(&self, kept: &mut Kept) {
        let longest = self.window_us.saturating_add(LINGER_US);
        while kept.entries.len() > 1
            && (kept.us > longest || kept.bytes > self.max_bytes || kept.entries.len() > self.most)
        {
            let Some(first) = kept.entries.pop_front() else { break };
            kept.us -= first.duration_us;
            kept.bytes -= first.len.unwrap_or(0);
        }
        let first = kept.entries.front().map_or(0, |first| first.head);
        while kept.heads.front().is_some_and(|(number, _)| *number < first) {
            kept.heads.pop_front();
        }
    }
}

impl Archive {
    fn shelf(&self, kind: Kind) -> &Arc<Shelf> {
        match kind {
            Kind::Picture => &self.shelves[0],
            Kind::Sound => &self.shelves[1],
        }
    }

    /// A segment has ended, which is decoded with this head. Waits for nothing: where the disk is too slow, it is a gap.
    pub(super) fn keep(&self, kind: Kind, segment: &Arc<Segment>, head: Option<&Bytes>) {
        let shelf = self.shelf(kind);
        {
            let mut kept = shelf.kept();
            kept.us += segment.duration_us;
            kept.entries.push_back(Entry::of(segment));
            if let Some(head) = head
                && kept.heads.back().is_none_or(|(number, _)| *number != segment.head)
            {
                kept.heads.push_back((segment.head, head.clone()));
            }
            // Also where the disk takes nothing.
            shelf.trim(&mut kept);
        }
        let waiting = self.disk.waiting.fetch_add(segment.len(), Ordering::Relaxed);
        let job = Job::Keep(Arc::clone(shelf), Arc::clone(segment));
        if waiting > MOST_WAITING || self.disk.jobs.send(job).is_err() {
            self.disk.waiting.fetch_sub(segment.len(), Ordering::Relaxed);
            counters::NOT_KEPT.add(1);
        }
    }

    /// All before this one that playlists name, oldest first, with a number that is another one once the disk has taken
    /// more of them.
    pub(super) fn entries_before(&self, kind: Kind, msn: u64) -> (u64, Vec<Entry>) {
        let shelf = self.shelf(kind);
        let kept = shelf.kept();
        let mut us = kept.us;
        let listed = kept.entries.iter().skip_while(|entry| {
            let beyond = us > shelf.window_us;
            us -= entry.duration_us;
            beyond
        });
        (kept.changes, listed.take_while(|entry| entry.msn < msn).copied().collect())
    }

    /// Where a segment lies, and its bytes.
    pub(super) fn find(&self, kind: Kind, msn: u64) -> Option<(PathBuf, u64)> {
        let shelf = self.shelf(kind);
        let kept = shelf.kept();
        let first = kept.entries.front()?.msn;
        let index = usize::try_from(msn.checked_sub(first)?).ok()?;
        let len = kept.entries.get(index)?.len?;
        Some((file(&shelf.folder, shelf.name, msn), len))
    }

    /// What a segment on the disk is decoded with.
    pub(super) fn head(&self, kind: Kind, number: u32) -> Option<Bytes> {
        let kept = self.shelf(kind).kept();
        kept.heads.iter().find(|(there, _)| *there == number).map(|(_, bytes)| bytes.clone())
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        // Without the thread they go when the server starts again.
        let _ = self.disk.jobs.send(Job::Forget(self.folder.clone()));
    }
}

/// Removes what streams of another run left. Somebody may have put something else there.
fn clear(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // What a link points to is not ours, whatever its name.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_of_stream(&entry.file_name()) {
            remove(&entry.path());
        }
    }
}

/// Whether a folder is called as those of streams are: see [`Live::session`](super::Live::session).
fn is_of_stream(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.len() == 16 && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Removes the folder of a stream.
fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "what is left of a live stream can't be removed");
        }
        _ => {}
    }
}

fn run(jobs: &Receiver<Job>, waiting: &AtomicUsize, settings: &Rewind) {
    let mut failing = false;
    for job in jobs {
        match job {
            Job::Keep(shelf, segment) => {
                let kept = keep(&shelf, &segment, settings);
                waiting.fetch_sub(segment.len(), Ordering::Relaxed);
                if let Err(error) = &kept {
                    counters::NOT_KEPT.add(1);
                    // Said once, not for each segment.
                    if !failing {
                        tracing::warn!(%error, "live streams can't be kept for those who go back");
                    }
                }
                failing = kept.is_err();
            }
            Job::Forget(folder) => remove(&folder),
        }
    }
}

fn keep(shelf: &Shelf, segment: &Segment, settings: &Rewind) -> io::Result<()> {
    let written = if shelf.wants(segment.msn) {
        store(shelf, segment, settings)
    } else {
        Err(io::Error::other("the disk is too slow"))
    };
    if let Ok(len) = written {
        shelf.handle_written(segment.msn, len);
    }
    // What is too old goes also where nothing new comes.
    for msn in shelf.take_gone() {
        // A gap has no file.
        let _ = fs::remove_file(file(&shelf.folder, shelf.name, msn));
    }
    written.map(|_| ())
}

/// Writes a segment where the disk has room for it; how long it is.
fn store(shelf: &Shelf, segment: &Segment, settings: &Rewind) -> io::Result<u64> {
    fs::create_dir_all(&shelf.folder)?;
    let disk = rustix::fs::statvfs(&shelf.folder)?;
    let len = segment.len() as u64;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < settings.reserve.saturating_add(len) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    write(&file(&shelf.folder, shelf.name, segment.msn), segment).map(|()| len)
}

fn write(path: &Path, segment: &Segment) -> io::Result<()> {
    let mut file = File::create(path)?;
    let written = segment.parts.iter().try_for_each(|part| file.write_all(&part.bytes));
    written.inspect_err(|_| _ = fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of which the disk knows nothing yet, and what waits for it.
    fn archive(folder: &Path, segments: Range<u64>) -> (Archive, Receiver<Job>) {
        let window = Duration::from_secs(60);
        let settings = Rewind { folder: folder.to_owned(), window, max_bytes: 1 << 30, reserve: 0 };
        let (jobs, receiver) = channel();
        let disk = Disk { jobs, waiting: Arc::default(), settings: Arc::new(settings) };
        let archive = disk.archive("0123456789abcdef");
        keep_more(&archive, segments, 2_000);
        (archive, receiver)
    }

    fn keep_more(archive: &Archive, segments: Range<u64>, duration_us: u64) {
        for msn in segments {
            let part =
                super::super::window::Part { duration_us, independent: true, bytes: Bytes::from_static(b"here") };
            let (head, parts) = (1, vec![part]);
            let segment = Segment { msn, head, era: 0, at_ms: 0, duration_us, parts, closed: true };
            archive.keep(Kind::Picture, &Arc::new(segment), None);
        }
    }

    /// The disk does so much of what waits for it.
    fn work(archive: &Archive, jobs: &Receiver<Job>, most: usize) {
        for job in jobs.try_iter().take(most) {
            let Job::Keep(shelf, segment) = job else { panic!("{job:?}") };
            let _ = keep(&shelf, &segment, &archive.disk.settings);
        }
    }

    fn files(archive: &Archive) -> usize {
        fs::read_dir(&archive.folder).map_or(0, Iterator::count)
    }

    #[test]
    fn there_are_not_more_than_so_many_however_short_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, jobs) = archive(folder.path(), 0..3_000);
        let (changes, entries) = archive.entries_before(Kind::Picture, u64::MAX);
        assert_eq!((entries.len(), entries[0].msn), (1_120, 1_880), "though the disk has not begun");
        work(&archive, &jobs, 1_880);
        assert_eq!(files(&archive), 0, "nobody asks for those any more");
        work(&archive, &jobs, 20);
        let (changed, entries) = archive.entries_before(Kind::Picture, u64::MAX);
        assert_eq!((changed, entries.iter().filter(|entry| entry.len.is_some()).count()), (changes + 20, 20));
        work(&archive, &jobs, usize::MAX);
        assert_eq!(files(&archive), 1_120);
    }

    #[test]
    fn files_stay_for_a_while_that_no_playlist_names_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, jobs) = archive(folder.path(), 0..0);
        keep_more(&archive, 0..100, 2_000_000);
        work(&archive, &jobs, usize::MAX);
        let (_, entries) = archive.entries_before(Kind::Picture, u64::MAX);
        assert_eq!((entries.len(), entries[0].msn, files(&archive)), (30, 70, 60));
        assert!(archive.find(Kind::Picture, 40).is_some_and(|(path, _)| path.exists()));
        assert_eq!(archive.find(Kind::Picture, 39), None);
        // Where the disk can't even say how full it is, too.
        fs::remove_dir_all(folder.path()).expect("it was there");
        fs::write(folder.path(), "no folder").expect("a file");
        keep_more(&archive, 100..200, 2_000_000);
        work(&archive, &jobs, usize::MAX);
        assert_eq!(archive.find(Kind::Picture, 199), None);
        let (_, entries) = archive.entries_before(Kind::Picture, u64::MAX);
        assert_eq!((entries.len(), entries[0].msn), (30, 170));
        fs::remove_file(folder.path()).expect("it was there");
    }

    #[test]
    fn only_what_streams_left_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join("live").join(name);
        let others = ["recording", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0"];
        for name in others.into_iter().chain(["0123456789abcdef"]) {
            fs::create_dir_all(at(name)).expect("a folder");
            fs::write(at(name).join("video-1.m4s"), "here").expect("a file");
        }
        fs::write(at("fedcba9876543210"), "a file").expect("a file");
        std::os::unix::fs::symlink(at("recording"), at("0000000000000000")).expect("a link");
        // Where nothing is to be kept any more, too; what is left goes in a moment.
        let window = Duration::ZERO;
        let settings = Rewind { folder: folder.path().join("live"), window, max_bytes: 1 << 20, reserve: 0 };
        assert!(Disk::start(settings).is_none());
        let waited = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !at("0123456789abcdef").exists()
        });
        assert!(waited);
        clear(&folder.path().join("live"));
        assert!(others.iter().all(|name| at(name).join("video-1.m4s").exists()));
        assert!(at("fedcba9876543210").exists() && at("0000000000000000").exists());
    }
}
