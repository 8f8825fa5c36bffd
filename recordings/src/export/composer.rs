//! Makes one export: plans it, has ffmpeg make chunk after chunk of picture and window after window of sound into a
//! scratch folder, puts them together and gives the whole its name. What lies in the scratch folder is worth nothing to
//! anybody else. Knows no queue.

use super::ffmpeg::{Failure, Ffmpeg, Progress};
use super::material::LONGEST_MS;
use super::{Canvas, Layout, Material, RATE, Shows, chunks, labels, scenes, sound, windows};
use crate::container::Container;
use crate::journal::Journal;
use crate::manifest::{File as Entry, Manifest};
use crate::scan::Scan;
use crate::{recovery, room, timeline};
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What a second of a picture takes at most about, in bytes, for the question whether there is room.
const PICTURE_BYTES: u64 = 250_000;
/// What a second of sound takes until it is encoded.
const SOUND_BYTES: u64 = RATE as u64 * 4;
/// How much of the work each is, in hundredths: planning, sound, picture; the rest puts them together.
const PLANNED: f64 = 0.02;
const MIXED: f64 = 0.12;
const PAINTED: f64 = 0.95;

/// One export to be made.
pub(super) struct Job<'a> {
    pub(super) ffmpeg: &'a Ffmpeg,
    /// The recording's folder.
    pub(super) folder: &'a Path,
    pub(super) layout: Layout,
    pub(super) canvas: Canvas,
    /// Bytes that stay free on the disk.
    pub(super) reserve: u64,
    /// Brings a file that is no more in the folder to a place.
    pub(super) fetch: &'a dyn Fn(&str, &Path) -> io::Result<()>,
    pub(super) cancelled: &'a AtomicBool,
    pub(super) progress: &'a dyn Fn(f64),
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Stopped {
    Cancelled,
    Failed(String),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
            _ => error.to_string(),
        })
    }
}

/// The scratch folder of a layout, in the recording's folder.
pub(super) fn scratch(layout: Layout) -> String {
    format!("export-{}.part", layout.name())
}

impl Job<'_> {
    /// Makes it; gives the length of its file. Leaves nothing else behind, whatever happens.
    pub(super) fn make(&self) -> Result<u64, Stopped> {
        let scratch = self.folder.join(scratch(self.layout));
        remove(&scratch)?;
        DirBuilder::new().mode(0o700).create(&scratch)?;
        let made = self.make_in(&scratch);
        // The next start of the server would find it, too.
        let removed = remove(&scratch);
        let bytes = made?;
        removed?;
        Ok(bytes)
    }

    fn make_in(&self, scratch: &Path) -> Result<u64, Stopped> {
        let manifest = recovery::read(self.folder)?;
        if !(1..=LONGEST_MS).contains(&manifest.duration_ms()) {
            return Err(Stopped::Failed("the recording is empty, or its manifest is wrong".to_owned()));
        }
        let seconds = manifest.duration_ms().div_ceil(1000);
        // Picture and sound, and the picture once more in what is made of them.
        self.room(seconds * (2 * PICTURE_BYTES + SOUND_BYTES))?;
        let material = self.material(&manifest, scratch)?;
        (self.progress)(PLANNED);
        let scenes = scenes(&material, self.layout, &self.canvas);
        let frames = self.canvas.frames(material.duration_ms);
        let sound = scratch.join("sound.pcm");
        self.mix(&material, frames, &sound)?;
        let picture = scratch.join("picture.h264");
        self.paint(&material, &scenes, frames, &picture)?;
        let whole = scratch.join("whole.mp4");
        self.join(frames, &whole)?;
        let file = File::open(&whole)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        fs::rename(&whole, self.folder.join(self.layout.file()))?;
        File::open(self.folder)?.sync_all()?;
        Ok(bytes)
    }

    /// What there is, of files that lie here and of those that are fetched.
    fn material(&self, manifest: &Manifest, scratch: &Path) -> Result<Material, Stopped> {
        let timeline = match fs::read(self.folder.join(Journal::Timeline.file())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => timeline::read(&bytes?),
        };
        let (mut scans, mut fetched): (HashMap<u32, Scan>, Vec<u32>) = (HashMap::new(), Vec::new());
        for file in &manifest.files {
            self.go_on()?;
            let Some(name) = manifest.file_name(file.file) else { continue };
            let mut path = self.folder.join(name);
            if !path.exists() {
                path = scratch.join(name);
                (self.fetch)(name, &path)
                    .map_err(|error| Stopped::Failed(format!("{name} could not be fetched: {error}")))?;
                self.room(0)?;
                fetched.push(file.file);
            }
            let scan = Container::scan(file.codec, &mut BufReader::with_capacity(1 << 16, File::open(&path)?))?;
            scans.insert(file.file, scan);
        }
        let place = |file: &Entry| {
            if fetched.contains(&file.file) {
                format!("{}/{}", super::composer::scratch(self.layout), file.name)
            } else {
                file.name.clone()
            }
        };
        Ok(Material::of(manifest, &timeline, &scans, place))
    }

    fn mix(&self, material: &Material, frames: u64, to: &Path) -> Result<(), Stopped> {
        let whole = make(to)?;
        let length_ms = frames * 1000 / u64::from(self.canvas.fps);
        let mut samples = 0;
        for window in windows(material, length_ms) {
            self.go_on()?;
            self.room(0)?;
            samples += window.samples();
            if !window.voices.is_empty() {
                let (path, name) = self.scratch_file("window.pcm");
                let arguments = sound::arguments(&window, material, &name);
                self.run(&arguments, |_| {})?;
                append(&path, &whole)?;
            }
            // Silence takes no room, and no window moves the next one.
            whole.set_len(samples * 4)?;
            let part = samples as f64 / (length_ms * u64::from(RATE / 1000)) as f64;
            (self.progress)(PLANNED + (MIXED - PLANNED) * part);
        }
        whole.set_len(frames * u64::from(RATE / self.canvas.fps) * 4)?;
        Ok(())
    }

    fn paint(&self, material: &Material, scenes: &[scenes::Scene], frames: u64, to: &Path) -> Result<(), Stopped> {
        let whole = make(to)?;
        let mut done = 0;
        for chunk in chunks::chunks(scenes, material, &self.canvas) {
            self.go_on()?;
            self.room(0)?;
            let labels = labels::labels(&chunk.tiles, &self.canvas).filter(|_| self.ffmpeg.writes);
            let names = labels.as_ref().map(|labels| {
                let (path, name) = self.scratch_file("names.ass");
                fs::write(path, labels).map(|()| name)
            });
            let names = names.transpose()?;
            let (path, name) = self.scratch_file("chunk.h264");
            let tell = |made: u64| {
                let part = (done + made.min(chunk.frames())) as f64 / frames as f64;
                (self.progress)(MIXED + (PAINTED - MIXED) * part);
            };
            let names = names.as_deref();
            let call = |chunk| chunks::arguments(self.ffmpeg, chunk, material, &self.canvas, names, &name);
            let progress = |progress: Progress| tell(progress.frames);
            let made = match self.run_once(&call(&chunk), progress) {
                Err(Failure::Run(_)) => {
                    let seen = self.decodable(&chunk, material)?;
                    self.run_once(&call(&seen), progress)
                }
                made => made,
            };
            let made = made.map_err(stopped)?;
            if made.frames != chunk.frames() {
                let (made, wanted) = (made.frames, chunk.frames());
                return Err(Stopped::Failed(format!("ffmpeg made {made} pictures of {wanted}")));
            }
            append(&path, &whole)?;
            done += chunk.frames();
        }
        Ok(())
    }

    fn join(&self, frames: u64, whole: &Path) -> Result<(), Stopped> {
        self.go_on()?;
        let (fps, rate) = (self.canvas.fps.to_string(), RATE.to_string());
        let file = |name: &str| self.scratch_file(name).1;
        let (picture, sound) = (file("picture.h264"), file("sound.pcm"));
        // What was mixed is too quiet by as much; peaks that do not fit are bent instead of cut off.
        let louder = "volume=2.0,alimiter=limit=0.95:level=disabled";
        let arguments: Vec<String> = [
            &["-f", "h264", "-framerate", &fps, "-i", &picture][..],
            &["-f", "s16le", "-ar", &rate, "-ac", "2", "-i", &sound],
            &["-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy", "-af", louder, "-c:a", "aac", "-b:a", "128k"],
            &["-movflags", "+faststart", "-f", "mp4", &file("whole.mp4")],
        ]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
        let length = (frames * 1_000_000 / u64::from(self.canvas.fps)) as f64;
        self.run(&arguments, |progress| {
            (self.progress)(PAINTED + (1.0 - PAINTED) * (progress.micros as f64 / length).min(1.0));
        })?;
        debug_assert!(whole.exists());
        Ok(())
    }

    /// A chunk without the pictures of which nothing can be decoded: whoever sends nonsense keeps nobody else from their
    /// file.
    fn decodable(&self, chunk: &chunks::Chunk, material: &Material) -> Result<chunks::Chunk, Stopped> {
        let mut seen = chunk.clone();
        for tile in &mut seen.tiles {
            let Shows::Picture { picture, .. } = tile.shows else { continue };
            let Some(arguments) = chunks::probe(chunk, tile, material, &self.canvas) else { continue };
            match self.run_once(&arguments, |_| {}) {
                Ok(made) if made.frames > 0 => {}
                Ok(_) | Err(Failure::Run(_)) => tile.shows = Shows::Person(material.pictures[picture].participant),
                Err(failure) => return Err(stopped(failure)),
            }
        }
        Ok(seen)
    }

    /// Runs ffmpeg; once more where it fails.
    fn run(&self, arguments: &[String], mut progress: impl FnMut(Progress)) -> Result<Progress, Stopped> {
        match self.run_once(arguments, &mut progress) {
            Err(Failure::Run(_)) => self.run_once(arguments, progress),
            made => made,
        }
        .map_err(stopped)
    }

    fn run_once(&self, arguments: &[String], progress: impl FnMut(Progress)) -> Result<Progress, Failure> {
        self.ffmpeg.run(self.folder, arguments, self.cancelled, progress)
    }

    /// A file in the scratch folder, and how ffmpeg is told of it.
    fn scratch_file(&self, name: &str) -> (PathBuf, String) {
        let relative = format!("{}/{name}", scratch(self.layout));
        (self.folder.join(&relative), relative)
    }

    fn go_on(&self) -> Result<(), Stopped> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Stopped::Cancelled) } else { Ok(()) }
    }

    /// Whether there is room for so many bytes beside what is to stay free.
    fn room(&self, bytes: u64) -> Result<(), Stopped> {
        let free = room::free(self.folder);
        if free >= self.reserve.saturating_add(bytes) {
            return Ok(());
        }
        let mb = |bytes: u64| bytes >> 20;
        let (free, wanted) = (mb(free.saturating_sub(self.reserve)), mb(bytes));
        Err(Stopped::Failed(format!("the disk has too little room: {free} MB free, {wanted} MB wanted")))
    }
}

fn stopped(failure: Failure) -> Stopped {
    match failure {
        Failure::Cancelled => Stopped::Cancelled,
        Failure::Start(why) => Stopped::Failed(format!("ffmpeg could not be started: {why}")),
        Failure::Run(why) => Stopped::Failed(format!("ffmpeg failed twice: {}", why.trim())),
    }
}

fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Moves what a run made to the end of the whole.
fn append(part: &Path, whole: &File) -> io::Result<()> {
    let mut end = whole;
    end.seek(SeekFrom::End(0))?;
    io::copy(&mut File::open(part)?, &mut end)?;
    fs::remove_file(part)
}

/// Removes a folder with all that is in it, where it is there.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
