//! Packets without payload: numbers that would else stay free for ever, and what probes are filled up with. Knows one
//! slot.

use super::{HEADER, Kept, SendSlot, Transport};
use crate::net::counters::Counters;
use crate::net::udp::SendBatch;
use crate::rtp::munge::Incoming;
use crate::session::plan::{Kind, PayloadType, Ssrc};
use crate::session::srtp;
use std::time::Instant;

/// So many are remembered; the peer asks for them while it misses them, no longer.
const REMEMBERED: usize = 64;

/// The least padding that says that it is some.
const LEAST: usize = 1;

/// The numbers that went out empty, by index.
#[derive(Debug)]
pub(super) struct Filled {
    indexes: [Option<u64>; REMEMBERED],
    next: usize,
}

impl Default for Filled {
    fn default() -> Self {
        Self { indexes: [None; REMEMBERED], next: 0 }
    }
}

impl Filled {
    fn note(&mut self, index: u64) {
        self.indexes[self.next] = Some(index);
        self.next = (self.next + 1) % REMEMBERED;
    }
}

/// A packet without payload on its way out.
pub(super) struct Empty {
    pub(super) ssrc: Ssrc,
    pub(super) payload_type: PayloadType,
    pub(super) index: u64,
    pub(super) timestamp: u32,
    /// The number of what it repairs (RFC 4588 §4).
    pub(super) original: Option<u16>,
    /// 255 at most.
    pub(super) padding: usize,
}

impl Empty {
    /// Builds it in the batch and seals it there; its bytes on the wire.
    pub(super) fn write(
        &self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        kept: Option<&mut Kept>,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let (to, from) = transport.destination?;
        let told = transport.extensions.transport_cc.zip(transport.history.as_ref());
        let told = told.map(|(id, history)| (id, history.next_sequence().to_be_bytes()));
        let header_len = HEADER + if told.is_some() { 8 } else { 0 };
        let body_len = if self.original.is_some() { 2 } else { 0 } + self.padding;
        let place = out.reserve(header_len + body_len + srtp::MAX_OVERHEAD)?;
        let (header, body) = place.split_at_mut_checked(header_len)?;
        header[0] = 0x80 | if self.padding > 0 { 0x20 } else { 0 } | if told.is_some() { 0x10 } else { 0 };
        header[1] = self.payload_type.0;
        header[2..4].copy_from_slice(&(self.index as u16).to_be_bytes());
        header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        header[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        if let Some((id, [high, low])) = told {
            header[12..].copy_from_slice(&[0xbe, 0xde, 0, 1, id << 4 | 1, high, low, 0]);
        }
        let mut body = body.get_mut(..body_len)?;
        if let Some(original) = self.original {
            let (number, padding) = body.split_at_mut_checked(2)?;
            number.copy_from_slice(&original.to_be_bytes());
            body = padding;
        }
        if let Some((last, zeros)) = body.split_last_mut() {
            zeros.fill(0);
            *last = self.padding as u8;
        }
        let bytes = keys.seal_rtp(place, header_len, header_len + body_len, (self.index >> 16) as u32)?;
        if let (Some(kept), Some(sealed)) = (kept, place.get(..bytes)) {
            kept.keep(self.index as u16, sealed);
        }
        out.commit(bytes, to, from);
        if let Some(history) = &mut transport.history {
            history.record(now, bytes as u16, ());
        }
        Some(bytes)
    }
}

impl SendSlot {
    /// A packet that is not forwarded may have come so late that a number was kept free for it. A peer waits for every
    /// number, some until the next key frame: that one goes out empty. Whether it did.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        packet: &Incoming,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let (Kind::Video, Some((_, payload_type))) = (self.kind, self.playing) else { return false };
        let free = self.numbers.fill(packet).filter(|(index, _)| self.sealed.is_new(*index));
        let Some((index, timestamp)) = free else { return false };
        let empty = Empty { ssrc: self.ssrc, payload_type, index, timestamp, original: None, padding: LEAST };
        let Some(bytes) = empty.write(now, keys, transport, self.kept.as_deref_mut(), out) else { return false };
        self.sealed.accept(index);
        self.filled.note(index);
        self.packets += 1;
        counters.count_sent(bytes);
        true
    }

    /// Whether this number went out empty.
    pub(super) fn is_filled(&self, sequence: u16) -> bool {
        let index = self.numbers.index_of(sequence);
        index.is_some() && self.filled.indexes.contains(&index)
    }

    /// The same as a repair, where the peer missed that, too; its bytes on the wire.
    pub(super) fn fill_again(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        original: u16,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let (ssrc, (codec, _)) = (self.rtx?, self.playing?);
        let payload_type = self.plan(codec)?.rtx?;
        self.rtx_seq += 1;
        let (index, timestamp) = (self.rtx_seq, self.last_timestamp);
        Empty { ssrc, payload_type, index, timestamp, original: Some(original), padding: 0 }
            .write(now, keys, transport, None, out)
    }

    /// A number of the publisher's was only padding. Where it comes late, one was kept free for it.
    pub(in crate::session::outbound) fn skip(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        (layer, sequence, timestamp): (u8, u64, u32),
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        if self.layer != Some(layer) {
            return false;
        }
        let padding = Incoming { sequence, timestamp, picture_id: None, tl0: None, frame: None };
        self.numbers.drop_packet(&padding);
        self.fill(now, keys, transport, &padding, counters, out)
    }
}
