//! What the peer is sent: its receive slots, and the one transport under them. Knows tracks by number
//! only; the packets' bytes stand in the publisher's ring and are sealed from there straight into the batch.

mod kept;
mod slot;
mod sound;

use super::limits::Allowance;
use super::plan::{Codec, Flow, Kind, Mid, SessionPlan};
use super::srtp;
use crate::net::counters::Counters;
use crate::net::udp::{SendBatch, prefetch};
use crate::rtp::layer::{Layer, SpanPackets};
use crate::rtp::rtcp::{Ntp, SenderInfo, Writer};
use crate::rtp::scalability::Target;
use crate::rtp::twcc_history::SendHistory;
use rand::rngs::StdRng;
use signaling::protocol::PauseReason;
pub use slot::padded_payload;
use slot::{SendSlot, Transport};
use sound::Redundancy;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Sent packets that transport-wide feedback may tell of: half a second at 2,000 a second.
const REMEMBERED: usize = 1024;

/// How often sender reports go out while packets do (RFC 3550 §6.2).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The share of the estimate that repairs may take, and for how many seconds they may save it up.
const REPAIRS: f64 = 0.4;
const REPAIRS_AT_ONCE: f64 = 0.5;

/// Where a report to a subscriber must look up its time.
#[derive(Debug, Clone, Copy)]
pub struct DueReport {
    /// The slot.
    pub slot: usize,
    /// The track in it.
    pub track: u32,
    /// The layer of it.
    pub layer: u8,
    /// The publisher's timestamp of the last packet.
    pub timestamp: u32,
}

/// The sending half of a session.
pub struct Outbound {
    keys: Option<srtp::Outbound>,
    transport: Transport,
    slots: Vec<SendSlot>,
    next_report: Option<Instant>,
    new_deadline: Option<Instant>,
    round_trip: Duration,
    least_round_trip: Duration,
    retransmissions: Allowance,
    redundancy: Redundancy,
    repairs: Repairs,
    /// Whether anybody is at the other end.
    awake: bool,
}

/// Bytes that may be sent again. A link that loses because it is full is not helped by more.
#[derive(Debug, Clone, Copy, Default)]
struct Repairs {
    /// Bits per second; `None` while nothing is known of the link.
    rate: Option<u32>,
    bytes: f64,
    at: Option<Instant>,
}

impl Repairs {
    fn has(&mut self, now: Instant) -> bool {
        let Some(rate) = self.rate else { return true };
        let rate = f64::from(rate) / 8.0 * REPAIRS;
        // All of it is saved up at the beginning.
        let elapsed =
            self.at.replace(now).map_or(REPAIRS_AT_ONCE, |at| now.saturating_duration_since(at).as_secs_f64());
        self.bytes = (self.bytes + rate * elapsed).min(rate * REPAIRS_AT_ONCE);
        self.bytes > 0.0
    }
}

impl Outbound {
    /// Nothing has been sent. More than `nacks_per_second` packets are not sent again in a second.
    #[must_use]
    pub fn new(plan: &SessionPlan, nacks_per_second: u32, random: &mut StdRng) -> Self {
        let slots: Vec<SendSlot> = plan
            .sections
            .iter()
            .filter_map(|section| match &section.flow {
                Flow::Send(send) => Some(SendSlot::new(section.mid.clone(), section.kind, send, random)),
                _ => None,
            })
            .collect();
        let feedback = plan.extensions.transport_cc.is_some() && !slots.is_empty();
        Self {
            keys: None,
            transport: Transport {
                destination: None,
                extensions: plan.extensions,
                history: feedback.then(|| SendHistory::new(REMEMBERED)),
                repeated: 0,
            },
            slots,
            next_report: None,
            new_deadline: None,
            round_trip: Duration::from_millis(100),
            least_round_trip: Duration::MAX,
            retransmissions: Allowance::new(nacks_per_second),
            redundancy: Redundancy::default(),
            repairs: Repairs::default(),
            awake: true,
        }
    }

    /// The handshake gave keys.
    pub fn set_keys(&mut self, keys: srtp::Outbound) {
        self.keys = Some(keys);
    }

    /// Where datagrams go, and from which of our addresses.
    pub fn set_destination(&mut self, destination: Option<(SocketAddr, Option<IpAddr>)>) {
        if self.transport.destination != destination {
            // Another path has another least.
            self.least_round_trip = Duration::MAX;
        }
        self.transport.destination = destination;
    }

    /// Where datagrams go.
    #[must_use]
    pub const fn destination(&self) -> Option<(SocketAddr, Option<IpAddr>)> {
        self.transport.destination
    }

    /// How long a packet is under way to the peer and back.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
        self.least_round_trip = self.least_round_trip.min(round_trip);
    }

    /// What repairs may take a share of, in bits per second, once that is known.
    pub const fn set_link(&mut self, rate: Option<u32>) {
        self.repairs.rate = rate;
    }

    /// Whether anybody is at the other end: else nothing is sent. Pictures go on with their next key frame.
    pub fn set_awake(&mut self, awake: bool) {
        if !std::mem::replace(&mut self.awake, awake) {
            self.slots.iter_mut().for_each(SendSlot::interrupt);
        }
    }

    /// The slots of one kind in their order, each with the number of its track.
    pub fn slots_of(&self, kind: Kind) -> impl Iterator<Item = (usize, Option<u32>)> + '_ {
        self.slots.iter().enumerate().filter(move |(_, slot)| slot.kind == kind).map(|(i, slot)| (i, slot.track))
    }

    /// How many slots there are.
    #[must_use]
    pub const fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Every track that stands in a slot.
    #[must_use]
    pub fn tracks(&self) -> Vec<(u16, u32)> {
        (0..).zip(&self.slots).filter_map(|(index, slot)| Some((index, slot.track?))).collect()
    }

    /// What the peer is told of its slots.
    pub fn reported(&self) -> impl Iterator<Item = (&Mid, u32, Option<PauseReason>)> + '_ {
        self.slots.iter().filter_map(|slot| Some((&slot.mid, slot.track?, slot.paused)))
    }

    /// Points a slot at a track. Sound begins with the next packet, a picture once a layer is set.
    pub fn point(&mut self, slot: usize, track: Option<u32>) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.point(track);
        }
    }

    /// Whether the slot's peer takes this codec.
    #[must_use]
    pub fn plays(&self, slot: usize, codec: Codec) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.payload_type(codec).is_some())
    }

    /// What goes out in a slot now.
    #[must_use]
    pub fn current(&self, slot: usize) -> Option<Target> {
        self.slots.get(slot)?.current()
    }

    /// What shall go out.
    #[must_use]
    pub fn target(&self, slot: usize) -> Option<Target> {
        self.slots.get(slot)?.target
    }

    /// Sets what shall go out, or nothing; whether a key frame of that layer is needed for it. Some streams let one go to
    /// fewer pixels `anywhere`.
    pub fn set_target(&mut self, slot: usize, target: Option<Target>, anywhere: bool) -> bool {
        self.slots.get_mut(slot).is_some_and(|slot| slot.set_target(target, anywhere))
    }

    /// Told each time whether what goes out in a slot is not what shall: whether that has been so for too long.
    pub fn is_overdue(&mut self, now: Instant, slot: usize, differs: bool) -> bool {
        self.slots.get_mut(slot).is_some_and(|slot| slot.is_overdue(now, differs))
    }

    /// A slot's picture stops at once: it goes on with the next key frame.
    pub fn interrupt(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.interrupt();
        }
    }

    /// Why a slot shows nothing.
    #[must_use]
    pub fn paused(&self, slot: usize) -> Option<PauseReason> {
        self.slots.get(slot)?.paused
    }

    /// Why nothing flows although it is wanted; whether that is news.
    pub fn set_paused(&mut self, slot: usize, paused: Option<PauseReason>) -> bool {
        self.slots.get_mut(slot).is_some_and(|slot| std::mem::replace(&mut slot.paused, paused) != paused)
    }

    /// Asks for the memory that [`Outbound::forward`] will need, some subscribers ahead of its turn. It looks at nothing
    /// there itself: that would be waiting for it.
    pub fn prefetch(&self) {
        prefetch(&self.keys);
        prefetch(&self.transport);
        prefetch(&self.slots);
    }

    /// Asks for the memory behind that, one subscriber ahead.
    pub fn prefetch_slot(&self, slot: usize) {
        if let Some(slot) = self.slots.get(slot) {
            prefetch(slot);
        }
        if let Some(history) = &self.transport.history {
            prefetch(history.next_place());
        }
    }

    /// Sends packets of a layer; whether anything was.
    pub fn forward(
        &mut self,
        now: Instant,
        slot: usize,
        index: u8,
        packets: &SpanPackets<'_>,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let (Some(keys), Some(slot)) = (&self.keys, self.slots.get_mut(slot)) else { return false };
        if !self.awake || !slot.takes(index, packets) {
            return false;
        }
        let sent = slot.send(now, keys, &mut self.transport, packets, counters, out);
        if sent && self.next_report.is_none() {
            self.next_report = Some(now + REPORT_INTERVAL);
            self.new_deadline = self.next_report;
        }
        sent
    }

    /// A layer begins anew with numbers of its own: what shows it goes on with its next key frame, sound with its
    /// next packet.
    pub fn restart(&mut self, slot: usize, layer: u8) {
        if let Some(slot) = self.slots.get_mut(slot)
            && slot.layer == Some(layer)
        {
            slot.layer = None;
        }
    }

    /// A number that subscribers would otherwise miss was only padding; `padding` is its layer, number and timestamp.
    pub fn skip(
        &mut self,
        now: Instant,
        slot: usize,
        padding: (u8, u64, u32),
        counters: &mut Counters,
        out: &mut SendBatch,
    ) {
        if let (Some(keys), Some(slot)) = (self.keys.as_ref().filter(|_| self.awake), self.slots.get_mut(slot)) {
            slot.skip(now, keys, &mut self.transport, padding, counters, out);
        }
    }

    /// The slot with this media SSRC.
    #[must_use]
    pub fn slot_of(&self, ssrc: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.ssrc.0 == ssrc)
    }

    /// The track in a slot and the layer that goes out.
    #[must_use]
    pub fn showing(&self, slot: usize) -> Option<(u32, Option<u8>)> {
        let slot = self.slots.get(slot)?;
        Some((slot.track?, slot.layer.or(slot.target.map(|target| target.layer))))
    }

    /// The layer that a packet which the peer misses came from. `None` where it is too long ago, was sent again
    /// just now, or the peer asks for too much.
    pub fn lost(&mut self, now: Instant, slot: usize, sequence: u16) -> Option<u8> {
        if !self.retransmissions.has(now) || !self.repairs.has(now) {
            return None;
        }
        let found = self.slots.get_mut(slot)?.lost(now, sequence, self.round_trip)?;
        self.retransmissions.take(now);
        Some(found)
    }

    /// Sends a packet again as it was, to a peer without a retransmission stream; false where it is not kept, was sent again just now, or the peer asks
    /// for too much.
    pub fn send_kept(
        &mut self,
        now: Instant,
        slot: usize,
        sequence: u16,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(slot).filter(|_| self.retransmissions.has(now)) else { return false };
        let sent = slot.send_kept(now, sequence, self.round_trip, &self.transport, counters, out);
        if sent {
            self.retransmissions.take(now);
        }
        sent
    }

    /// Feedback told of so many packets, some of them lost, on a link of so many bits per second.
    pub fn handle_loss(&mut self, told: u32, lost: u32, estimate: u32) {
        let voices = self.voices();
        let queue = self.round_trip.saturating_sub(self.least_round_trip);
        self.redundancy.handle_feedback(told, lost, estimate, voices, queue);
        self.transport.repeated = self.redundancy.repeated();
    }

    fn voices(&self) -> u32 {
        let voices = self.slots_of(Kind::Audio).filter(|(_, track)| track.is_some()).count();
        u32::try_from(voices).unwrap_or(u32::MAX)
    }

    /// So many earlier packets of sound stand in each one.
    #[must_use]
    pub const fn repeated(&self) -> usize {
        self.redundancy.repeated()
    }

    /// Sends a packet again, as a retransmission (RFC 4588) with numbers and index of its own.
    pub fn retransmit(
        &mut self,
        now: Instant,
        slot: usize,
        sequence: u16,
        layer: &Layer,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let (Some(keys), Some(slot)) = (&self.keys, self.slots.get_mut(slot)) else { return false };
        let bytes = slot.retransmit(now, keys, &mut self.transport, sequence, layer, counters, out);
        self.repairs.bytes -= bytes as f64;
        bytes > 0
    }

    /// The slot whose packets fill probes best: one that shows something, else any that could; and what it shows.
    #[must_use]
    pub fn probing_slot(&self) -> Option<(usize, Option<(u32, u8)>)> {
        let video = || self.slots.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Video && slot.probes());
        let shown = video().filter_map(|(index, slot)| Some((index, Some((slot.track?, slot.layer?)))));
        shown.max_by_key(|(_, shown)| shown.map(|(_, layer)| layer)).or_else(|| Some((video().next()?.0, None)))
    }

    /// Sends a packet that the peer has already, `back` places before the newest of this layer, or up to `wanted` bytes
    /// of padding where there is none; the bytes on the wire.
    pub fn probe(
        &mut self,
        now: Instant,
        slot: usize,
        wanted: usize,
        shown: Option<(u16, &Layer)>,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let (keys, slot) = (self.keys.as_ref().filter(|_| self.awake)?, self.slots.get_mut(slot)?);
        let transport = &mut self.transport;
        let again = shown.and_then(|(back, layer)| slot.probe(now, keys, transport, back, layer, counters, out));
        again.or_else(|| slot.pad(now, keys, transport, wanted, counters, out))
    }

    /// How many packets were sent that transport-wide feedback tells of.
    #[must_use]
    pub fn told_of(&self) -> Option<u64> {
        self.transport.history.as_ref().map(SendHistory::count)
    }

    /// What was sent, for transport-wide feedback.
    pub const fn history_mut(&mut self) -> Option<&mut SendHistory<()>> {
        self.transport.history.as_mut()
    }

    /// Seals an RTCP packet and sends it; false where there are no keys, no address or no room.
    pub fn send_rtcp(&mut self, packet: &[u8], out: &mut SendBatch) -> bool {
        let (Some(keys), Some((to, from))) = (&mut self.keys, self.transport.destination) else { return false };
        let Some(place) = out.reserve(packet.len() + srtp::MAX_OVERHEAD) else { return false };
        let Some(plain) = place.get_mut(..packet.len()) else { return false };
        plain.copy_from_slice(packet);
        let Some(len) = keys.seal_rtcp(place, packet.len()) else { return false };
        out.commit(len, to, from);
        true
    }

    /// A deadline earlier than what was said before.
    pub fn take_new_deadline(&mut self) -> Option<Instant> {
        self.new_deadline.take()
    }

    /// When reports are due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.next_report
    }

    /// The slots whose peer shall get a sender report now.
    pub fn due_reports(&mut self, now: Instant, due: &mut Vec<DueReport>) {
        if self.next_report.is_none_or(|at| at > now) {
            return;
        }
        due.extend(self.slots.iter_mut().enumerate().filter_map(|(slot, found)| found.due_report(slot)));
        // With all slots silent there is no next report.
        self.next_report = (!due.is_empty()).then(|| now + REPORT_INTERVAL);
    }

    /// Writes a slot's sender report: the time `ntp` is that of `since_last` after the last packet's capture.
    pub fn write_report(&self, slot: usize, ntp: Ntp, since_last_ns: i64, out: &mut Writer<'_>) {
        let Some(slot) = self.slots.get(slot) else { return };
        let ticks = since_last_ns.wrapping_mul(i64::from(slot.clock_rate)) / 1_000_000_000;
        out.sender_report(
            &SenderInfo {
                ssrc: slot.ssrc.0,
                ntp,
                timestamp: slot.last_timestamp.wrapping_add(ticks as u32),
                packets: slot.packets as u32,
                bytes: slot.bytes as u32,
            },
            &[],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_losses_are_repaired_and_then_only_as_many_as_the_link_takes() {
        let (mut repairs, at) = (Repairs { rate: Some(800_000), ..Repairs::default() }, crate::clock::now());
        assert!(repairs.has(at));
        // A fifth of what the link takes in a second.
        repairs.bytes -= 20_000.0;
        assert!(!repairs.has(at));
        assert!(repairs.has(at + Duration::from_millis(10)));
    }
}
