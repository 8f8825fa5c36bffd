//! The layers of one source, and which of them is kept: the best that arrives, changed at key frames only. Knows neither
//! sessions nor files.

use super::Zero;
use super::assemble::{Assembled, Assembler, Piece, codec_of};
use super::placement::Placement;
use super::reorder::{Next, Reorder};
use crate::session::plan::Ssrc;
use crate::worker::tap::Packet;
use recordings::codec::Config;
use recordings::{Codec, Frame};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A layer of which nothing came for so long has stopped, where others went on meanwhile by so many pictures: of a screen on
/// which nothing moves, each layer has one a second.
const SILENCE: Duration = Duration::from_secs(1);
const WENT_ON: u32 = 3;
/// The first packets of a stream are a key frame's, mostly: nobody is asked for one before that would be here.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);
/// How often a key frame is asked for.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// One source.
#[derive(Debug)]
pub(super) struct Layers {
    /// Higher ones are not kept, but the lowest of all.
    height: u16,
    layers: BTreeMap<u8, Layer>,
    current: Option<u8>,
    began: Option<Instant>,
    /// What came since the last key frame was not kept.
    wants_key: bool,
    asked: Option<Instant>,
}

#[derive(Debug)]
struct Layer {
    /// What a stream is told by: another one, or one whose gate was closed meanwhile, has nothing to do with it.
    stream: (Ssrc, u32),
    reorder: Reorder<Option<Piece>>,
    assembler: Assembler,
    placement: Option<(Codec, Placement)>,
    last_packet: Instant,
    last_timestamp: Option<u32>,
    /// Pictures of other layers since.
    others: u32,
    /// Of its pictures, as far as that is known.
    height: Option<u16>,
}

impl Layer {
    fn new(now: Instant, stream: (Ssrc, u32)) -> Self {
        let (reorder, assembler) = (Reorder::default(), Assembler::default());
        Self {
            stream,
            reorder,
            assembler,
            placement: None,
            last_packet: now,
            last_timestamp: None,
            others: 0,
            height: None,
        }
    }

    fn has_stopped(&self, now: Instant) -> bool {
        now >= self.last_packet + SILENCE && self.others >= WENT_ON
    }

    fn place(&mut self, captured_ns: i64, frame: &Assembled) -> Option<u64> {
        let fresh = || (frame.codec, Placement::new(frame.codec.rate()));
        let placement = self.placement.get_or_insert_with(fresh);
        if placement.0 != frame.codec {
            *placement = fresh();
        }
        u64::try_from(placement.1.place(frame.timestamp, captured_ns)).ok()
    }
}

impl Layers {
    pub(super) const fn new(height: u16) -> Self {
        Self { height, layers: BTreeMap::new(), current: None, began: None, wants_key: false, asked: None }
    }

    pub(super) const fn want_key(&mut self) {
        self.wants_key = true;
    }

    pub(super) fn handle_packet(&mut self, now: Instant, number: u8, packet: &Packet) {
        // Until the clock map knows a stream, nobody can say when its frames belong; that is its first packet.
        let (Some(codec), Some(captured_ns)) = (codec_of(packet.codec), packet.captured_ns) else { return };
        let stream = (packet.ssrc, packet.openings);
        let layer = self.layers.entry(number).or_insert_with(|| Layer::new(now, stream));
        if layer.stream != stream {
            *layer = Layer::new(now, stream);
        }
        layer.last_packet = now;
        layer.others = 0;
        let begins = layer.last_timestamp.replace(packet.timestamp) != Some(packet.timestamp);
        layer.height = packet.heights.highest().or(layer.height);
        self.began.get_or_insert(now);
        let Packet { timestamp, marker, .. } = *packet;
        let payload = packet.payload().to_vec();
        layer.reorder.push(now, packet.seq, Some(Piece { timestamp, marker, codec, captured_ns, payload }));
        if begins {
            let others = self.layers.iter_mut().filter(|(other, _)| **other != number);
            others.for_each(|(_, other)| other.others = other.others.saturating_add(1));
        }
    }

    pub(super) fn handle_padding(&mut self, now: Instant, number: u8, seq: u64) {
        if let Some(layer) = self.layers.get_mut(&number) {
            layer.reorder.push(now, seq, None);
        }
    }

    /// Gives the frames that are whole.
    pub(super) fn collect(&mut self, now: Instant, zero: Zero, mut give: impl FnMut(Frame)) {
        let lowest = self.layers.keys().next().copied();
        let most = self.height;
        let too_high =
            |number: u8, layer: &Layer| Some(number) != lowest && layer.height.is_some_and(|height| height > most);
        let gone =
            |number| self.layers.get(&number).is_none_or(|layer| layer.has_stopped(now) || too_high(number, layer));
        let current_gone = self.current.is_none_or(gone);
        for (&number, layer) in &mut self.layers {
            while let Some(next) = layer.reorder.pop(now) {
                let piece = match next {
                    Next::Item(Some(piece)) => piece,
                    Next::Item(None) => continue,
                    Next::Gap => {
                        layer.assembler.gap();
                        continue;
                    }
                };
                for frame in layer.assembler.push(&piece).into_iter().flatten() {
                    let Some(time) = layer.place(zero.captured_ns(now, frame.captured_ns), &frame) else { continue };
                    // Of most codecs only the picture itself says how high it is.
                    if frame.key && !frame.codec.is_audio() {
                        let size = Config::of_key_frame(frame.codec, &frame.data).and_then(|config| config.size());
                        layer.height = size.map(|(_, height)| height).or(layer.height);
                    }
                    let taken = !too_high(number, layer)
                        && match self.current {
                            Some(current) if number == current => true,
                            Some(current) => frame.key && (number > current || current_gone),
                            None => frame.key,
                        };
                    if taken {
                        self.current = Some(number);
                        self.wants_key &= !frame.key;
                        let Assembled { codec, key, data, .. } = frame;
                        give(Frame { codec, time, composition: 0, key, data: data.into() });
                    }
                }
            }
        }
    }

    /// A layer whose key frame would let pictures go on, or become better.
    pub(super) fn poll_wanted(&mut self, now: Instant) -> Option<u8> {
        let early = self.current.is_none() && self.began.is_none_or(|began| now < began + FIRST_PATIENCE);
        if early || self.asked.is_some_and(|asked| now < asked + ASK_AGAIN) {
            return None;
        }
        // The best that flows: to go on with it, or to change to it.
        let lowest = self.layers.keys().next().copied();
        let fits = |number: u8, layer: &Layer| {
            Some(number) == lowest || layer.height.is_none_or(|height| height <= self.height)
        };
        let flows = |(number, layer): &(&u8, &Layer)| !layer.has_stopped(now) && fits(**number, layer);
        let (&best, layer) = self.layers.iter().rev().find(flows)?;
        let wanted = (self.wants_key || self.current != Some(best) || layer.assembler.wants_key()).then_some(best)?;
        self.asked = Some(now);
        Some(wanted)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.layers.values().filter_map(|layer| layer.reorder.poll_timeout()).min()
    }
}
