//! Packets in their order become frames, in the form that `recordings` wants. A frame that lost a packet is none, and
//! pictures after it are left out until a key frame. Knows no clock and no layers.

use super::{av1, h264};
use crate::rtp::codec::{vp8, vp9};
use crate::session::plan;
use recordings::Codec;
use recordings::codec::vp9::{Config, superframe};

/// A packet as it is needed here.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) codec: Codec,
    /// When it was captured, in nanoseconds of the server's clock.
    pub(super) captured_ns: i64,
    pub(super) payload: Vec<u8>,
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assembled {
    pub(super) timestamp: u32,
    pub(super) codec: Codec,
    pub(super) captured_ns: i64,
    pub(super) key: bool,
    pub(super) data: Vec<u8>,
}

/// What a frame is put together as.
#[derive(Debug)]
enum Body {
    /// One after the other.
    Plain(Vec<u8>),
    /// The frames of a picture's spatial layers.
    Vp9(Vec<Vec<u8>>),
    H264(h264::Body),
    Av1(av1::Body),
}

#[derive(Debug)]
struct Open {
    timestamp: u32,
    codec: Codec,
    captured_ns: i64,
    key: bool,
    /// Bytes of its packets so far.
    len: usize,
    body: Body,
}

/// One stream's frames.
#[derive(Debug)]
pub(super) struct Assembler {
    open: Option<Open>,
    /// The frame with this timestamp lost something: what comes of it is left out.
    broken: Option<u32>,
    wants_key: bool,
    parameters: h264::Parameters,
}

impl Default for Assembler {
    fn default() -> Self {
        Self { open: None, broken: None, wants_key: true, parameters: h264::Parameters::default() }
    }
}

/// The codec of frames that a payload belongs to; redundancy is taken apart before it gets here.
pub(super) const fn codec_of(codec: plan::Codec) -> Option<Codec> {
    Some(match codec {
        plan::Codec::Opus => Codec::Opus,
        plan::Codec::Red => return None,
        plan::Codec::Vp8 => Codec::Vp8,
        plan::Codec::Vp9 { .. } => Codec::Vp9,
        plan::Codec::H264 { .. } => Codec::H264,
        plan::Codec::Av1 => Codec::Av1,
    })
}

/// Bytes of a frame at most: key frames of large screens have one or two million.
const MAX_FRAME: usize = 4 << 20;

impl Assembler {
    /// Whether pictures wait for a key frame.
    pub(super) const fn wants_key(&self) -> bool {
        self.wants_key
    }

    /// Something will not come.
    pub(super) fn gap(&mut self) {
        if let Some(open) = self.open.take() {
            self.broken = Some(open.timestamp);
        }
        self.wants_key = true;
    }

    /// Takes the next packet, and gives what it ends: a frame before it whose marker did not come, its own.
    pub(super) fn push(&mut self, piece: &Piece) -> [Option<Assembled>; 2] {
        let another = self.open.as_ref().is_some_and(|open| open.timestamp != piece.timestamp);
        let before = if another { self.finish() } else { None };
        if piece.payload.is_empty() || self.broken == Some(piece.timestamp) {
            return [before, None];
        }
        self.broken = None;
        if self.add(piece).is_none() {
            self.open = None;
            self.broken = Some(piece.timestamp);
            self.wants_key |= !piece.codec.is_audio();
            return [before, None];
        }
        let ends = piece.marker || piece.codec.is_audio();
        [before, if ends { self.finish() } else { None }]
    }

    /// `None` where it can't belong to a whole frame.
    fn add(&mut self, piece: &Piece) -> Option<()> {
        let Piece { timestamp, codec, captured_ns, .. } = *piece;
        let payload = piece.payload.as_slice();
        let begins = self.open.is_none();
        let open = self.open.get_or_insert_with(|| {
            let body = match codec {
                // The last two come from no browser.
                Codec::Opus | Codec::Vp8 | Codec::Hevc | Codec::Aac => Body::Plain(Vec::new()),
                Codec::Vp9 => Body::Vp9(Vec::new()),
                Codec::H264 => Body::H264(h264::Body::default()),
                Codec::Av1 => Body::Av1(av1::Body::default()),
            };
            Open { timestamp, codec, captured_ns, key: codec.is_audio(), len: 0, body }
        });
        open.len += payload.len();
        if open.len > MAX_FRAME {
            return None;
        }
        match (&mut open.body, codec) {
            (Body::Plain(data), Codec::Opus) => data.extend_from_slice(payload),
            (Body::Plain(data), Codec::Vp8) => {
                let descriptor = vp8::Descriptor::parse(payload).ok()?;
                if begins != descriptor.starts_frame() {
                    return None;
                }
                open.key |= descriptor.starts_key_frame(payload);
                data.extend_from_slice(payload.get(descriptor.len..)?);
            }
            (Body::Vp9(frames), Codec::Vp9) => {
                let descriptor = vp9::Descriptor::parse(payload).ok()?;
                if begins && !descriptor.starts_picture() {
                    return None;
                }
                if descriptor.starts_frame {
                    frames.push(Vec::new());
                }
                frames.last_mut()?.extend_from_slice(payload.get(descriptor.len..)?);
            }
            (Body::H264(body), Codec::H264) => body.push(payload)?,
            (Body::Av1(body), Codec::Av1) => body.push(payload)?,
            // Another codec in the middle of a frame.
            _ => return None,
        }
        Some(())
    }

    fn finish(&mut self) -> Option<Assembled> {
        let Open { timestamp, codec, captured_ns, mut key, body, .. } = self.open.take()?;
        let data = match body {
            Body::Plain(data) => Some(data),
            Body::Vp9(frames) => {
                // The picture itself says what it is; not all senders tell the truth in the descriptor.
                key = frames.first().is_some_and(|first| Config::of(first).is_some());
                superframe(&frames.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
            Body::H264(body) => body.finish(&mut self.parameters).map(|(data, is_key)| {
                key = is_key;
                data
            }),
            Body::Av1(body) => body.finish().map(|(data, is_key)| {
                key = is_key;
                data
            }),
        };
        let Some(data) = data.filter(|data| !data.is_empty()) else {
            self.wants_key |= !codec.is_audio();
            return None;
        };
        if self.wants_key && !key {
            return None;
        }
        self.wants_key = false;
        Some(Assembled { timestamp, codec, captured_ns, key, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_without_an_end_takes_no_more_than_a_frame() {
        let start = |data: &[u8]| [&[0x10], data].concat();
        let go_on = |data: &[u8]| [&[0x00], data].concat();
        let vp8 = (Codec::Vp8, start(&[0; 1000]), go_on(&[0; 1000]));
        let h264 = (Codec::H264, [&[0x7c, 0x85][..], &[0; 1000]].concat(), [&[0x7c, 0x05][..], &[0; 1000]].concat());
        let av1 = (Codec::Av1, [&[0x50][..], &[0; 1000]].concat(), [&[0xd0][..], &[0; 1000]].concat());
        for (codec, first, rest) in [vp8, h264, av1] {
            let mut assembler = Assembler::default();
            for number in 0..6_000 {
                let payload = if number == 0 { first.clone() } else { rest.clone() };
                let piece = Piece { timestamp: 1, marker: false, codec, captured_ns: 0, payload };
                assert_eq!(assembler.push(&piece).map(|frame| frame.is_some()), [false; 2]);
                let taken = assembler.open.as_ref().map_or(0, |open| open.len);
                assert!(taken <= MAX_FRAME, "{codec:?}: {taken}");
                assert!(taken > 0 || number > 4_000, "{codec:?} at {number}");
            }
            assert!(assembler.open.is_none() && assembler.wants_key(), "{codec:?}");
        }
    }
}
