//! The numbers that one subscriber sees of a track: continuous whatever layer they come from and whatever
//! is left out. Is told how much time passed; touches no bytes and knows no subscriber.
//!
//! A *generation* is the time between two switches; within it a layer's numbers are moved by constant
//! offsets, but for what was dropped or inserted.

mod ring;
mod runs;

use super::sequence::{PictureId, nearest};
use ring::Ring;
use runs::RunMap;
use std::time::Duration;

/// How many runs of packets between drops are remembered. A late or lost packet older than this is not
/// forwarded: with every second frame dropped at 30 frames/s it is four seconds.
const SEQUENCE_RUNS: usize = 64;
/// How many runs of pictures between drops are remembered; pictures are told apart in fewer packets.
const PICTURE_RUNS: usize = 32;
/// How many generations are remembered, to answer NACKs of what was sent before a switch.
const GENERATIONS: usize = 4;
/// A jump over more than this would count as backwards in the subscriber's comparison of timestamps.
const MAX_TIMESTAMP_STEP: u64 = 0x7fff_ffff;

/// The numbers of a packet as its layer has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// The unwrapped sequence number, as [`super::ReceiveLog`] gives it.
    pub sequence: u64,
    /// The timestamp.
    pub timestamp: u32,
    /// VP8's picture id.
    pub picture_id: Option<PictureId>,
    /// VP8's TL0PICIDX.
    pub tl0: Option<u8>,
    /// The number of its frame in the dependency descriptor.
    pub frame: Option<u16>,
}

/// The numbers of a packet as the subscriber sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The unwrapped sequence number, which is also the SRTP packet index (RFC 3711 §3.3.1).
    pub index: u64,
    /// The timestamp.
    pub timestamp: u32,
    /// VP8's picture id, of the width that the incoming one had.
    pub picture_id: Option<u16>,
    /// VP8's TL0PICIDX.
    pub tl0: Option<u8>,
    /// The number of its frame in the dependency descriptor: frames refer to each other by it, so it does not close up.
    pub frame: Option<u16>,
}

impl Outgoing {
    /// The sequence number on the wire.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.index as u16
    }
}

/// What a drop left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Nothing: the following numbers close up.
    Closed,
    /// The number of this index, which was kept free for the packet. A subscriber that got later ones misses it: see
    /// [`Munger::fill`].
    Open(u64),
}

/// Where a packet that was sent came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The layer named in [`Munger::switch`].
    pub layer: u8,
    /// For [`Munger::again`].
    pub generation: u32,
    /// The layer's unwrapped sequence number.
    pub sequence: u64,
}

/// One generation.
#[derive(Debug, Clone, Copy, Default)]
struct Generation {
    number: u32,
    layer: u8,
    timestamp_offset: u32,
    tl0_offset: u8,
    frame_offset: u16,
    /// Of what came in, forwarded or dropped.
    highest_sequence: u64,
    highest_picture: Option<u64>,
}

impl Generation {
    /// The unwrapped picture id of a packet that may be late.
    fn picture(&self, id: PictureId) -> u64 {
        match self.highest_picture {
            Some(highest) => highest.saturating_add_signed(i64::from(id.distance_from(highest as u16))),
            None => first_picture(id),
        }
    }

    /// The unwrapped picture id of a packet that is newer than all before: its picture is the same or a
    /// later one, however far an encoder's restart made its id jump.
    fn newest_picture(&self, id: PictureId) -> u64 {
        match self.highest_picture {
            Some(highest) => highest + u64::from(id.value.wrapping_sub(highest as u16) & id.bits.mask()),
            None => first_picture(id),
        }
    }
}

/// Leaves room for pictures before the first.
fn first_picture(id: PictureId) -> u64 {
    (1 << 16) + u64::from(id.value)
}

/// The highest that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    index: u64,
    timestamp: u32,
    picture: Option<u64>,
    tl0: Option<u8>,
    frame: Option<u16>,
}

/// The map of one subscription. Per track: [`Munger::switch`] at a layer's first packet, then for each of its
/// packets either [`Munger::map`] or [`Munger::drop_packet`].
#[derive(Debug)]
pub struct Munger {
    clock_rate: u32,
    start: (u16, u32),
    sent: Option<Sent>,
    generations: Ring<Generation, GENERATIONS>,
    sequences: RunMap<SEQUENCE_RUNS>,
    pictures: RunMap<PICTURE_RUNS>,
}

impl Munger {
    /// Of a track of so many ticks per second, whose first packet is to have these numbers.
    #[must_use]
    pub fn new(clock_rate: u32, sequence: u16, timestamp: u32) -> Munger {
        Munger {
            clock_rate,
            start: (sequence, timestamp),
            sent: None,
            generations: Ring::new(),
            sequences: RunMap::new(),
            pictures: RunMap::new(),
        }
    }

    /// Goes on with another layer (or the first one, or the same after a pause), of which `first` is the first
    /// packet to be forwarded, `elapsed` after the last one that was. Returns its numbers: each by one
    /// higher than the last that was sent, the timestamp by what elapsed but at least by one.
    pub fn switch(&mut self, layer: u8, first: &Incoming, elapsed: Duration) -> Outgoing {
        let number = self.generations.last().map_or(0, |last| last.number.wrapping_add(1));
        let (index, timestamp) = match self.sent {
            Some(sent) => (sent.index + 1, sent.timestamp.wrapping_add(self.ticks(elapsed))),
            None => (u64::from(self.start.0), self.start.1),
        };
        self.sequences.start(number, first.sequence, index);
        let picture = first.picture_id.map(first_picture);
        if let Some(incoming) = picture {
            let outgoing = self.sent.and_then(|sent| sent.picture).map_or(incoming, |picture| picture + 1);
            self.pictures.start(number, incoming, outgoing);
        }
        let tl0 = self.sent.and_then(|sent| sent.tl0);
        let tl0_offset = match (tl0, first.tl0) {
            (Some(last), Some(incoming)) => last.wrapping_add(1).wrapping_sub(incoming),
            _ => 0,
        };
        let frame_offset = match (self.sent.and_then(|sent| sent.frame), first.frame) {
            (Some(last), Some(incoming)) => last.wrapping_add(1).wrapping_sub(incoming),
            _ => 0,
        };
        let generation = Generation {
            number,
            layer,
            timestamp_offset: timestamp.wrapping_sub(first.timestamp),
            tl0_offset,
            frame_offset,
            highest_sequence: first.sequence,
            highest_picture: picture,
        };
        self.generations.push(generation);
        let picture = picture.and_then(|picture| self.pictures.map(number, picture));
        let outgoing = outgoing(&generation, first, index, picture);
        self.note(&outgoing, picture);
        outgoing
    }

    /// The numbers of a packet of the current layer, in order or late. `None` before the first switch,
    /// and for a packet from before the switch, of a dropped picture, or too old to be remembered.
    pub fn map(&mut self, packet: &Incoming) -> Option<Outgoing> {
        let generation = *self.generations.last()?;
        let in_order = packet.sequence > generation.highest_sequence;
        let index = self.sequences.map(generation.number, packet.sequence)?;
        let incoming = packet.picture_id.map(|id| match in_order {
            true => generation.newest_picture(id),
            false => generation.picture(id),
        });
        let picture = match incoming {
            None => None,
            Some(incoming) => {
                if generation.highest_picture.is_none() {
                    let outgoing = self.sent.and_then(|sent| sent.picture).map_or(incoming, |picture| picture + 1);
                    self.pictures.start(generation.number, incoming, outgoing);
                }
                let Some(outgoing) = self.pictures.map(generation.number, incoming) else {
                    // The rest of a picture whose beginning was dropped.
                    self.drop_packet(packet);
                    return None;
                };
                Some(outgoing)
            }
        };
        let outgoing = outgoing(&generation, packet, index, picture);
        if in_order {
            self.advance(packet.sequence, incoming);
        }
        // Also a late packet can be the highest that was sent, where all that came after it was dropped.
        if self.sent.is_none_or(|sent| outgoing.index > sent.index) {
            self.note(&outgoing, picture);
        }
        Some(outgoing)
    }

    /// A packet of the current layer is deliberately not forwarded. Where it is newer than all before, its number
    /// goes to the next one, and its picture's id to the next picture, unless part of it was sent.
    pub fn drop_packet(&mut self, packet: &Incoming) -> Gap {
        let Some(&generation) = self.generations.last() else { return Gap::Closed };
        if packet.sequence <= generation.highest_sequence {
            // Nothing is sent with this number; where nothing higher was, a switch takes it over.
            let index = self.sequences.map(generation.number, packet.sequence);
            return index.map_or(Gap::Closed, Gap::Open);
        }
        self.sequences.drop_next(packet.sequence);
        let picture = packet.picture_id.map(|id| generation.newest_picture(id));
        if let (Some(picture), Some(highest)) = (picture, generation.highest_picture)
            && picture > highest
        {
            self.pictures.drop_next(picture);
        }
        // A generation that had no picture id yet gets its first with the first that is forwarded.
        self.advance(packet.sequence, picture.filter(|_| generation.highest_picture.is_some()));
        Gap::Closed
    }

    /// The index and timestamp that were kept free for a packet which came late and is not forwarded: something empty
    /// is to go out with them, since subscribers wait for every number. `None` where nothing was kept free.
    pub fn fill(&mut self, packet: &Incoming) -> Option<(u64, u32)> {
        let generation = self.generations.last().filter(|last| packet.sequence <= last.highest_sequence)?;
        let index = self.sequences.map(generation.number, packet.sequence)?;
        let timestamp = packet.timestamp.wrapping_add(generation.timestamp_offset);
        let sent = self.sent.as_mut()?;
        sent.index = sent.index.max(index);
        Some((index, timestamp))
    }

    /// The index that a packet of the current layer has or would have; `None` where it has none.
    #[must_use]
    pub fn place(&self, sequence: u64) -> Option<u64> {
        self.sequences.map(self.generations.last()?.number, sequence)
    }

    /// The index of a number that was sent or kept free.
    #[must_use]
    pub fn index_of(&self, sequence: u16) -> Option<u64> {
        let highest = self.sent?.index;
        Some(nearest(highest, sequence)).filter(|index| *index <= highest)
    }

    /// Takes the next number for a packet of our own, such as padding that probes for bandwidth: its index, and the
    /// timestamp of the last packet. `None` before the first switch.
    pub fn insert(&mut self) -> Option<(u64, u32)> {
        let next = self.generations.last()?.highest_sequence + 1;
        let index = self.sequences.insert_before(next)?;
        let sent = self.sent.as_mut()?;
        sent.index = index;
        Some((index, sent.timestamp))
    }

    /// Where the packet came from that was sent with this number; `None` of what was inserted, what never was
    /// sent, and what is forgotten.
    #[must_use]
    pub fn origin(&self, sequence: u16) -> Option<Origin> {
        let index = self.index_of(sequence)?;
        let (number, sequence) = self.sequences.find(index)?;
        let generation = self.generation(number)?;
        Some(Origin { layer: generation.layer, generation: number, sequence })
    }

    /// The numbers that a packet was sent with, of any generation that is remembered; see [`Munger::origin`].
    #[must_use]
    pub fn again(&self, generation: u32, packet: &Incoming) -> Option<Outgoing> {
        let generation = self.generation(generation)?;
        if packet.sequence > generation.highest_sequence {
            return None;
        }
        let index = self.sequences.map(generation.number, packet.sequence)?;
        let picture = match packet.picture_id {
            Some(id) => Some(self.pictures.map(generation.number, generation.picture(id))?),
            None => None,
        };
        Some(outgoing(generation, packet, index, picture))
    }

    /// Whether a packet is newer than all of its layer that were forwarded or dropped.
    #[must_use]
    pub fn is_newest(&self, sequence: u64) -> bool {
        self.generations.last().is_none_or(|generation| sequence > generation.highest_sequence)
    }

    /// The highest index that was sent.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.sent.map(|sent| sent.index)
    }

    /// The timestamp of the packet with the highest index.
    #[must_use]
    pub fn last_timestamp(&self) -> Option<u32> {
        self.sent.map(|sent| sent.timestamp)
    }

    /// What is to be added to the current layer's timestamps, for its sender reports.
    #[must_use]
    pub fn timestamp_offset(&self) -> Option<u32> {
        self.generations.last().map(|generation| generation.timestamp_offset)
    }

    fn generation(&self, number: u32) -> Option<&Generation> {
        self.generations.newest_first().find(|generation| generation.number == number)
    }

    fn advance(&mut self, sequence: u64, picture: Option<u64>) {
        if let Some(generation) = self.generations.last_mut() {
            generation.highest_sequence = sequence;
            generation.highest_picture = picture.or(generation.highest_picture);
        }
    }

    fn note(&mut self, outgoing: &Outgoing, picture: Option<u64>) {
        let before = self.sent;
        self.sent = Some(Sent {
            index: outgoing.index,
            timestamp: outgoing.timestamp,
            picture: picture.or(before.and_then(|sent| sent.picture)),
            tl0: outgoing.tl0.or(before.and_then(|sent| sent.tl0)),
            frame: outgoing.frame.or(before.and_then(|sent| sent.frame)),
        });
    }

    fn ticks(&self, elapsed: Duration) -> u32 {
        let rate = u64::from(self.clock_rate);
        let fraction = u64::from(elapsed.subsec_nanos()) * rate / 1_000_000_000;
        elapsed.as_secs().saturating_mul(rate).saturating_add(fraction).clamp(1, MAX_TIMESTAMP_STEP) as u32
    }
}

fn outgoing(generation: &Generation, packet: &Incoming, index: u64, picture: Option<u64>) -> Outgoing {
    Outgoing {
        index,
        timestamp: packet.timestamp.wrapping_add(generation.timestamp_offset),
        picture_id: packet.picture_id.zip(picture).map(|(id, picture)| picture as u16 & id.bits.mask()),
        tl0: packet.tl0.map(|tl0| tl0.wrapping_add(generation.tl0_offset)),
        frame: packet.frame.map(|frame| frame.wrapping_add(generation.frame_offset)),
    }
}

#[cfg(test)]
mod tests;
