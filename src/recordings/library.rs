//! What lies on the disk of recordings, for those who play them. Every function may wait for the disk. Knows no store, and
//! gives no path that is not of a recording.

use crate::store::{RecordingMade, RecordingState};
use recordings::manifest::{End, Gap, Manifest, is_id};
use recordings::timeline::{self, Entry, Event};
use recordings::upload::{self, Place};
use recordings::{Codec, Container, Journal, Scan, recovery};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    segments: Arc<Mutex<VecDeque<Remembered>>>,
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
    /// Of this folder, which need not be there.
    #[must_use]
    pub fn new(folder: PathBuf, fetch: Fetch) -> Self {
        Self { folder, fetch, segments: Arc::default() }
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
        Ok(Detail { tracks, duration_ms, gaps: manifest.gaps, end: manifest.end })
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
                Some(Place::Local(path)) => {
                    // What is not a plain file in its place was put there by somebody else.
                    let opened = fs::symlink_metadata(&path).and_then(|found| {
                        if found.is_file() { File::open(&path) } else { Err(ErrorKind::NotFound.into()) }
                    });
                    match opened {
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        opened => {
                            let opened = opened?;
                            let bytes = opened.metadata()?.len();
                            return Ok(Opened { name, codec, bytes, file: Some(opened) });
                        }
                    }
                }
                Some(Place::Stored(object)) => return Ok(Opened { name, codec, bytes: object.bytes, file: None }),
                None => break,
            }
        }
        Err(ErrorKind::NotFound.into())
    }

    /// Where a player can begin in a file. One that grows is read once: the next time behind what is known.
    ///
    /// # Errors
    /// When there is none.
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
        let scan = match file {
            Some(file) => Container::scan_on(codec, &mut BufReader::new(file), Arc::<Scan>::unwrap_or_clone(before))?,
            None => self.index(id, &folder, &name)?,
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

    /// What stands in a file that is in the object store only. Where nobody noted that, it is brought here to look.
    fn index(&self, id: &str, folder: &Path, name: &str) -> io::Result<Scan> {
        /// Two who ask at the same time fetch it twice.
        static FETCHED: AtomicU64 = AtomicU64::new(0);
        match upload::index(folder, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            index => return index,
        }
        let at = folder.join(format!("{name}.{}.part", FETCHED.fetch_add(1, Ordering::Relaxed)));
        // What a server that was killed left there is worth nothing.
        let _ = fs::remove_file(&at);
        let scan = (self.fetch)(id, name, &at, &AtomicBool::new(false)).and_then(|()| upload::note(folder, name, &at));
        let _ = fs::remove_file(&at);
        scan
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

    // acceptance: SEC10
    #[test]
    fn no_id_leads_out_of_the_folder() {
        let library =
            Library::new(PathBuf::from("/srv/recordings"), Arc::new(|_, _, _, _| panic!("nothing is fetched")));
        for id in ["", "..", "../../etc/passwd", "a/b-long-enough", "/etc/passwd", "..%2f..%2fetc"] {
            assert_eq!(library.folder(id), None, "{id}");
            assert!(library.delete(id).is_err() && library.detail(id).is_err() && library.open(id, 1).is_err(), "{id}");
        }
    }
}
