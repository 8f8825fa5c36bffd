//! Datagrams to be sent: an arena that they are written into one after another, and which of them
//! leave together. Knows no sockets, so that a simulation can take them out one by one.

use crate::net::tcp::is_tcp;
use std::net::{IpAddr, SocketAddr};

/// How many datagrams leave in one GSO send at most: the kernel's UDP_MAX_SEGMENTS on every version
/// that has it (128 since 6.9).
pub const MAX_BURST_DATAGRAMS: usize = 64;

/// How many bytes leave in one GSO send at most: an IP packet's 65,535 less headers.
pub const MAX_BURST_BYTES: usize = 65_000;

/// The most messages in a batch: what one sendmmsg takes (UIO_MAXIOV).
pub(super) const MAX_BURSTS: usize = 1024;

/// Bytes of all datagrams of a batch: 850 of full size, as many as fit half a second-level cache.
const ARENA: usize = 1 << 20;

/// A datagram for which a batch must have room not to be full, in bytes: the usual MTU.
const USUAL_DATAGRAM: usize = 1500;

/// Datagrams of one size for one destination; only the last may be shorter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst {
    pub(super) to: SocketAddr,
    pub(super) from: Option<IpAddr>,
    /// Where its bytes begin in the arena.
    pub(super) start: usize,
    /// Bytes of all its datagrams.
    pub(super) len: usize,
    /// Bytes of each but the last.
    pub(super) segment: usize,
    pub(super) datagrams: usize,
}

impl Burst {
    fn takes(&self, len: usize, to: SocketAddr, from: Option<IpAddr>, most: usize) -> bool {
        let all_whole = self.len == self.segment * self.datagrams;
        all_whole
            && len <= self.segment
            && self.datagrams < most
            && self.len + len <= MAX_BURST_BYTES
            && self.to == to
            && self.from == from
    }

    /// Its datagrams as bursts of one.
    pub(super) fn split(self) -> impl Iterator<Item = Self> {
        (0..self.datagrams).map(move |position| {
            let offset = position * self.segment;
            let len = self.segment.min(self.len - offset);
            Self { start: self.start + offset, len, segment: len, datagrams: 1, ..self }
        })
    }
}

/// A datagram of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// For whom.
    pub to: SocketAddr,
    /// From which of our addresses; `None` leaves it to the kernel.
    pub from: Option<IpAddr>,
    /// What it holds.
    pub data: &'a [u8],
}

/// Datagrams to be sent. Those that follow each other, have one destination and one size (the last
/// may be shorter) leave in one GSO send: write a destination's datagrams one after another.
#[derive(Debug)]
pub struct SendBatch {
    arena: Vec<u8>,
    used: usize,
    reserved: usize,
    bursts: Vec<Burst>,
    datagrams: usize,
    /// Bursts for TCP connections among them.
    tcp: usize,
    most: usize,
    /// Rooms that were asked for since the last `clear` and not there.
    refused: usize,
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl SendBatch {
    /// With room for 1 MiB in 1,024 bursts; allocated here, once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            arena: vec![0; ARENA],
            used: 0,
            reserved: 0,
            bursts: Vec::with_capacity(MAX_BURSTS),
            datagrams: 0,
            tcp: 0,
            most: MAX_BURST_DATAGRAMS,
            refused: 0,
        }
    }

    /// Room of `len` bytes for the next datagram, to be written (and sealed) in place, then
    /// [committed](Self::commit). It holds old bytes. `None` when the batch has no room for it: send
    /// it first.
    pub fn reserve(&mut self, len: usize) -> Option<&mut [u8]> {
        self.reserved = 0;
        let end = self.used.saturating_add(len);
        if self.bursts.len() >= MAX_BURSTS || len > MAX_BURST_BYTES || end > self.arena.len() {
            self.refused += 1;
            return None;
        }
        self.reserved = len;
        self.arena.get_mut(self.used..end)
    }

    /// How many of the datagrams that come from now on leave in one send at most; [`MAX_BURST_DATAGRAMS`] at first.
    pub fn join_at_most(&mut self, datagrams: usize) {
        self.most = datagrams.min(MAX_BURST_DATAGRAMS);
    }

    /// Makes the first `len` bytes of the room last reserved a datagram. Longer than that, or
    /// nothing, is no datagram and not sent.
    pub fn commit(&mut self, len: usize, to: SocketAddr, from: Option<IpAddr>) {
        if len == 0 || len > std::mem::take(&mut self.reserved) {
            return;
        }
        match self.bursts.last_mut() {
            Some(burst) if burst.takes(len, to, from, self.most) => {
                burst.len += len;
                burst.datagrams += 1;
            }
            _ => {
                self.tcp += usize::from(is_tcp(to));
                self.bursts.push(Burst { to, from, start: self.used, len, segment: len, datagrams: 1 });
            }
        }
        self.used += len;
        self.datagrams += 1;
    }

    /// Copies a whole datagram in; whether there was room.
    pub fn push(&mut self, data: &[u8], to: SocketAddr, from: Option<IpAddr>) -> bool {
        let Some(room) = self.reserve(data.len()) else {
            return false;
        };
        room.copy_from_slice(data);
        self.commit(data.len(), to, from);
        true
    }

    /// Whether a datagram of the usual size might find no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bursts.len() >= MAX_BURSTS || self.arena.len() - self.used < USUAL_DATAGRAM
    }

    /// Whether so many datagrams of the usual size for one destination find room.
    #[must_use]
    pub fn has_room_for(&self, datagrams: usize) -> bool {
        // Each might have another size than the one before, and be a burst of its own.
        self.bursts.len() + datagrams <= MAX_BURSTS && self.arena.len() - self.used >= datagrams * USUAL_DATAGRAM
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bursts.is_empty()
    }

    /// How many datagrams there are.
    #[must_use]
    pub const fn datagrams(&self) -> usize {
        self.datagrams
    }

    /// How many sends they make with GSO.
    #[must_use]
    pub fn sends(&self) -> usize {
        self.bursts.len()
    }

    /// How many datagrams found no room since the last [`clear`](Self::clear).
    #[must_use]
    pub const fn refused(&self) -> usize {
        self.refused
    }

    /// Forgets all datagrams.
    pub fn clear(&mut self) {
        self.refused = 0;
        self.bursts.clear();
        self.used = 0;
        self.reserved = 0;
        self.datagrams = 0;
        self.tcp = 0;
    }

    /// Takes out what is for TCP connections: for each burst its destination, its bytes, and how many each of its datagrams
    /// but the last has.
    pub fn take_tcp(&mut self, mut each: impl FnMut(SocketAddr, &[u8], usize)) {
        if std::mem::take(&mut self.tcp) == 0 {
            return;
        }
        let (arena, datagrams) = (&self.arena, &mut self.datagrams);
        self.bursts.retain(|burst| {
            let tcp = is_tcp(burst.to);
            if tcp {
                *datagrams -= burst.datagrams;
                each(burst.to, arena.get(burst.start..burst.start + burst.len).unwrap_or_default(), burst.segment);
            }
            !tcp
        });
    }

    /// The datagrams one by one, in the order they were committed.
    pub fn iter(&self) -> impl Iterator<Item = Sent<'_>> {
        self.bursts.iter().flat_map(|burst| burst.split()).map(|datagram| Sent {
            to: datagram.to,
            from: datagram.from,
            data: self.arena.get(datagram.start..datagram.start + datagram.len).unwrap_or_default(),
        })
    }

    pub(super) fn bursts(&self) -> &[Burst] {
        &self.bursts
    }

    pub(super) fn arena(&self) -> &[u8] {
        &self.arena
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn shapes(batch: &SendBatch) -> Vec<(u16, usize, usize)> {
        batch.bursts().iter().map(|burst| (burst.to.port(), burst.segment, burst.datagrams)).collect()
    }

    fn push(batch: &mut SendBatch, len: usize, to: u16) {
        assert!(batch.push(&vec![to as u8; len], peer(to), None));
    }

    #[test]
    fn datagrams_of_one_size_for_one_destination_leave_together() {
        let mut batch = SendBatch::new();
        for (len, to) in [(100, 1), (100, 1), (60, 1), (60, 1), (60, 2), (61, 2), (61, 2), (61, 1)] {
            push(&mut batch, len, to);
        }
        assert_eq!(shapes(&batch), [(1, 100, 3), (1, 60, 1), (2, 60, 1), (2, 61, 2), (1, 61, 1)]);
        assert_eq!((batch.datagrams(), batch.sends()), (8, 5));
        let lengths: Vec<usize> = batch.iter().map(|sent| sent.data.len()).collect();
        assert_eq!(lengths, [100, 100, 60, 60, 60, 61, 61, 61]);
        batch.clear();
        assert!(batch.is_empty() && batch.iter().next().is_none());
    }

    #[test]
    fn no_more_are_joined_than_is_said() {
        let mut batch = SendBatch::new();
        batch.join_at_most(2);
        (0..5).for_each(|_| push(&mut batch, 100, 1));
        batch.join_at_most(MAX_BURST_DATAGRAMS);
        (0..5).for_each(|_| push(&mut batch, 100, 1));
        assert_eq!(shapes(&batch), [(1, 100, 2), (1, 100, 2), (1, 100, 6)]);
    }

    #[test]
    fn another_source_address_begins_another_burst() {
        let mut batch = SendBatch::new();
        batch.push(&[1; 10], peer(1), None);
        batch.push(&[1; 10], peer(1), Some([127, 0, 0, 1].into()));
        assert_eq!(batch.sends(), 2);
    }

    #[test]
    fn bursts_end_at_64_datagrams_and_at_65000_bytes() {
        let mut batch = SendBatch::new();
        for _ in 0..130 {
            push(&mut batch, 100, 1);
        }
        assert_eq!(shapes(&batch), [(1, 100, 64), (1, 100, 64), (1, 100, 2)]);
        batch.clear();
        for _ in 0..60 {
            push(&mut batch, 1400, 1);
        }
        assert_eq!(shapes(&batch), [(1, 1400, 46), (1, 1400, 14)]);
    }

    #[test]
    fn a_full_batch_gives_no_room_and_loses_nothing() {
        let mut batch = SendBatch::new();
        while !batch.is_full() {
            push(&mut batch, 1200, 1);
        }
        assert!(batch.reserve(1500).is_none() && !batch.push(&[0; 1500], peer(1), None));
        assert_eq!(batch.datagrams(), (ARENA - USUAL_DATAGRAM) / 1200 + 1);
        assert_eq!(batch.refused(), 2);
        batch.clear();
        assert_eq!(batch.refused(), 0);
        for to in 0..MAX_BURSTS as u16 {
            assert!(!batch.is_full());
            push(&mut batch, 1, to);
        }
        assert!(batch.is_full() && batch.reserve(1).is_none());
        assert_eq!(batch.iter().count(), MAX_BURSTS);
    }

    #[test]
    fn what_was_not_reserved_is_no_datagram() {
        let mut batch = SendBatch::new();
        batch.commit(10, peer(1), None);
        batch.reserve(10).unwrap();
        batch.commit(11, peer(1), None);
        batch.commit(10, peer(1), None);
        batch.reserve(10).unwrap();
        batch.commit(0, peer(1), None);
        assert!(batch.reserve(usize::MAX).is_none());
        assert!(batch.is_empty());
        batch.reserve(10).unwrap().fill(7);
        batch.commit(3, peer(1), None);
        assert_eq!(batch.iter().next().unwrap().data, [7; 3]);
    }

    proptest! {
        #[test]
        fn every_datagram_comes_out_as_it_went_in(
            datagrams in prop::collection::vec((1usize..1300, 1u16..4), 0..300),
        ) {
            let mut batch = SendBatch::new();
            let mut expected = Vec::new();
            for (number, (len, to)) in datagrams.into_iter().enumerate() {
                let data = vec![number as u8; len];
                prop_assert!(batch.push(&data, peer(to), None));
                expected.push((peer(to), data));
            }
            let actual: Vec<_> = batch.iter().map(|sent| (sent.to, sent.data.to_vec())).collect();
            prop_assert_eq!(actual, expected);
            for burst in batch.bursts() {
                prop_assert!(burst.datagrams <= MAX_BURST_DATAGRAMS && burst.len <= MAX_BURST_BYTES);
            }
        }
    }
}
