//! Packets of a layer that go to subscribers together. Knows no subscribers.

use super::Layer;
use crate::rtp::ring::Packet;
use crate::session::plan::Kind;

/// One GSO send takes no more segments; a larger frame leaves in several, and so does one with a large gap.
pub const MAX_HELD: usize = 64;

/// Of sound, so many packets before a span are looked up with it.
const MAX_EARLIER: usize = 2;

/// Packets of consecutive numbers, some perhaps missing, that go to subscribers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first number.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Span {
    /// How many numbers it has; no more than [`MAX_HELD`].
    #[must_use]
    pub const fn count(&self) -> usize {
        (self.last - self.first + 1) as usize
    }

    /// With one number more, where that does not make it too long.
    pub(super) fn with(self, seq: u64) -> Option<Self> {
        let longer = Self { first: self.first.min(seq), last: self.last.max(seq) };
        (longer.count() <= MAX_HELD).then_some(longer)
    }
}

/// The packets of a span that are there, looked up once for all subscribers.
pub struct SpanPackets<'a> {
    packets: [Option<(&'a Packet, &'a [u8])>; MAX_HELD],
    count: usize,
    /// Payload bytes of all but the last, without dependency descriptors: those leave in header extensions.
    pub before_last: usize,
    /// Payload bytes of the largest.
    pub largest: usize,
    earlier: [Option<(&'a Packet, &'a [u8])>; MAX_EARLIER],
}

impl<'a> SpanPackets<'a> {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// In the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Packet, &'a [u8])> + '_ {
        self.packets.iter().take(self.count).flatten().copied()
    }

    /// Of sound, those whose numbers come right before the first, the latest first.
    pub fn earlier(&self) -> impl Iterator<Item = (&'a Packet, &'a [u8])> + '_ {
        self.earlier.iter().map_while(|earlier| *earlier)
    }
}

impl Layer {
    /// The packets of a span, for its subscribers.
    #[must_use]
    pub fn packets(&self, span: Span) -> SpanPackets<'_> {
        let mut found = SpanPackets {
            packets: [None; MAX_HELD],
            count: 0,
            before_last: 0,
            largest: 0,
            earlier: [None; MAX_EARLIER],
        };
        if self.kind == Kind::Audio {
            let before = (1..).map(|back| self.ring.get(span.first.checked_sub(back)?));
            found.earlier.iter_mut().zip(before).for_each(|(place, earlier)| *place = earlier);
        }
        let packets = (span.first..=span.last).filter_map(|seq| self.ring.get(seq));
        let mut last = 0;
        for (place, (packet, payload)) in found.packets.iter_mut().zip(packets) {
            *place = Some((packet, payload));
            found.count += 1;
            found.before_last += last;
            last = packet.bare_len();
            found.largest = found.largest.max(last);
        }
        found
    }
}
