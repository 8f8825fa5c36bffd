//! One receive slot: what stands in it, and how a packet of the ring becomes a sealed datagram.
//! Knows one track at a time, by number.

mod empty;
mod extensions;
mod padding;
mod probing;
mod steps;

use super::kept::Kept;
use super::sound;
use crate::net::counters::Counters;
use crate::net::udp::SendBatch;
use crate::rtp::codec::vp8;
use crate::rtp::layer::{Layer, SpanPackets};
use crate::rtp::munge::{Incoming, Munger, Outgoing as Numbers};
use crate::rtp::ring::Packet;
use crate::rtp::scalability::{Step, Target};
use crate::rtp::twcc_history::SendHistory;
use crate::session::plan::{Codec, CodecPlan, ExtensionIds, Kind, Mid, PayloadType, SendPlan, Ssrc};
use crate::session::srtp;
use empty::Filled;
pub use padding::padded_payload;
use padding::padding;
use rand::Rng;
use rand::rngs::StdRng;
use signaling::protocol::PauseReason;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use steps::Course;

/// Fixed header (RFC 3550 §5.1).
const HEADER: usize = 12;

/// Packets sent again lately that are remembered, so that a request that crossed them is not served twice.
const RESENT: usize = 32;

/// The transport under all slots of a session.
pub(super) struct Transport {
    pub(super) destination: Option<(SocketAddr, Option<IpAddr>)>,
    pub(super) extensions: ExtensionIds,
    pub(super) history: Option<SendHistory<()>>,
    /// So many earlier packets of sound stand in each one for who takes that.
    pub(super) repeated: usize,
}

/// A slot. What every packet needs stands in it; what is needed now and then stands elsewhere, so that the
/// next subscriber's slot is a few cache lines.
pub(super) struct SendSlot {
    pub(super) mid: Mid,
    pub(super) kind: Kind,
    pub(super) ssrc: Ssrc,
    pub(super) track: Option<u32>,
    pub(super) layer: Option<u8>,
    /// What of that layer goes out,
    course: Course,
    /// and what of it shall.
    wanted: Step,
    pub(super) target: Option<Target>,
    pub(super) paused: Option<PauseReason>,
    pub(super) clock_rate: u32,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) last_timestamp: u32,
    codecs: Vec<CodecPlan>,
    /// What the codec of the last packet is called here.
    playing: Option<(Codec, PayloadType)>,
    rtx: Option<Ssrc>,
    dependency_descriptor: Option<u8>,
    rtx_seq: u64,
    numbers: Munger,
    /// The indexes that were sealed: a second packet under one key, SSRC and index would give the key stream, and
    /// GCM's authentication key, away (RFC 7714 §8.4). Whatever goes wrong before, this is where it ends.
    sealed: srtp::ShortWindow,
    /// What was sent before this generation was of another track and is not sent again.
    first_generation: Option<u32>,
    /// The picture was stopped for want of room: what the peer misses of it helps it no more.
    interrupted: bool,
    /// Numbers that went out empty.
    filled: Box<Filled>,
    resent: Box<[Option<(u16, Instant)>; RESENT]>,
    next_resent: usize,
    last_source: Option<(u8, u32)>,
    last_sent: Option<Instant>,
    reported_packets: u64,
    /// The peer asks for losses and has no retransmission stream:
    keeps: bool,
    /// what was sent is kept for that while the slot carries anybody's.
    kept: Option<Box<Kept>>,
    /// Packets since the slot began with what it carries: those before are somebody else's.
    since_switch: usize,
}

impl SendSlot {
    pub(super) fn new(mid: Mid, kind: Kind, plan: &SendPlan, random: &mut StdRng) -> Self {
        let clock_rate = plan.codecs.first().map_or(90_000, |codec| codec.clock_rate);
        Self {
            mid,
            kind,
            ssrc: plan.ssrc,
            track: None,
            layer: None,
            course: Course::default(),
            wanted: Step::ALL,
            target: None,
            paused: None,
            clock_rate,
            packets: 0,
            bytes: 0,
            last_timestamp: 0,
            codecs: plan.codecs.clone(),
            playing: None,
            rtx: plan.rtx,
            dependency_descriptor: plan.dependency_descriptor,
            rtx_seq: u64::from(random.next_u32() & 0x7fff),
            // Below half, so that a receiver that misses the first packets can't take the first it gets for a
            // wrapped one (RFC 3711 §3.3.1).
            numbers: Munger::new(clock_rate, (random.next_u32() & 0x7fff) as u16, random.next_u32()),
            sealed: srtp::ShortWindow::default(),
            first_generation: None,
            interrupted: false,
            filled: Box::default(),
            resent: Box::new([None; RESENT]),
            next_resent: 0,
            last_source: None,
            last_sent: None,
            reported_packets: 0,
            keeps: plan.rtx.is_none() && plan.codecs.iter().any(|codec| codec.nack),
            kept: None,
            since_switch: 0,
        }
    }

    pub(super) fn point(&mut self, track: Option<u32>) {
        if self.track == track {
            return;
        }
        self.track = track;
        self.layer = None;
        // Sound has one layer, and begins with any packet.
        self.target = track.and((self.kind == Kind::Audio).then_some(Target::LOWEST));
        self.paused = None;
        self.last_source = None;
        self.first_generation = None;
        if track.is_some() && self.keeps {
            self.kept.get_or_insert_with(|| Box::new(Kept::new(self.kind))).clear();
        } else {
            self.kept = None;
        }
        self.interrupted = false;
    }

    /// Nothing more goes out until the next key frame.
    pub(super) const fn interrupt(&mut self) {
        if matches!(self.kind, Kind::Video) && self.layer.is_some() {
            self.layer = None;
            self.interrupted = true;
        }
    }

    pub(super) fn payload_type(&self, codec: Codec) -> Option<PayloadType> {
        self.plan(codec).map(|plan| plan.payload_type)
    }

    fn plan(&self, codec: Codec) -> Option<&CodecPlan> {
        self.codecs.iter().find(|plan| plan.codec == codec).or_else(|| {
            // Levels and constraint flags differ among encoders of one profile; decoders take them all.
            let Codec::H264 { profile } = codec else { return None };
            self.codecs.iter().find(|plan| match plan.codec {
                Codec::H264 { profile: other } => other >> 8 == profile >> 8,
                _ => false,
            })
        })
    }

    /// Whether packets of this layer go out here; switches to the layer where that is due and it can begin.
    pub(super) fn takes(&mut self, index: u8, packets: &SpanPackets<'_>) -> bool {
        if self.layer == Some(index) {
            return true;
        }
        // A picture begins with the first key frame that comes, of the target or of a lower layer.
        if !self.target.is_some_and(|target| target.layer == index || (self.layer.is_none() && index < target.layer)) {
            return false;
        }
        let start = packets.iter().find(|(packet, _)| packet.key_start || self.kind == Kind::Audio);
        let Some((start, _)) = start else { return false };
        if self.payload_type(start.codec).is_none() {
            return false;
        }
        let since_last = self.last_sent.map_or(Duration::ZERO, |at| start.arrived.saturating_duration_since(at));
        let step = self.beginning(index, start.scalability.top);
        let needed = |packet: &&Packet| packet.seq >= start.seq && packet.scalability.needed.has(step);
        let first = packets.iter().map(|(packet, _)| packet).find(needed).unwrap_or(start);
        let first = self.numbers.switch(index, &incoming(first), since_last);
        self.begin(index, step, first.index);
        if self.first_generation.is_none() || std::mem::take(&mut self.interrupted) {
            self.first_generation = self.numbers.origin(first.sequence()).map(|origin| origin.generation);
        }
        self.since_switch = 0;
        true
    }

    /// What a codec is called here, looked up when it changes.
    fn playing(&mut self, codec: Codec) -> Option<PayloadType> {
        if let Some((playing, payload_type)) = self.playing
            && playing == codec
        {
            return Some(payload_type);
        }
        let payload_type = self.payload_type(codec)?;
        self.playing = Some((codec, payload_type));
        Some(payload_type)
    }

    pub(super) fn send(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        packets: &SpanPackets<'_>,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let pad_to = padded_payload(packets);
        let mut sent = false;
        for (place, (packet, payload)) in packets.iter().enumerate() {
            let Some(payload_type) = self.playing(packet.codec) else { continue };
            let numbers = if packet.scalability.is_plain() || self.gets(packet) {
                self.numbers.map(&incoming(packet))
            } else {
                None
            };
            let Some(numbers) = numbers else {
                sent |= self.fill(now, keys, transport, &incoming(packet), counters, out);
                continue;
            };
            // A packet that filled a gap of a span in the queue comes with the span and alone.
            if !self.sealed.is_new(numbers.index) {
                continue;
            }
            let last = place + 1 == packets.count();
            let marker = packet.marker || self.ends(packet, numbers.index);
            let described = self.dependency_descriptor.filter(|_| packet.descriptor_len > 0);
            let unpadded = last || marker || described.is_some();
            let padding = if unpadded { 0 } else { padding(packet.bare_len(), pad_to) };
            // Only sound pays for the buffer.
            let mut repeating;
            let (payload_type, payload) = if transport.repeated > 0 && self.kind == Kind::Audio {
                repeating = [0; sound::MAX_RED_LEN];
                self.repeat(transport.repeated, payload_type, packets, (packet, payload), &mut repeating)
                    .unwrap_or((payload_type, payload))
            } else {
                (payload_type, payload)
            };
            let ssrc = self.ssrc;
            let outgoing =
                Outgoing { packet, payload, payload_type, numbers, ssrc, marker, padding, described, original: None };
            let Some(bytes) = outgoing.write(now, keys, transport, self.kept.as_deref_mut(), out) else { continue };
            self.since_switch += 1;
            self.sealed.accept(numbers.index);
            sent = true;
            counters.count_sent(bytes);
            counters.padded += u64::from(padding > 0);
            counters.padding_bytes += padding as u64;
            self.packets += 1;
            self.bytes += payload.len().saturating_sub(usize::from(packet.descriptor_len)) as u64;
            self.last_source = Some((self.layer.unwrap_or(0), packet.timestamp));
            self.last_timestamp = numbers.timestamp;
            self.last_sent = Some(now);
        }
        sent
    }

    /// A packet of sound with what was sent before it, where the peer takes that.
    fn repeat<'a>(
        &self,
        repeated: usize,
        opus: PayloadType,
        packets: &SpanPackets<'_>,
        (packet, payload): (&Packet, &[u8]),
        out: &'a mut [u8; sound::MAX_RED_LEN],
    ) -> Option<(PayloadType, &'a [u8])> {
        if packet.codec != Codec::Opus {
            return None;
        }
        let red = self.payload_type(Codec::Red)?;
        let earlier = packets.earlier().take(repeated.min(self.since_switch));
        let len = sound::repeat(out, opus, packet, payload, earlier)?;
        Some((red, out.get(..len)?))
    }

    fn sent_just_now(&self, now: Instant, sequence: u16, round_trip: Duration) -> bool {
        let patience = sound::patience(round_trip);
        self.resent
            .iter()
            .flatten()
            .any(|(other, at)| *other == sequence && now.saturating_duration_since(*at) < patience)
    }

    fn note_resent(&mut self, now: Instant, sequence: u16) {
        self.resent[self.next_resent] = Some((sequence, now));
        self.next_resent = (self.next_resent + 1) % RESENT;
    }

    pub(super) fn lost(&mut self, now: Instant, sequence: u16, round_trip: Duration) -> Option<u8> {
        // Without a retransmission stream the same number under the same key must carry the same bytes, and the
        // transport-wide number in them would be another: see `Kept`.
        self.rtx?;
        let origin = self.numbers.origin(sequence)?;
        if self.interrupted
            || self.first_generation.is_none_or(|first| origin.generation < first)
            || self.sent_just_now(now, sequence, round_trip)
        {
            return None;
        }
        self.note_resent(now, sequence);
        Some(origin.layer)
    }

    /// Sends again the very bytes that were sent before.
    pub(super) fn send_kept(
        &mut self,
        now: Instant,
        sequence: u16,
        round_trip: Duration,
        transport: &Transport,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> bool {
        let Some((to, from)) = transport.destination else { return false };
        let Some(sealed) = self.kept.as_ref().and_then(|kept| kept.find(sequence)) else { return false };
        if self.sent_just_now(now, sequence, round_trip) {
            return false;
        }
        let Some(place) = out.reserve(sealed.len()).and_then(|place| place.get_mut(..sealed.len())) else {
            return false;
        };
        place.copy_from_slice(sealed);
        let len = sealed.len();
        out.commit(len, to, from);
        self.note_resent(now, sequence);
        counters.count_sent(len);
        counters.retransmitted += 1;
        true
    }

    #[expect(clippy::too_many_arguments, reason = "the packet path's one call; a struct would be built per packet")]
    pub(super) fn retransmit(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        sequence: u16,
        layer: &Layer,
        counters: &mut Counters,
        out: &mut SendBatch,
    ) -> usize {
        let Some(bytes) = self.again(now, keys, transport, sequence, layer, out) else { return 0 };
        counters.count_sent(bytes);
        counters.retransmitted += 1;
        bytes
    }

    /// A packet that was sent, as a retransmission; its bytes on the wire.
    fn again(
        &mut self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        sequence: u16,
        layer: &Layer,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let ssrc = self.rtx?;
        if self.is_filled(sequence) {
            return self.fill_again(now, keys, transport, sequence, out);
        }
        let origin = self.numbers.origin(sequence)?;
        let (packet, payload) = layer.ring.get(origin.sequence)?;
        let sent = self.numbers.again(origin.generation, &incoming(packet))?;
        // It came so late that it had a number, and was of a layer that nobody wants here.
        if self.sealed.is_new(sent.index) && !packet.scalability.needed.has(self.course.at(sent.index)) {
            return self.fill_again(now, keys, transport, sequence, out);
        }
        let payload_type = self.plan(packet.codec)?.rtx?;
        self.rtx_seq += 1;
        let numbers = Numbers { index: self.rtx_seq, ..sent };
        let marker = packet.marker || self.ends(packet, sent.index);
        let described = self.dependency_descriptor.filter(|_| packet.descriptor_len > 0);
        let original = Some(sequence);
        let outgoing =
            Outgoing { packet, payload, payload_type, numbers, ssrc, marker, padding: 0, described, original };
        outgoing.write(now, keys, transport, None, out)
    }

    pub(super) fn due_report(&mut self, slot: usize) -> Option<super::DueReport> {
        let track = self.track?;
        let (layer, timestamp) = self.last_source?;
        if std::mem::replace(&mut self.reported_packets, self.packets) == self.packets {
            return None;
        }
        Some(super::DueReport { slot, track, layer, timestamp })
    }
}

fn incoming(packet: &Packet) -> Incoming {
    Incoming {
        sequence: packet.seq,
        timestamp: packet.timestamp,
        picture_id: packet.vp8.and_then(|vp8| vp8.picture_id).map(|field| field.value),
        tl0: packet.vp8.and_then(|vp8| vp8.tl0).map(|field| field.value),
        frame: packet.frame,
    }
}

/// A packet on its way out.
struct Outgoing<'a> {
    packet: &'a Packet,
    /// Behind the dependency descriptor, where it has one.
    payload: &'a [u8],
    payload_type: PayloadType,
    numbers: Numbers,
    ssrc: Ssrc,
    marker: bool,
    padding: usize,
    /// What the peer calls dependency descriptors, where it gets one.
    described: Option<u8>,
    /// The number it had, where it is a retransmission.
    original: Option<u16>,
}

impl Outgoing<'_> {
    /// Builds the packet in the batch and seals it there; its bytes on the wire. `None` where it can't be sent.
    fn write(
        &self,
        now: Instant,
        keys: &srtp::Outbound,
        transport: &mut Transport,
        kept: Option<&mut Kept>,
        out: &mut SendBatch,
    ) -> Option<usize> {
        let (to, from) = transport.destination?;
        let mut short = [0; 12];
        // Only who shows AV1 pays for the others, and for the longest with key frames only.
        let mut long;
        let mut longest;
        let (descriptor, payload) = self.payload.split_at_checked(usize::from(self.packet.descriptor_len))?;
        let (extensions, extensions_len): (&[u8], usize) = match self.described {
            None => {
                let len = self.write_extensions(transport, &mut short);
                (&short, len)
            }
            Some(id) if descriptor.len() <= extensions::MOST_SHORT => {
                long = [0; extensions::LONG];
                let len = self.write_described(transport, (id, descriptor), &mut long)?;
                (&long, len)
            }
            Some(id) => {
                longest = [0; extensions::LONGEST];
                let len = self.write_described(transport, (id, descriptor), &mut longest)?;
                (&longest, len)
            }
        };
        let header_len = HEADER + extensions_len;
        let original_len = if self.original.is_some() { 2 } else { 0 };
        let padding = self.padding;
        let plain_len = header_len + original_len + payload.len() + padding;
        let place = out.reserve(plain_len + srtp::MAX_OVERHEAD)?;

        let (header, rest) = place.split_at_mut_checked(header_len)?;
        header[0] = 0x80 | if padding > 0 { 0x20 } else { 0 } | if extensions_len > 0 { 0x10 } else { 0 };
        header[1] = if self.marker { 0x80 } else { 0 } | self.payload_type.0;
        header[2..4].copy_from_slice(&self.numbers.sequence().to_be_bytes());
        header[4..8].copy_from_slice(&self.numbers.timestamp.to_be_bytes());
        header[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        header[12..].copy_from_slice(extensions.get(..extensions_len)?);

        let (original, rest) = rest.split_at_mut_checked(original_len)?;
        if let Some(number) = self.original {
            original.copy_from_slice(&number.to_be_bytes());
        }
        let (place_of_payload, rest) = rest.split_at_mut_checked(payload.len())?;
        place_of_payload.copy_from_slice(payload);
        if let Some(descriptor) = &self.packet.vp8 {
            vp8::rewrite(place_of_payload, descriptor, self.numbers.picture_id, self.numbers.tl0);
        }
        if let Some((last, zeros)) = rest.get_mut(..padding)?.split_last_mut() {
            zeros.fill(0);
            *last = padding as u8;
        }
        let roc = (self.numbers.index >> 16) as u32;
        let len = keys.seal_rtp(place, header_len, plain_len, roc)?;
        if let (Some(kept), Some(sealed)) = (kept, place.get(..len)) {
            kept.keep(self.numbers.sequence(), sealed);
        }
        out.commit(len, to, from);
        if let Some(history) = &mut transport.history {
            history.record(now, len as u16, ());
        }
        Some(len)
    }
}

#[cfg(test)]
mod tests;
