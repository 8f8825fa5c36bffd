//! The numbers of one subscription: continuous for the subscriber whatever layer or track goes out under
//! them (sequence numbers, timestamps, VP8 picture ids). Knows no packets and no keys.

use crate::rtp::codec::vp8::Descriptor;
use rand::Rng;
use rand::rngs::StdRng;
use std::time::Duration;

/// Numbers left out lately that packets before and after them must still agree on.
const SKIPS: usize = 16;

/// What of a packet is numbered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) seq: u64,
    pub(super) timestamp: u32,
    pub(super) vp8: Option<&'a Descriptor>,
}

/// The numbers a packet goes out with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    /// Unwrapped; its low 16 bits go into the header, the rest is SRTP's rollover counter.
    pub(super) seq: u64,
    pub(super) timestamp: u32,
    pub(super) picture_id: Option<u16>,
    pub(super) tl0: Option<u8>,
}

/// The map from a publisher's numbers to a subscriber's.
#[derive(Debug)]
pub(super) struct Numbers {
    started: bool,
    /// Source numbers before this belong to an earlier layer.
    from: u64,
    /// What is added to a source number, less the skips before it.
    offset: u64,
    skips: [u64; SKIPS],
    skipped: usize,
    /// The highest source number that went out since the switch.
    highest: u64,
    last_seq: u64,
    timestamp_offset: u32,
    last_timestamp: u32,
    picture_offset: u16,
    last_picture: u16,
    tl0_offset: u8,
    last_tl0: u8,
}

impl Numbers {
    pub(super) fn new(random: &mut StdRng) -> Self {
        Self {
            started: false,
            from: 0,
            offset: 0,
            skips: [0; SKIPS],
            skipped: 0,
            highest: 0,
            // Below half, so that a receiver that misses the first packets can't take it for a wrapped one
            // (RFC 3711 §3.3.1).
            last_seq: u64::from(random.next_u32() & 0x7fff),
            timestamp_offset: 0,
            last_timestamp: random.next_u32(),
            picture_offset: 0,
            last_picture: (random.next_u32() & 0x7fff) as u16,
            tl0_offset: 0,
            last_tl0: random.next_u32() as u8,
        }
    }

    /// From this packet on another layer or track goes out, so long after the last packet's timestamp.
    pub(super) fn switch(&mut self, first: Source<'_>, since_last: Duration, clock_rate: u32) {
        let ticks = if self.started {
            u32::try_from(since_last.as_micros() * u128::from(clock_rate) / 1_000_000).unwrap_or(u32::MAX >> 1).max(1)
        } else {
            0
        };
        self.started = true;
        self.from = first.seq;
        self.highest = first.seq;
        self.skipped = 0;
        self.offset = (self.last_seq + 1).wrapping_sub(first.seq);
        self.timestamp_offset = self.last_timestamp.wrapping_add(ticks).wrapping_sub(first.timestamp);
        if let Some(picture) = first.vp8.and_then(|vp8| vp8.picture_id) {
            self.picture_offset = (self.last_picture + 1).wrapping_sub(picture.value.value) & 0x7fff;
        }
        if let Some(tl0) = first.vp8.and_then(|vp8| vp8.tl0) {
            self.tl0_offset = self.last_tl0.wrapping_add(1).wrapping_sub(tl0.value);
        }
    }

    /// The numbers a packet goes out with; `None` for one of an earlier layer.
    pub(super) fn number(&mut self, source: Source<'_>) -> Option<Numbered> {
        if source.seq < self.from {
            return None;
        }
        let skips = self.skips.get(..self.skipped)?;
        if skips.contains(&source.seq) {
            return None;
        }
        let before = skips.iter().filter(|skip| **skip < source.seq).count() as u64;
        let seq = source.seq.wrapping_add(self.offset).wrapping_sub(before);
        let timestamp = source.timestamp.wrapping_add(self.timestamp_offset);
        let picture_id = source
            .vp8
            .and_then(|vp8| vp8.picture_id)
            .map(|picture| picture.value.value.wrapping_add(self.picture_offset) & 0x7fff);
        let tl0 = source.vp8.and_then(|vp8| vp8.tl0).map(|tl0| tl0.value.wrapping_add(self.tl0_offset));
        if seq > self.last_seq {
            self.last_seq = seq;
            self.last_timestamp = timestamp;
            self.last_picture = picture_id.unwrap_or(self.last_picture);
            self.last_tl0 = tl0.unwrap_or(self.last_tl0);
        }
        self.highest = self.highest.max(source.seq);
        Some(Numbered { seq, timestamp, picture_id, tl0 })
    }

    /// A source number that is never sent; those after it close up. Too late once one after it is out.
    pub(super) fn skip(&mut self, seq: u64) {
        if !self.started || seq <= self.highest || self.skips[..self.skipped].contains(&seq) {
            return;
        }
        if self.skipped == SKIPS {
            let (oldest, _) = (0..).zip(self.skips).min_by_key(|(_, skip)| *skip).unwrap_or((0, 0));
            let oldest: usize = oldest;
            self.from = self.from.max(self.skips[oldest] + 1);
            self.offset = self.offset.wrapping_sub(1);
            self.skips[oldest] = seq;
        } else {
            self.skips[self.skipped] = seq;
            self.skipped += 1;
        }
    }

    /// The timestamp of the packet furthest on.
    pub(super) const fn last_timestamp(&self) -> u32 {
        self.last_timestamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn source(seq: u64, timestamp: u32) -> Source<'static> {
        Source { seq, timestamp, vp8: None }
    }

    #[test]
    fn a_switch_goes_on_where_the_last_layer_ended() {
        let mut numbers = Numbers::new(&mut StdRng::seed_from_u64(1));
        numbers.switch(source(70_000, 500), Duration::ZERO, 90_000);
        let first = numbers.number(source(70_000, 500)).expect("numbered");
        let last = numbers.number(source(70_004, 3_500)).expect("numbered");
        assert_eq!(last.seq, first.seq + 4);
        numbers.switch(source(12, 9), Duration::from_millis(33), 90_000);
        let next = numbers.number(source(12, 9)).expect("numbered");
        assert_eq!(next.seq, last.seq + 1);
        assert_eq!(next.timestamp, last.timestamp.wrapping_add(2_970));
        assert_eq!(numbers.number(source(11, 9)), None, "what was before the switch is not sent");
    }

    #[test]
    fn padding_leaves_no_gap_for_the_subscriber() {
        let mut numbers = Numbers::new(&mut StdRng::seed_from_u64(1));
        numbers.switch(source(100, 0), Duration::ZERO, 90_000);
        let first = numbers.number(source(100, 0)).expect("numbered").seq;
        for seq in 101..200 {
            numbers.skip(seq);
        }
        assert_eq!(numbers.number(source(200, 1)).expect("numbered").seq, first + 1);
        assert_eq!(numbers.number(source(199, 1)), None);
    }

    proptest! {
        /// Whatever arrives in whatever order, no number is given to two packets, those of one layer stand in
        /// its order, and with nothing lost there is no gap.
        #[test]
        fn numbers_are_unique_and_continuous(
            layers in prop::collection::vec(
                (0_u64..1 << 20, prop::collection::vec((0_u8..10, 0_usize..6), 1..60)), 1..6
            ),
        ) {
            let mut numbers = Numbers::new(&mut StdRng::seed_from_u64(7));
            let mut given = std::collections::BTreeMap::new();
            let mut first = None;
            for (layer, (start, packets)) in layers.iter().enumerate() {
                let mut arriving = Vec::new();
                for (place, (kind, late)) in packets.iter().enumerate() {
                    arriving.push((place + late, start + place as u64, *kind == 0 && place > 0));
                }
                arriving.sort();
                // A switch happens at a key frame, which is the first packet.
                numbers.switch(source(*start, 0), Duration::from_millis(20), 90_000);
                let out = numbers.number(source(*start, 0)).expect("the first is numbered");
                first.get_or_insert(out.seq);
                prop_assert!(given.insert(out.seq, (layer, *start)).is_none());
                for (_, seq, padding) in arriving.into_iter().filter(|(_, seq, _)| seq != start) {
                    if padding {
                        numbers.skip(seq);
                    } else if let Some(out) = numbers.number(source(seq, 0)) {
                        prop_assert!(given.insert(out.seq, (layer, seq)).is_none(), "a number was given twice");
                    }
                }
            }
            let order: Vec<_> = given.values().copied().collect();
            let mut sorted = order.clone();
            sorted.sort();
            prop_assert_eq!(order, sorted);
            prop_assert_eq!(given.keys().next().copied(), first);
        }
    }
}
