//! Fragmented MP4 of one track (ISO/IEC 14496-12): boxes by `mp4-atom`, the order and the times are ours. Each part is a
//! `moof`, an `mdat` and a `free` box with the CRC-32 of both, so that a reader knows what a power cut left whole.
//! Knows no file.

mod init;
mod read;

use crate::checksum::Checksum;
use crate::codec::Config;
use crate::container::Patch;
use crate::frame::Part;
use mp4_atom::{Encode, Mfhd, Moof, SegmentReference, Sidx, Tfdt, Tfhd, Traf, Trun, TrunEntry, TrunSamples};

pub use read::{samples, scan, scan_on};

/// The only track of a file.
const TRACK: u32 = 1;
/// The `free` box with the checksum behind each part, in bytes.
const TRAILER: usize = 12;
/// A key frame depends on no other; another frame does, and is no place to begin.
const KEY: u32 = 0x0200_0000;
const DELTA: u32 = 0x0101_0000;

/// Where the parameter sets of H.264 stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sets {
    /// In key frames, so that they may change within a file.
    InFrames,
    /// In `moov`: what changes needs another one.
    InHead,
}

/// Ticks of its codec in one of a file: AAC counts its samples there, as players expect it.
const fn scale(config: &Config) -> u64 {
    match config {
        Config::Aac(aac) => aac.tick(),
        _ => 1,
    }
}

/// Writes the parts of one file.
#[derive(Debug)]
pub struct Writer {
    init: Vec<u8>,
    sequence: u32,
    scale: u64,
}

impl Writer {
    /// For frames of this configuration, VP8 excepted.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { init: init::write(config, Sets::InFrames), sequence: 0, scale: scale(config) }
    }

    /// For a live stream, whose players get another head where anything of the configuration changes.
    #[must_use]
    pub fn for_stream(config: &Config) -> Self {
        Self { init: init::write(config, Sets::InHead), ..Self::new(config) }
    }

    /// `ftyp` and `moov`.
    #[must_use]
    pub fn init(&self) -> &[u8] {
        &self.init
    }

    /// The next part is the one after so many.
    pub const fn go_on(&mut self, parts: u32) {
        self.sequence = parts;
    }

    /// A part with its checksum.
    pub fn part(&mut self, part: &Part) -> Vec<u8> {
        self.sequence += 1;
        let composed = part.samples.iter().any(|sample| sample.composition != 0);
        let scale = self.scale;
        let mut at = part.time;
        let entries = part.samples.iter().map(|sample| {
            let from = at / scale;
            at += u64::from(sample.duration);
            TrunEntry {
                // What is rounded is where a frame stands, not how long it is: nothing adds up.
                duration: u32::try_from(at / scale - from).ok(),
                size: Some(sample.data.len() as u32),
                flags: Some(if sample.key { KEY } else { DELTA }),
                cts: composed.then_some(sample.composition.into()),
            }
        });
        let entries = entries.collect();
        let mut moof = Moof {
            mfhd: Mfhd { sequence_number: self.sequence },
            traf: vec![Traf {
                tfhd: Tfhd { track_id: TRACK, default_base_is_moof: true, ..Tfhd::default() },
                tfdt: Some(Tfdt { base_media_decode_time: part.time / scale }),
                trun: vec![Trun { data_offset: Some(0), samples: TrunSamples::Explicit(entries) }],
                ..Traf::default()
            }],
        };
        let mut bytes = encode(&moof);
        // The samples begin behind the `mdat` head; the number keeps its width.
        moof.traf[0].trun[0].data_offset = i32::try_from(bytes.len() + 8).ok();
        bytes = encode(&moof);
        bytes.reserve(part.len() + 8 + TRAILER);
        bytes.extend_from_slice(&(part.len() as u32 + 8).to_be_bytes());
        bytes.extend_from_slice(b"mdat");
        for sample in &part.samples {
            bytes.extend_from_slice(&sample.data);
        }
        let checksum = Checksum::of(&bytes);
        bytes.extend_from_slice(&(TRAILER as u32).to_be_bytes());
        bytes.extend_from_slice(b"free");
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

/// The index (`sidx`) that stands before parts of so many bytes and ticks, the first of which begins at 0: who plays a file
/// from a server finds a place by it. As long as that of any others as many.
#[must_use]
pub fn index(parts: &[(u32, u32)]) -> Vec<u8> {
    let reference = |&(bytes, ticks): &(u32, u32)| SegmentReference {
        reference_type: false,
        referenced_size: bytes,
        subsegment_duration: ticks,
        starts_with_sap: true,
        sap_type: 1,
        sap_delta_time: 0,
    };
    let references = parts.iter().map(reference).collect();
    encode(&Sidx { reference_id: TRACK, timescale: 48_000, references, ..Sidx::default() })
}

/// Into memory nothing fails but what no box of ours is: too large.
fn encode(atom: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoded = atom.encode(&mut bytes);
    debug_assert!(encoded.is_ok(), "{encoded:?}");
    bytes
}

/// Says when a file ends that begins with `init`: the duration in its `mehd`.
#[must_use]
pub fn ends(init: &[u8], end: u64) -> Option<Patch> {
    // Version 1, no flags.
    let at = init.windows(8).position(|window| window == b"mehd\x01\0\0\0")? + 8;
    (at + 8 <= init.len()).then(|| Patch { at: at as u64, bytes: end.to_be_bytes().to_vec() })
}
