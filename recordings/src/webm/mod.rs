//! WebM of one VP8 track: each part is a cluster with a length and a checksum, so that a reader knows what a power cut
//! left whole. Knows no file.

mod ebml;
mod read;

use crate::checksum::Checksum;
use crate::codec::vp8::Config;
use crate::container::Patch;
use crate::frame::{Codec, Part, Sample};
use ebml::{Ebml, id};

pub use read::{scan, scan_on};

/// Writes the clusters of one file.
#[derive(Debug)]
pub struct Writer {
    init: Vec<u8>,
}

/// `Duration` takes the place of a `Void` of the same length: 2 + 1 + 8 bytes.
const DURATION: usize = 11;

impl Writer {
    /// For frames of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut head = Ebml::default();
        head.uint(id::EBML_VERSION, 1);
        head.uint(id::EBML_READ_VERSION, 1);
        head.uint(id::EBML_MAX_ID_LENGTH, 4);
        head.uint(id::EBML_MAX_SIZE_LENGTH, 8);
        head.bytes(id::DOC_TYPE, b"webm");
        head.uint(id::DOC_TYPE_VERSION, 4);
        head.uint(id::DOC_TYPE_READ_VERSION, 2);
        let mut info = Ebml::default();
        info.uint(id::TIMESTAMP_SCALE, 1_000_000);
        info.bytes(id::MUXING_APP, b"symposia");
        info.bytes(id::WRITING_APP, b"symposia");
        info.bytes(id::VOID, &[0; DURATION - 2]);
        let mut video = Ebml::default();
        video.uint(id::PIXEL_WIDTH, u64::from(config.width));
        video.uint(id::PIXEL_HEIGHT, u64::from(config.height));
        let mut track = Ebml::default();
        track.uint(id::TRACK_NUMBER, 1);
        track.uint(id::TRACK_UID, 1);
        track.uint(id::TRACK_TYPE, 1);
        track.uint(id::FLAG_LACING, 0);
        track.bytes(id::CODEC_ID, b"V_VP8");
        track.master(id::VIDEO, video);
        let mut tracks = Ebml::default();
        tracks.master(id::TRACK_ENTRY, track);
        let mut init = Ebml::default();
        init.master(id::EBML, head);
        // Its length is not known while it is written.
        init.unknown_length(id::SEGMENT);
        init.master(id::INFO, info);
        init.master(id::TRACKS, tracks);
        Self { init: init.into_bytes() }
    }

    /// All that stands before the first cluster.
    #[must_use]
    pub fn init(&self) -> &[u8] {
        &self.init
    }

    /// A cluster.
    #[must_use]
    pub fn part(&self, part: &Part) -> Vec<u8> {
        let ms = |ticks| Codec::Vp8.ms(ticks);
        let start = ms(part.time);
        let mut cluster = Ebml::default();
        cluster.uint(id::TIMESTAMP, start);
        let mut at = part.time;
        for (i, sample) in part.samples.iter().enumerate() {
            let relative = (ms(at) - start) as i16;
            at += u64::from(sample.duration);
            if i + 1 < part.samples.len() {
                cluster.bytes(id::SIMPLE_BLOCK, &block(relative, u8::from(sample.key) << 7, sample));
            } else {
                // Nothing follows in this cluster that would tell how long it lasts.
                let mut group = Ebml::default();
                group.bytes(id::BLOCK, &block(relative, 0, sample));
                group.uint(id::BLOCK_DURATION, ms(at) - start - relative as u64);
                if !sample.key {
                    group.int(id::REFERENCE_BLOCK, -1);
                }
                cluster.master(id::BLOCK_GROUP, group);
            }
        }
        let cluster = cluster.into_bytes();
        let mut checked = Ebml::default();
        checked.bytes(id::CRC_32, &Checksum::of(&cluster).to_le_bytes());
        checked.raw(&cluster);
        let mut bytes = Ebml::default();
        bytes.master(id::CLUSTER, checked);
        bytes.into_bytes()
    }
}

/// A block of track 1.
fn block(relative: i16, flags: u8, sample: &Sample) -> Vec<u8> {
    let mut block = Vec::with_capacity(4 + sample.data.len());
    block.push(0x81);
    block.extend_from_slice(&relative.to_be_bytes());
    block.push(flags);
    block.extend_from_slice(&sample.data);
    block
}

/// Says when a file ends that begins with `init`; also where this was said before.
#[must_use]
pub fn ends(init: &[u8], end: u64) -> Option<Patch> {
    let mut void = Ebml::default();
    void.bytes(id::VOID, &[0; DURATION - 2]);
    let void = void.into_bytes();
    let said = [0x44, 0x89, 0x88];
    let at = init
        .windows(DURATION)
        .position(|window| window == void)
        .or_else(|| init.windows(DURATION).position(|window| window.starts_with(&said)))?;
    let mut duration = Ebml::default();
    duration.float(id::DURATION, Codec::Vp8.ms(end) as f64);
    Some(Patch { at: at as u64, bytes: duration.into_bytes() })
}
