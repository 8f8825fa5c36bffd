//! What fills a probe up: packets that the peer has already, sent again as retransmissions, or nothing but padding.
//! Either way it counts for transport-wide feedback and for nothing else. Knows one slot.

use super::empty::Empty;
use super::{HEADER, SendSlot, Transport};
use crate::net::counters::Counters;
use crate::net::udp::SendBatch;
use crate::rtp::layer::Layer;
use crate::session::srtp;
use std::time::Instant;

/// Of a packet of padding alone; the length of padding is one byte (RFC 3550 §5.1).
const PADDING: std::ops::RangeInclusive<usize> = 16..=240;

/// How far back packets are sent again: what is older the peer may have forgotten how to compare.
const BACK: u16 = 48;

impl SendSlot {
    /// Whether it has a stream for retransmissions, which never disturbs what is shown.
    pub(in crate::session::outbound) const fn probes(&self) -> bool {
        self.rtx.is_some()
    }

    /// Sends the packet again that stands `back` places before the newest; its bytes on the wire. `None` where it is
    /// not of what the slot shows now, or gone.
    #[expect(clippy::too_many_arguments, reason = "as for `retransmit`")]
    pub(in crate::session::outbound) fn probe(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        back: u16,
        layer: &Layer,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let newest = self.numbers.highest()?;
        let sequence = newest.checked_sub(u64::from(back % BACK))? as u16;
        let origin = self.numbers.origin(sequence)?;
        // What was sent before was of another track, or of another layer than the one that was looked up.
        if self.first_generation.is_none_or(|first| origin.generation < first)
            || Some(origin.layer) != self.layer
            || self.is_filled(sequence)
        {
            return None;
        }
        let bytes = self.again(now, keys, transport, sequence, layer, out)?;
        counters.count_sent(bytes);
        counters.probed += 1;
        Some(bytes)
    }

    /// Sends padding alone, of about so many bytes with headers, as far as one packet reaches; its bytes on the wire.
    pub(in crate::session::outbound) fn pad(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        wanted: usize,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let ssrc = self.rtx?;
        let payload_type = self.codecs.iter().find_map(|codec| codec.rtx)?;
        // Feedback must tell of it.
        transport.extensions.transport_cc.zip(transport.history.as_ref())?;
        let padding = wanted.saturating_sub(HEADER + 8).clamp(*PADDING.start(), *PADDING.end());
        self.rtx_seq += 1;
        let (index, timestamp) = (self.rtx_seq, self.last_timestamp);
        let empty = Empty { ssrc, payload_type, index, timestamp, original: None, padding };
        let bytes = empty.write(now, keys, transport, None, out)?;
        counters.count_sent(bytes);
        counters.probed += 1;
        Some(bytes)
    }
}
