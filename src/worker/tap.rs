//! A tap: what passes a router's open gates, given out once and whole to whoever is no subscriber of it: another
//! worker that has sessions of the same meeting, a recorder, captions. Knows no sockets and no subscribers.
//!
//! A packet costs its worker one push into a ring; what finds the ring full is dropped and counted.

use super::ring::Ring;
use crate::rtp::codec::vp8::Descriptor as Vp8Descriptor;
use crate::rtp::scalability::{Heights, Scalability};
use crate::session::SessionId;
use crate::session::inbound::Media;
use crate::session::plan::{Codec, Ssrc};
use signaling::ids::Source;
use std::sync::Arc;

/// The longest payload that passes: browsers keep their datagrams below 1,500 bytes.
pub const MAX_PAYLOAD: usize = 1500;

/// What may wait for another worker: 50 ms of the packets of 300 microphones and as many pictures.
pub const PLACES: usize = 1024;

/// Who takes what a tap gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// The worker with this index, which is woken when something is there for it.
    Worker(usize),
    /// A part of the program with this number of its own choosing, which looks into its ring as often as it needs.
    Machine(u64),
}

/// Where a router's packets also go.
#[derive(Clone)]
pub struct Tap {
    /// Who takes them; a router has at most one tap of each.
    pub taker: Taker,
    /// Its ring.
    pub ring: Arc<Ring<Tapped>>,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tap").field("taker", &self.taker).finish_non_exhaustive()
    }
}

/// Something that passed, or between workers what belongs to it.
#[derive(Debug, Clone)]
pub struct Tapped {
    /// The publisher's session.
    pub session: SessionId,
    /// Which of its sources.
    pub source: Source,
    /// Which layer of it, lowest first.
    pub layer: u8,
    /// What it is.
    pub what: What,
}

/// What passed.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are packets, and nothing is allocated for one")]
pub enum What {
    /// A packet.
    Packet(Packet),
    /// A number that was only padding is to be left out of what subscribers get.
    Padding {
        /// The publisher's number.
        seq: u64,
        /// The publisher's time.
        timestamp: u32,
    },
    /// The other way, to the publisher's worker: a subscriber can't go on without a key frame.
    KeyFrameWanted,
}

/// A packet, opened; see [`Media`] for the fields that are not told of here.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields of Media")]
pub struct Packet {
    pub ssrc: Ssrc,
    pub seq: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub codec: Codec,
    pub key_start: bool,
    pub heights: Heights,
    pub orientation: Option<u8>,
    pub audio_level: Option<u8>,
    pub vp8: Option<Vp8Descriptor>,
    pub scalability: Scalability,
    /// When it was captured, in nanoseconds of the server's clock, where that is known yet.
    pub captured_ns: Option<i64>,
    /// How often the gate of its source has opened: what passed before it closed counts no more when it opens again.
    pub openings: u32,
    descriptor_len: u8,
    len: u16,
    bytes: [u8; MAX_PAYLOAD],
}

impl Packet {
    /// A copy of a packet; `None` where it is longer than any that browsers send.
    #[must_use]
    pub fn of(media: &Media<'_>, captured_ns: Option<i64>, openings: u32) -> Option<Self> {
        let mut bytes = [0; MAX_PAYLOAD];
        let descriptor_len = u8::try_from(media.descriptor.len()).ok()?;
        let (descriptor, payload) = bytes.split_at_mut_checked(media.descriptor.len())?;
        descriptor.copy_from_slice(media.descriptor);
        payload.get_mut(..media.payload.len())?.copy_from_slice(media.payload);
        Some(Self {
            ssrc: media.ssrc,
            seq: media.seq,
            timestamp: media.timestamp,
            marker: media.marker,
            codec: media.codec,
            key_start: media.key_start,
            heights: media.heights,
            orientation: media.orientation,
            audio_level: media.audio_level,
            vp8: media.vp8,
            scalability: media.scalability,
            captured_ns,
            openings,
            descriptor_len,
            len: media.payload.len() as u16,
            bytes,
        })
    }

    /// Of AV1, its dependency descriptor.
    #[must_use]
    pub fn descriptor(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.descriptor_len)).unwrap_or_default()
    }

    /// Without padding.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        let first = usize::from(self.descriptor_len);
        self.bytes.get(first..first + usize::from(self.len)).unwrap_or_default()
    }
}

/// Workers that found something new in their rings, until the thread has woken them.
#[derive(Debug, Default)]
pub struct Calls([u64; super::MAX_WORKERS / 64]);

impl Calls {
    /// There is something for this worker.
    pub fn add(&mut self, worker: usize) {
        if let Some(word) = self.0.get_mut(worker / 64) {
            *word |= 1 << (worker % 64);
        }
    }

    /// One of them; it is forgotten.
    pub fn pop(&mut self) -> Option<usize> {
        let place = self.0.iter().position(|word| *word != 0)?;
        let bit = self.0[place].trailing_zeros() as usize;
        self.0[place] &= self.0[place] - 1;
        Some(place * 64 + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;

    #[test]
    fn each_worker_is_woken_once_for_all_that_came() {
        let mut calls = Calls::default();
        [255, 3, 64, 3, 0, 255, 300].into_iter().for_each(|worker| calls.add(worker));
        assert_eq!(std::iter::from_fn(|| calls.pop()).collect::<Vec<_>>(), [0, 3, 64, 255]);
        assert_eq!(calls.pop(), None);
    }
}
