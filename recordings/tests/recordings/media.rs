//! Real frames for the tests, read from what `tests/fixtures/make` made with ffmpeg. Knows no recorder.

use bytes::Bytes;
use recordings::codec::{av1, h264, hevc};
use recordings::{Codec, Frame};
use std::path::{Path, PathBuf};

/// The two sizes that the pictures have.
pub const SMALL: &str = "160x90";
pub const LARGE: &str = "320x180";

/// A source that begins again when it is over.
#[derive(Debug, Clone)]
pub struct Source {
    pub codec: Codec,
    frames: Vec<(bool, Bytes)>,
}

impl Source {
    pub fn new(codec: Codec, size: &str) -> Self {
        let file = match codec {
            Codec::Opus => fixture("opus.ogg"),
            Codec::Vp8 => fixture(&format!("vp8-{size}.ivf")),
            Codec::Vp9 => fixture(&format!("vp9-{size}.ivf")),
            Codec::Av1 => fixture(&format!("av1-{size}.ivf")),
            Codec::H264 => fixture(&format!("h264-{size}.h264")),
            Codec::Hevc => fixture(&format!("hevc-{size}.h265")),
            Codec::Aac => fixture("aac.adts"),
        };
        Self::read(codec, &file)
    }

    /// Of a file as `tests/fixtures/make` makes them.
    pub fn read(codec: Codec, file: &[u8]) -> Self {
        let frames = match codec {
            Codec::Opus => ogg(file),
            Codec::Vp8 | Codec::Vp9 => ivf(file),
            Codec::Av1 => ivf(file).iter().map(|unit| without_delimiter(unit)).collect(),
            Codec::H264 => annex_b(file, |head| (head & 0x1f == 9, head & 0x1f == 6)),
            Codec::Hevc => annex_b(file, |head| (head >> 1 == 35, matches!(head >> 1, 39 | 40))),
            Codec::Aac => adts(file),
        };
        let key = |data: &[u8]| match codec {
            Codec::Opus | Codec::Aac => true,
            Codec::Vp8 => data[0] & 1 == 0,
            // Profile 0, shown: the bit after.
            Codec::Vp9 => data[0] & 0x04 == 0,
            Codec::H264 => h264::is_key(data),
            Codec::Hevc => hevc::is_key(data),
            Codec::Av1 => av1::obus(data).any(|obu| obu.kind == 1),
        };
        let frames: Vec<_> = frames.into_iter().map(|data| (key(&data), Bytes::from(data))).collect();
        assert!(frames.len() >= 59 && frames[0].0, "{codec:?}: {} frames", frames.len());
        Self { codec, frames }
    }

    /// As somebody may send it who means harm: what containers read is right, and there is no picture.
    pub fn spoilt(mut self) -> Self {
        for (key, data) in &mut self.frames {
            let mut nothing = Vec::new();
            match self.codec {
                Codec::H264 => {
                    let sets = h264::units(data).filter(|unit| matches!(unit[0] & 0x1f, 7 | 8));
                    sets.for_each(|unit| h264::put_unit(&mut nothing, unit));
                    h264::put_unit(&mut nothing, if *key { &[0x65, 0xff, 0xff] } else { &[0x41, 0xff, 0xff] });
                }
                Codec::Av1 => {
                    let sequences = av1::obus(data).filter(|obu| obu.kind == 1);
                    nothing.extend(sequences.flat_map(|obu| obu.whole.to_vec()));
                    // A frame of three bytes that mean nothing.
                    nothing.extend([0x32, 0x03, 0xff, 0xff, 0xff]);
                }
                _ => nothing.extend(data.iter().take(12)),
            }
            *data = nothing.into();
        }
        self
    }

    /// How long each frame lasts, in ticks.
    pub const fn step(&self) -> u64 {
        match self.codec {
            Codec::Opus => 960,
            // 1,024 samples at 44,100 a second.
            Codec::Aac => 1024 * 640,
            _ => 3_000,
        }
    }

    /// The frame with this number, counted from 0, of a source that began at `start`.
    pub fn frame(&self, number: u64, start: u64) -> Frame {
        let (key, data) = self.frames[number as usize % self.frames.len()].clone();
        Frame { codec: self.codec, time: start + number * self.step(), composition: 0, key, data }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    // The root package reads them, too.
    let folders = ["tests/fixtures", "recordings/tests/fixtures"];
    let paths = folders.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name));
    let path: &PathBuf = paths.iter().find(|path| path.exists()).unwrap_or(&paths[0]);
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn ivf(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &file[32..];
    let mut frames = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<12>() {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        frames.push(after[..len].to_vec());
        rest = &after[len..];
    }
    frames
}

fn without_delimiter(unit: &[u8]) -> Vec<u8> {
    av1::obus(unit).filter(|obu| obu.kind != 2).flat_map(|obu| obu.whole.to_vec()).collect()
}

/// Access units, each of which begins with a delimiter, as units after their lengths.
/// What a unit's first byte says: whether it is a delimiter, and whether it is of no use to anybody here (SEI).
fn annex_b(file: &[u8], what: fn(u8) -> (bool, bool)) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..file.len() - 3).filter(|at| file[*at..at + 3] == [0, 0, 1]).map(|at| at + 3).collect();
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for (i, start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(file.len(), |next| next - 3);
        let mut unit = &file[*start..end];
        while let [rest @ .., 0] = unit {
            unit = rest;
        }
        match what(unit[0]) {
            (true, _) => frames.push(Vec::new()),
            (_, true) => {}
            _ => h264::put_unit(frames.last_mut().expect("a delimiter"), unit),
        }
    }
    frames
}

/// Frames behind heads of seven bytes.
fn adts(file: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut frames) = (file, Vec::new());
    while let Some(head) = rest.first_chunk::<7>() {
        let len = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
        frames.push(rest[7..len].to_vec());
        rest = &rest[len..];
    }
    frames
}

/// The packets of an Ogg file, without the two heads of Opus.
fn ogg(file: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut packets, mut packet) = (file, Vec::new(), Vec::new());
    while let Some(head) = rest.get(..27) {
        assert_eq!(&head[..4], b"OggS");
        let lacing = &rest[27..27 + usize::from(head[26])];
        let mut body = &rest[27 + lacing.len()..];
        for &len in lacing {
            packet.extend_from_slice(&body[..usize::from(len)]);
            body = &body[usize::from(len)..];
            if len < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = body;
    }
    packets.split_off(2)
}
