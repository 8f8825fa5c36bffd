//! Makes the file of one recording: windows of ten seconds, each mixed, encoded and appended, so that what was made before a
//! crash stays made. The index at its head is filled in at the end, and then the file gets its name. Knows no queue.

use super::limiter::Limiter;
use super::voice::{PART, Voice};
use super::{BITS, FILE, LATE, PACKET, PACKETS, RATE, WINDOW};
use crate::codec::Config;
use crate::frame::{Codec, Part, Sample};
use crate::manifest::Manifest;
use crate::mp4;
use crate::scan::{Entry, Scan};
use bytes::Bytes;
use opus_rs::{Application, OpusEncoder};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// As long as it is being made.
pub(super) const UNFINISHED: &str = "mix.part";
/// A longer recording is none: somebody has changed its manifest.
const LONGEST_MS: u64 = 7 * 24 * 3_600_000;
/// Decoders, and the encoder, need some packets until they sound right: what goes on begins so many samples before.
const BEFORE: usize = PACKET * 50;

/// Mixes the recording in `folder`; `place` says where a file of it lies, by its name. Goes on where an earlier try ended.
/// Whether there was anything to be heard: else there is no file.
///
/// # Errors
/// When something can't be read or written; [`ErrorKind::Interrupted`] where `go_on` says no. What was made stays.
pub fn make(
    folder: &Path,
    manifest: &Manifest,
    place: impl Fn(&str) -> io::Result<PathBuf>,
    go_on: impl Fn() -> bool,
) -> io::Result<bool> {
    let open = |name: &str| {
        if !go_on() {
            return Err(ErrorKind::Interrupted.into());
        }
        match File::open(place(name)?) {
            // Whoever stores it elsewhere took it away after the look.
            Err(error) if error.kind() == ErrorKind::NotFound => File::open(place(name)?),
            opened => opened,
        }
    };
    let mut voices = Vec::new();
    for file in manifest.files.iter().filter(|file| file.codec == Codec::Opus) {
        let Some(name) = manifest.file_name(file.file) else { continue };
        let scan = mp4::scan(&mut BufReader::with_capacity(1 << 16, open(name)?))?;
        voices.push(Voice::new(name, &scan.parts));
    }
    let packets = (manifest.duration_ms().min(LONGEST_MS) * (RATE / 1000)).div_ceil(PACKET as u64);
    if voices.is_empty() || packets == 0 {
        return Ok(false);
    }
    let mut output = Output::open(folder, packets)?;
    let mut window = vec![0.0; WINDOW + PART as usize];
    let (mut encoder, mut limiter) = (encoder()?, Limiter::new());
    let begin = output.scan.parts.len() * WINDOW;
    if begin > 0 {
        let from = (begin - BEFORE) as i64 + LATE;
        for voice in &mut voices {
            voice.seek((begin - 2 * BEFORE) as u64);
            voice.add((from, from + BEFORE as i64), &mut window, open)?;
        }
        let (before, later) = window.split_at_mut(BEFORE);
        limiter.apply(before, later);
        before.chunks(PACKET).try_for_each(|pcm| encode(&mut encoder, pcm).map(|_| ()))?;
        window.copy_within(BEFORE..BEFORE + PART as usize, 0);
        window[PART as usize..].fill(0.0);
    }
    for number in output.scan.parts.len() as u64..packets.div_ceil(PACKETS as u64) {
        let from = (number * WINDOW as u64) as i64 + LATE;
        for voice in &mut voices {
            if !go_on() {
                return Err(ErrorKind::Interrupted.into());
            }
            voice.add((from, from + WINDOW as i64), &mut window, open)?;
        }
        let (now, later) = window.split_at_mut(WINDOW);
        limiter.apply(now, later);
        let left = (packets - number * PACKETS as u64).min(PACKETS as u64) as usize;
        let samples = now.chunks(PACKET).take(left).map(|pcm| encode(&mut encoder, pcm)).collect::<io::Result<_>>()?;
        output.append(&Part { codec: Codec::Opus, time: number * WINDOW as u64, samples })?;
        window.copy_within(WINDOW.., 0);
        window[PART as usize..].fill(0.0);
    }
    output.finish(folder)?;
    Ok(true)
}

fn encoder() -> io::Result<OpusEncoder> {
    let mut encoder = OpusEncoder::new(RATE as i32, 1, Application::Audio).map_err(io::Error::other)?;
    encoder.bitrate_bps = BITS;
    encoder.complexity = 5;
    encoder.use_cbr = false;
    Ok(encoder)
}

fn encode(encoder: &mut OpusEncoder, pcm: &[f32]) -> io::Result<Sample> {
    let mut packet = [0; 1276];
    let len = encoder.encode(pcm, PACKET, &mut packet).map_err(io::Error::other)?;
    let data = Bytes::copy_from_slice(&packet[..len]);
    Ok(Sample { duration: PACKET as u32, composition: 0, key: true, data })
}

/// The file, as far as it is made: head, a place for the index, parts.
struct Output {
    path: PathBuf,
    file: File,
    writer: mp4::Writer,
    head: u64,
    scan: Scan,
    packets: u64,
}

impl Output {
    /// Goes on with what is whole, where that is of this recording's length.
    fn open(folder: &Path, packets: u64) -> io::Result<Self> {
        let path = folder.join(UNFINISHED);
        let mut writer = mp4::Writer::new(&Config::Opus);
        let mut init = writer.init().to_vec();
        if let Some(patch) = mp4::ends(&init, packets * PACKET as u64) {
            let at = patch.at as usize;
            init[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        let parts = packets.div_ceil(PACKETS as u64) as usize;
        let index = mp4::index(&vec![(0, 0); parts]);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let mut scan = Scan { init: init.clone(), parts: Vec::new(), whole: (init.len() + index.len()) as u64 };
        let head = scan.whole;
        let mut found = vec![0; init.len()];
        if file.read_exact_at(&mut found, 0).is_ok() && found == init {
            scan = mp4::scan_on(&mut BufReader::new(&file), scan)?;
            let is_ours = |(at, part): (usize, &Entry)| {
                let time = (at * WINDOW) as u64;
                part.time == time && part.duration == (packets * PACKET as u64 - time).min(WINDOW as u64)
            };
            if scan.parts.len() > parts || !scan.parts.iter().enumerate().all(is_ours) {
                (scan.parts, scan.whole) = (Vec::new(), head);
            }
        } else {
            file.set_len(0)?;
            file.write_all_at(&[init, index].concat(), 0)?;
        }
        file.set_len(scan.whole)?;
        writer.go_on(scan.parts.len() as u32);
        Ok(Self { path, file, writer, head, scan, packets })
    }

    fn append(&mut self, part: &Part) -> io::Result<()> {
        let bytes = self.writer.part(part);
        self.file.write_all_at(&bytes, self.scan.whole)?;
        let (offset, len) = (self.scan.whole, bytes.len() as u64);
        let (time, duration) = (part.time, part.duration());
        self.scan.parts.push(Entry { offset, len, time, duration, independent: true, frames: part.samples.len() });
        self.scan.whole += len;
        Ok(())
    }

    fn finish(self, folder: &Path) -> io::Result<()> {
        let parts: Vec<_> = self.scan.parts.iter().map(|part| (part.len as u32, part.duration as u32)).collect();
        let index = mp4::index(&parts);
        debug_assert_eq!(self.head - self.scan.init.len() as u64, index.len() as u64, "{} packets", self.packets);
        self.file.write_all_at(&index, self.scan.init.len() as u64)?;
        self.file.sync_all()?;
        fs::rename(&self.path, folder.join(FILE))?;
        File::open(folder)?.sync_all()
    }
}
