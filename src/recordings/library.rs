//! What lies on the disk of recordings, for those who play them. Every function may wait for the disk. Knows no store, and
//! gives no path that is not of a recording.

use crate::store::{RecordingMade, RecordingState};
use recordings::manifest::{End, Gap, Manifest, is_id};
use recordings::timeline::{self, Entry, Event};
use recordings::upload::{self, Place};
use recordings::{Codec, Container, Journal, Scan, recovery, room};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// So many files' segments are remembered, and so many parts in all: those of a replay of a large meeting of hours.
const REMEMBERED: usize = 64;
const REMEMBERED_PARTS: usize = 1 << 19;
/// A segment is at least so long, where key frames let it.
const SEGMENT_MS: u64 = 2_000;

/// Brings a file of a recording (its id, the file's name) that is in the object store only to a place, unless it is
/// cancelled. Waits; not for the runtime's own threads.
pub type Fetch = Arc<dyn Fn(&str, &str, &Path, &AtomicBool) -> io::Result<()> + Send + Sync>;

/// The folder of all recordings. Clones share what is remembered.
#[derive(Clone)]
pub struct Library {
    folder: PathBuf,
    fetch: Fetch,
    /// Bytes that stay free on the disk.
    reserve: u64,
    segments: Arc<Mutex<VecDeque<Remembered>>>,
    /// Held by who brings a file here to look at it.
    fetching: Arc<Mutex<()>>,
}

/// What was found in a file when it had so many bytes.
struct Remembered {
    path: PathBuf,
    bytes: u64,
    scan: Arc<Scan>,
    segments: Arc<Segments>,
}

/// A file of a recording that somebody wants to read.
#[derive(Debug)]
pub struct Opened {
    /// Its name.
    pub name: String,
    /// Of what is in it.
    pub codec: Codec,
    /// So far.
    pub bytes: u64,
    /// Opened where it lies here; `None` where it is in the object store only.
    pub file: Option<File>,
}

/// A recording as its folder has it.
#[derive(Debug, Clone)]
pub struct Detail {
    /// In the order in which they were begun.
    pub tracks: Vec<Track>,
    /// When nothing was kept.
    pub gaps: Vec<Gap>,
    /// Where it has ended.
    pub end: Option<End>,
    /// How long it is, as far as files that are complete say.
    pub duration_ms: u64,
    /// Bytes of the sound of everybody in one file, where that is made.
    pub mix: Option<u64>,
}

/// A file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Its number.
    pub file: u32,
    /// Whose.
    pub participant: u32,
    /// Their name when it began.
    pub name: String,
    /// Which of their sources.
    pub source: String,
    /// Of its frames.
    pub codec: Codec,
    /// RFC 6381.
    pub codecs: String,
    /// So far.
    pub bytes: u64,
    /// When its first frame begins.
    pub start_ms: u64,
    /// When its last frame ends; absent while it is being written.
    pub end_ms: Option<u64>,
    /// The largest pictures.
    pub size: Option<(u16, u16)>,
}

/// Where a player can begin in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// Bytes of the head.
    pub init: u64,
    /// Offset, length, start and end in milliseconds.
    pub segments: Vec<[u64; 4]>,
}

impl Library {
    /// Of this folder, which need not be there; `reserve` bytes stay free beside what is fetched.
    #[must_use]
    pub fn new(folder: PathBuf, reserve: u64, fetch: Fetch) -> Self {
        Self { folder, fetch, reserve, segments: Arc::default(), fetching: Arc::default() }
    }

    /// The folder of all.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.folder
    }

    /// The folder of a recording; `None` where this can be no recording's name.
    #[must_use]
    pub fn folder(&self, id: &str) -> Option<PathBuf> {
        is_id(id).then(|| self.folder.join(id))
    }

    /// Whether the disk says that a recording has no folder; where the disk itself is gone it says nothing.
    #[must_use]
    pub fn is_missing(&self, id: &str) -> bool {
        let gone = |folder: PathBuf| folder.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        self.folder.read_dir().is_ok() && self.folder(id).is_some_and(gone)
    }

    /// The recordings that are there.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.filter_map(|entry| entry.file_name().into_string().ok()).filter(|id| is_id(id)).collect()
    }

    /// What a recording that is complete turned out to be, completing it where it is not.
    ///
    /// # Errors
    /// When it can't be read or completed.
    pub fn complete(&self, id: &str) -> io::Result<(Manifest, RecordingMade)> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        let manifest = recovery::recover(&folder).manifest?;
        let mut participants = Vec::new();
        for entry in self.timeline(id)? {
            if let Event::Joined { name, .. } = entry.event
                && !participants.contains(&name)
            {
                participants.push(name);
            }
        }
        for track in &manifest.tracks {
            if !participants.contains(&track.name) {
                participants.push(track.name.clone());
            }
        }
        let here: u64 =
            fs::read_dir(&folder)?.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum();
        let stored = upload::objects(&folder)?;
        let there: u64 =
            stored.iter().filter(|object| !folder.join(&object.name).exists()).map(|object| object.bytes).sum();
        let bytes = here + there;
        let duration_ms = manifest.duration_ms();
        let made = RecordingMade { state: RecordingState::Finished, duration_ms, bytes, participants };
        Ok((manifest, made))
    }

    /// Its tracks and gaps.
    ///
    /// # Errors
    /// When its manifest can't be read.
    pub fn detail(&self, id: &str) -> io::Result<Detail> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        let manifest = recovery::read(&folder)?;
        let mut tracks = Vec::new();
        for file in &manifest.files {
            let (Some(name), Some(track)) =
                (manifest.file_name(file.file), manifest.tracks.iter().find(|track| track.track == file.track))
            else {
                continue;
            };
            let closed = manifest.closed(file.file);
            let bytes =
                closed.map_or_else(|| fs::metadata(folder.join(name)).map_or(0, |file| file.len()), |c| c.bytes);
            let sizes = manifest.sizes.iter().filter(|size| size.file == file.file);
            let size = sizes.map(|size| (size.width, size.height)).max_by_key(|(w, h)| u32::from(*w) * u32::from(*h));
            tracks.push(Track {
                file: file.file,
                participant: track.participant,
                name: track.name.clone(),
                source: track.source.clone(),
                codec: file.codec,
                codecs: file.codecs.clone(),
                bytes,
                start_ms: closed.map_or(file.at_ms, |closed| closed.start_ms),
                end_ms: closed.map(|closed| closed.end_ms),
                size,
            });
        }
        let duration_ms = manifest.duration_ms();
        let mix = self.mix(id).and_then(|file| file.metadata()).map(|file| file.len()).ok();
        Ok(Detail { tracks, duration_ms, gaps: manifest.gaps, end: manifest.end, mix })
    }

    /// The sound of everybody in one file.
    ///
    /// # Errors
    /// When there is none.
    pub fn mix(&self, id: &str) -> io::Result<File> {
        let path = self.folder(id).ok_or(ErrorKind::NotFound)?.join(recordings::mix::FILE);
        plain(&path)
    }

    /// A file of a recording, opened, and what is in it.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(&self, id: &str, file: u32) -> io::Result<Opened> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        let manifest = recovery::read(&folder)?;
        let name = manifest.file_name(file).ok_or(ErrorKind::NotFound)?.to_owned();
        let codec = manifest.files.iter().find(|known| known.file == file).ok_or(ErrorKind::NotFound)?.codec;
        // It may go to the object store between two looks.
        for _ in 0..2 {
            match upload::place(&folder, &name)? {
                Some(Place::Local(path)) => match plain(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    opened => {
                        let opened = opened?;
                        let bytes = opened.metadata()?.len();
                        return Ok(Opened { name, codec, bytes, file: Some(opened) });
                    }
                },
                Some(Place::Stored(object)) => return Ok(Opened { name, codec, bytes: object.bytes, file: None }),
                None => break,
            }
        }
        Err(ErrorKind::NotFound.into())
    }

    /// Where a player can begin in a file. One that grows is read once: the next time behind what is known.
    ///
    /// # Errors
    /// When there is none; [`ErrorKind::ResourceBusy`] where it has to be fetched and another one is being fetched.
    pub fn segments(&self, id: &str, file: u32) -> io::Result<Arc<Segments>> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        let Opened { name, codec, bytes, file } = self.open(id, file)?;
        let path = folder.join(&name);
        let lock = || self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = Arc::default();
        if let Some(known) = lock().iter().find(|known| known.path == path && known.bytes <= bytes) {
            if known.bytes == bytes {
                return Ok(Arc::clone(&known.segments));
            }
            before = Arc::clone(&known.scan);
        }
        // Until it is remembered nobody fetches it again.
        let (scan, _fetching) = match file {
            Some(file) => {
                let before = Arc::<Scan>::unwrap_or_clone(before);
                (Container::scan_on(codec, &mut BufReader::new(file), before)?, None)
            }
            None => self.index(id, &folder, &name, bytes)?,
        };
        let segments = Arc::new(segments(codec, &scan));
        let mut remembered = lock();
        remembered.retain(|known| known.path != path);
        remembered.push_back(Remembered { path, bytes, scan: Arc::new(scan), segments: Arc::clone(&segments) });
        let parts = |all: &VecDeque<Remembered>| all.iter().map(|known| known.scan.parts.len()).sum::<usize>();
        while remembered.len() > REMEMBERED || (remembered.len() > 1 && parts(&remembered) > REMEMBERED_PARTS) {
            remembered.pop_front();
        }
        Ok(segments)
    }

    /// What stands in a file that is in the object store only. Where nobody noted that, it is brought here to look: one at
    /// a time, since each may be large, and who wants another asks again.
    fn index(&self, id: &str, folder: &Path, name: &str, bytes: u64) -> io::Result<(Scan, Option<MutexGuard<'_, ()>>)> {
        match upload::index(folder, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            index => return Ok((index?, None)),
        }
        let fetching = match self.fetching.try_lock() {
            Ok(fetching) => fetching,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::ResourceBusy.into()),
        };
        // Whoever fetched until now may have fetched this.
        let known = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let path = folder.join(name);
        if let Some(known) = known.iter().find(|known| known.path == path && known.bytes == bytes) {
            return Ok((Scan::clone(&known.scan), None));
        }
        drop(known);
        if room::free(folder) < self.reserve.saturating_add(bytes) {
            return Err(ErrorKind::StorageFull.into());
        }
        let at = folder.join(format!("{name}.part"));
        // What a server that was killed left there is worth nothing.
        let _ = fs::remove_file(&at);
        let scan = (self.fetch)(id, name, &at, &AtomicBool::new(false)).and_then(|()| upload::look(folder, name, &at));
        let _ = fs::remove_file(&at);
        let scan = scan?;
        if let Err(error) = upload::note(folder, name, &scan) {
            // It is remembered all the same, as long as there is room for it.
            tracing::warn!(%error, recording = id, file = name, "where a file can be begun could not be noted");
        }
        Ok((scan, Some(fetching)))
    }

    /// What happened, in order.
    ///
    /// # Errors
    /// When it can't be read. Where nothing was noted there is nothing.
    pub fn timeline(&self, id: &str) -> io::Result<Vec<Entry>> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        match fs::read(folder.join(Journal::Timeline.file())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            bytes => Ok(timeline::read(&bytes?)),
        }
    }

    /// Deletes a recording. One that is not there is deleted.
    ///
    /// # Errors
    /// When something of it stays.
    pub fn delete(&self, id: &str) -> io::Result<()> {
        let folder = self.folder(id).ok_or(ErrorKind::NotFound)?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// What is not a plain file in its place was put there by somebody else.
fn plain(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_file() { File::open(path) } else { Err(ErrorKind::NotFound.into()) }
}

/// Parts in a row become segments that begin with a key frame; sound may begin with any part.
fn segments(codec: Codec, scan: &Scan) -> Segments {
    let mut segments: Vec<[u64; 4]> = Vec::new();
    for part in &scan.parts {
        let (start, end) = (codec.ms(part.time), codec.ms(part.time + part.duration));
        match segments.last_mut() {
            Some([offset, len, from, until])
                if (!part.independent && !codec.is_audio())
                    || (end.saturating_sub(*from) <= SEGMENT_MS && start <= *until + 1) =>
            {
                *len = part.offset + part.len - *offset;
                *until = (*until).max(end);
            }
            _ => segments.push([part.offset, part.len, start, end]),
        }
    }
    Segments { init: scan.init.len() as u64, segments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recordings::codec::Config;
    use recordings::{Part, Sample};
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn part(index: u64, ms: u64, independent: bool) -> recordings::Entry {
        recordings::Entry {
            offset: 100 + index * 10,
            len: 10,
            time: ms * 90,
            duration: 500 * 90,
            independent,
            frames: 1,
        }
    }

    #[test]
    fn segments_begin_with_key_frames_and_gaps_are_between_them() {
        let keys = [0, 4, 5, 6, 14];
        let parts = (0..16).map(|index| {
            let ms = index * 500 + if index >= 6 { 60_000 } else { 0 };
            part(index, ms, keys.contains(&index))
        });
        let scan = Scan { init: vec![0; 100], parts: parts.collect(), whole: 260 };
        let made = segments(Codec::Vp8, &scan);
        assert_eq!(made.init, 100);
        assert_eq!(
            made.segments,
            [[100, 40, 0, 2_000], [140, 20, 2_000, 3_000], [160, 80, 63_000, 67_000], [240, 20, 67_000, 68_000]]
        );
    }

    const ID: &str = "meeting-1800000000000";

    /// A line of a journal.
    fn line(json: &serde_json::Value) -> String {
        let json = json.to_string();
        let sum = json.bytes().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        });
        format!("{:08x} {json}\n", !sum)
    }

    /// A recording of two microphones whose files are in the object store only, and one of them.
    fn stored(root: &Path) -> PathBuf {
        let (folder, object) = (root.join(ID), root.join("object"));
        fs::create_dir(&folder).expect("a folder");
        let mut container = Container::new(&Config::Opus);
        let sample = Sample { duration: 960, composition: 0, key: true, data: vec![0xf8, 0xff, 0xfe].into() };
        let mut file = container.init().to_vec();
        for second in 0..4 {
            let samples = vec![sample.clone(); 50];
            file.extend(container.part(&Part { codec: Codec::Opus, time: second * 48_000, samples }));
        }
        fs::write(&object, &file).expect("written");
        let mut manifest = line(&json!({"record": "start", "version": 1, "id": ID, "title": "", "started_at": 0}));
        let mut ledger = String::new();
        for n in 1..=2 {
            let name = format!("000{n}-microphone.mp4");
            for record in [
                json!({"record": "track", "track": n, "participant": n, "name": "Ana", "source": "microphone", "at_ms": 0}),
                json!({"record": "file", "file": n, "track": n, "name": name, "codec": "opus", "codecs": "opus", "at_ms": 0}),
                json!({"record": "closed", "file": n, "bytes": file.len(), "start_ms": 0, "end_ms": 4_000, "frames": 200}),
            ] {
                manifest += &line(&record);
            }
            ledger += &line(&json!({"record": "stored", "name": name, "bytes": file.len(), "sha256": ""}));
            ledger += &line(&json!({"record": "moved", "name": name}));
        }
        fs::write(folder.join("manifest.jsonl"), manifest).expect("written");
        fs::write(folder.join("objects.jsonl"), ledger).expect("written");
        object
    }

    #[test]
    fn of_files_that_are_stored_without_a_note_one_is_fetched_at_a_time_and_each_once() {
        let root = tempfile::tempdir().expect("a folder");
        let object = stored(root.path());
        let (fetched, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let fetch: Fetch = {
            let (fetched, now) = (Arc::clone(&fetched), Arc::clone(&now));
            Arc::new(move |_, _, to, _| {
                assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0, "another one is being fetched");
                fetched.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(30));
                let copied = fs::copy(&object, to).map(|_| ());
                now.fetch_sub(1, Ordering::SeqCst);
                copied
            })
        };
        let full = Library::new(root.path().to_owned(), u64::MAX, Arc::clone(&fetch));
        assert_eq!(full.segments(ID, 1).expect_err("no room").kind(), ErrorKind::StorageFull);
        let library = Library::new(root.path().to_owned(), 0, fetch);
        // The second can't be noted.
        fs::create_dir(root.path().join(ID).join("0002-microphone.mp4.new.parts")).expect("a folder");
        std::thread::scope(|scope| {
            for asker in 0..8 {
                let library = &library;
                scope.spawn(move || {
                    loop {
                        match library.segments(ID, asker % 2 + 1) {
                            Ok(found) => break assert_eq!(found.segments.len(), 2),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::ResourceBusy),
                        }
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                });
            }
        });
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
        let left = fs::read_dir(root.path().join(ID)).expect("there").flatten().map(|entry| entry.file_name());
        let mut left: Vec<_> = left.filter_map(|name| name.into_string().ok()).collect();
        left.sort();
        let expected =
            ["0001-microphone.mp4.parts", "0002-microphone.mp4.new.parts", "manifest.jsonl", "objects.jsonl"];
        assert_eq!(left, expected);
    }

    // acceptance: SEC10
    #[test]
    fn no_id_leads_out_of_the_folder() {
        let library =
            Library::new(PathBuf::from("/srv/recordings"), 0, Arc::new(|_, _, _, _| panic!("nothing is fetched")));
        for id in ["", "..", "../../etc/passwd", "a/b-long-enough", "/etc/passwd", "..%2f..%2fetc"] {
            assert_eq!(library.folder(id), None, "{id}");
            assert!(library.delete(id).is_err() && library.detail(id).is_err() && library.open(id, 1).is_err(), "{id}");
        }
    }
}
