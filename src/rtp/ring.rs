//! The plaintext packets of one published layer: what is held for release and kept for retransmission.
//! Knows no subscribers, keys or sequence numbers of anybody but the publisher.
//!
//! Metadata stand in a ring by sequence number, payloads one after another in a circular arena. Both
//! grow (doubling, so that a place is found by a mask) until they hold a second of the layer, and no further
//! than their maximum.

use crate::rtp::codec::vp8::Descriptor as Vp8Descriptor;
use crate::rtp::dependency;
use crate::rtp::scalability::Scalability;
use crate::session::plan::Codec;
use std::time::{Duration, Instant};

/// How long a packet stays: a subscriber asks again after a round trip and a retry, not later.
const KEPT: Duration = Duration::from_secs(1);

/// Up to 1 MiB a layer: a second at 8 Mbit/s.
const MAX_ARENA: usize = 1 << 20;

/// Where an arena of pictures begins.
const FIRST_ARENA: usize = 32 << 10;

/// Up to this many packets a layer.
const MAX_PACKETS: usize = 2048;

/// Where a ring begins.
const FIRST_PACKETS: usize = 64;

/// What is known of one packet apart from its payload.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// The publisher's sequence number, unwrapped.
    pub seq: u64,
    /// The publisher's RTP timestamp.
    pub timestamp: u32,
    /// When it arrived.
    pub arrived: Instant,
    /// The RTP marker bit.
    pub marker: bool,
    /// Which codec its payload type stands for.
    pub codec: Codec,
    /// The first packet of a picture that needs no other.
    pub key_start: bool,
    /// The video-orientation extension's byte, where one came.
    pub orientation: Option<u8>,
    /// The audio-level extension's byte, where one came.
    pub audio_level: Option<u8>,
    /// Where the numbers stand that a VP8 subscriber's copy needs changed.
    pub vp8: Option<Vp8Descriptor>,
    /// Of which layers of its stream it is.
    pub scalability: Scalability,
    /// So many bytes before the payload are the dependency descriptor, which goes out in a header extension.
    pub descriptor_len: u8,
    /// The number of its frame in there.
    pub frame: Option<u16>,
    /// Length of the payload with that.
    pub len: u16,
    position: u64,
}

impl Packet {
    /// Bytes of the payload without the descriptor.
    #[must_use]
    pub const fn bare_len(&self) -> usize {
        (self.len as usize).saturating_sub(self.descriptor_len as usize)
    }
}

/// A packet to be stored; see [`Packet`] for the fields. A descriptor is of 255 bytes at most.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields of Packet")]
pub struct NewPacket<'a> {
    pub seq: u64,
    pub timestamp: u32,
    pub arrived: Instant,
    pub marker: bool,
    pub codec: Codec,
    pub key_start: bool,
    pub orientation: Option<u8>,
    pub audio_level: Option<u8>,
    pub vp8: Option<Vp8Descriptor>,
    pub scalability: Scalability,
    pub descriptor: &'a [u8],
    pub payload: &'a [u8],
}

/// The ring.
pub struct PacketRing {
    packets: Vec<Option<Packet>>,
    arena: Vec<u8>,
    /// Bytes ever written, skipped ends of the arena included; a packet is whole while it is less than
    /// an arena's length behind.
    written: u64,
}

impl PacketRing {
    /// An empty ring; it takes memory with the first packet.
    #[must_use]
    pub const fn new() -> Self {
        Self { packets: Vec::new(), arena: Vec::new(), written: 0 }
    }

    /// Stores a packet. Older ones give way.
    pub fn push(&mut self, packet: &NewPacket<'_>) {
        if self.packets.is_empty() {
            self.packets.resize(FIRST_PACKETS, None);
            self.arena.resize(FIRST_ARENA, 0);
        }
        let index = self.make_room_for_entry(packet);
        let position = self.make_room_for_payload(packet);
        let at = self.offset(position);
        let (descriptor, len) = (packet.descriptor.len(), packet.descriptor.len() + packet.payload.len());
        if let Some((before, place)) =
            self.arena.get_mut(at..at + len).and_then(|at| at.split_at_mut_checked(descriptor))
        {
            before.copy_from_slice(packet.descriptor);
            place.copy_from_slice(packet.payload);
        }
        let stored = Packet {
            seq: packet.seq,
            timestamp: packet.timestamp,
            arrived: packet.arrived,
            marker: packet.marker,
            codec: packet.codec,
            key_start: packet.key_start,
            orientation: packet.orientation,
            audio_level: packet.audio_level,
            vp8: packet.vp8,
            scalability: packet.scalability,
            descriptor_len: u8::try_from(descriptor).unwrap_or(u8::MAX),
            frame: dependency::frame_number(packet.descriptor),
            len: u16::try_from(len).unwrap_or(u16::MAX),
            position,
        };
        if let Some(entry) = self.packets.get_mut(index) {
            *entry = Some(stored);
        }
    }

    fn make_room_for_entry(&mut self, packet: &NewPacket<'_>) -> usize {
        while self.packets.len() < MAX_PACKETS {
            let evicted = self.packets.get(self.index(packet.seq)).copied().flatten();
            let young =
                evicted.is_some_and(|old| old.seq != packet.seq && packet.arrived.duration_since(old.arrived) < KEPT);
            if !young {
                break;
            }
            let larger = vec![None; self.packets.len() * 2];
            let old = std::mem::replace(&mut self.packets, larger);
            for entry in old.into_iter().flatten() {
                let index = self.index(entry.seq);
                self.packets[index] = Some(entry);
            }
        }
        self.index(packet.seq)
    }

    fn make_room_for_payload(&mut self, packet: &NewPacket<'_>) -> u64 {
        let len = packet.descriptor.len() + packet.payload.len();
        loop {
            let at = self.offset(self.written);
            // A payload never wraps: what does not fit at the end begins anew at the front.
            let position =
                if at + len > self.arena.len() { self.written + (self.arena.len() - at) as u64 } else { self.written };
            let end = position + len as u64;
            if self.arena.len() < MAX_ARENA && self.would_lose_young(end, packet.arrived) {
                self.grow_arena();
                continue;
            }
            self.written = end;
            return position;
        }
    }

    fn would_lose_young(&self, end: u64, now: Instant) -> bool {
        let kept_from = end.saturating_sub(self.arena.len() as u64);
        let kept_before = self.written.saturating_sub(self.arena.len() as u64);
        self.packets
            .iter()
            .flatten()
            .any(|p| p.position < kept_from && p.position >= kept_before && now.duration_since(p.arrived) < KEPT)
    }

    fn grow_arena(&mut self) {
        let old = std::mem::take(&mut self.arena);
        let kept_from = self.written.saturating_sub(old.len() as u64);
        self.arena.resize((old.len() * 2).min(MAX_ARENA), 0);
        self.packets.iter_mut().for_each(|entry| {
            if entry.is_some_and(|p| p.position < kept_from) {
                *entry = None;
            }
        });
        let mut live: Vec<usize> = (0..self.packets.len()).filter(|&i| self.packets[i].is_some()).collect();
        live.sort_unstable_by_key(|&i| self.packets[i].map(|p| p.position));
        let mut position = 0_usize;
        for index in live {
            let Some(packet) = &mut self.packets[index] else { continue };
            let from = usize::try_from(packet.position % old.len() as u64).unwrap_or(0);
            let len = usize::from(packet.len);
            self.arena[position..position + len].copy_from_slice(&old[from..from + len]);
            packet.position = position as u64;
            position += len;
        }
        self.written = position as u64;
    }

    fn index(&self, seq: u64) -> usize {
        (seq as usize) & (self.packets.len() - 1)
    }

    fn offset(&self, position: u64) -> usize {
        (position as usize) & (self.arena.len() - 1)
    }

    /// The packet with this sequence number and its payload, behind its descriptor, while it is kept.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<(&Packet, &[u8])> {
        if self.packets.is_empty() {
            return None;
        }
        let packet = self.packets.get(self.index(seq))?.as_ref().filter(|packet| packet.seq == seq)?;
        if packet.position + (self.arena.len() as u64) < self.written {
            return None;
        }
        let at = self.offset(packet.position);
        Some((packet, self.arena.get(at..at + usize::from(packet.len))?))
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Default for PacketRing {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seq: u64, arrived: Instant, payload: &[u8]) -> NewPacket<'_> {
        NewPacket {
            seq,
            timestamp: 0,
            arrived,
            marker: false,
            codec: Codec::Vp8,
            key_start: false,
            orientation: None,
            audio_level: None,
            vp8: None,
            scalability: Scalability::NONE,
            descriptor: &[],
            payload,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_second_of_a_fast_layer_is_kept_and_what_is_older_gives_way() {
        let start = start();
        let mut ring = PacketRing::new();
        let at = |seq: u64| start + Duration::from_micros(seq * 2500);
        for seq in 0..4000_u64 {
            let payload = vec![(seq % 251) as u8; 900 + (seq % 200) as usize];
            ring.push(&packet(seq, at(seq), &payload));
            for back in [0, 1, 50, 380] {
                let Some(earlier) = seq.checked_sub(back) else { continue };
                let (found, payload) = ring.get(earlier).expect("a packet younger than a second is there");
                assert_eq!(found.seq, earlier);
                assert_eq!(payload.len(), 900 + (earlier % 200) as usize);
                assert!(payload.iter().all(|byte| *byte == (earlier % 251) as u8));
            }
        }
        assert!(ring.get(100).is_none());
        assert!(ring.arena.len() <= MAX_ARENA && ring.packets.len() <= 1024, "it grew further than a second needs");
    }

    #[test]
    fn a_flood_stays_within_the_maximum() {
        let start = start();
        let mut ring = PacketRing::new();
        let payload = [7; 1200];
        for seq in 0..20_000 {
            ring.push(&packet(seq, start, &payload));
        }
        assert_eq!(ring.arena.len(), MAX_ARENA);
        assert_eq!(ring.packets.len(), MAX_PACKETS);
        let kept = (0..20_000).filter(|seq| ring.get(*seq).is_some_and(|(_, p)| p == payload)).count();
        assert!((MAX_ARENA / 1200 - 2..=MAX_ARENA / 1200).contains(&kept), "{kept}");
    }

    #[test]
    fn a_late_packet_finds_its_place() {
        let start = start();
        let mut ring = PacketRing::new();
        for seq in [1, 2, 4, 5, 3] {
            ring.push(&packet(seq, start, &[seq as u8; 10]));
        }
        assert_eq!(ring.get(3).map(|(_, payload)| payload[0]), Some(3));
        assert!(ring.get(6).is_none());
    }
}
