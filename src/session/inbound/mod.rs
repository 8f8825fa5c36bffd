//! What the peer sends: opened once, parsed once, and named by track and layer. Knows no subscribers and no sockets.
//!
//! A stream is known by its SSRC: announced in the SDP, or by the mid and rid extensions of its first
//! packets (RFC 8852). It is taken in only after it was opened, so that nobody else's packet makes one.

mod layering;
mod remb;
mod streams;

use super::clock_map::SenderClock;
use super::plan::{Codec, ExtensionIds, Kind, Mid, SessionPlan, Ssrc};
use super::srtp;
use crate::net::counters::Drop;
use crate::rtp::codec;
use crate::rtp::codec::vp8::Descriptor as Vp8Descriptor;
use crate::rtp::receive_log::{Arrival, ReceiveLog, Via};
use crate::rtp::red::Red;
use crate::rtp::rtcp::{Ntp, ReportBlock, SenderInfo, Writer};
use crate::rtp::scalability::{Heights, Scalability};
use crate::rtp::twcc_recorder::ArrivalRecorder;
use crate::rtp::{Header, extension};
use layering::Looked;
use remb::Remb;
use std::time::{Duration, Instant};
use streams::{Role, Streams};

/// How often receiver reports are sent while packets come (RFC 3550 §6.2 with a small session).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The SSRC that our feedback comes from. Ours alone on this transport; receivers do not look at it.
pub const FEEDBACK_SSRC: u32 = 1;

/// What became of an RTP packet.
pub enum Received<'a> {
    /// Media, for subscribers.
    Media(Media<'a>),
    /// A probe without payload: its number is left out of what subscribers get.
    Padding {
        /// The track's number within the router.
        track: Option<u32>,
        /// The layer.
        layer: u8,
        /// The publisher's number; `None` on a retransmission stream, whose numbers nobody sees.
        seq: Option<u64>,
        /// The publisher's time.
        timestamp: u32,
        /// Bytes on the wire.
        bytes: usize,
    },
    /// Not for anybody.
    Dropped(Drop),
}

/// A packet of a track.
pub struct Media<'a> {
    /// The track's number within the router; `None` where the section carries none.
    pub track: Option<u32>,
    /// Which layer of it, lowest first.
    pub layer: u8,
    /// Of the media stream, also where it came as a retransmission.
    pub ssrc: Ssrc,
    /// The publisher's number, unwrapped.
    pub seq: u64,
    /// The publisher's time.
    pub timestamp: u32,
    /// The last packet of a picture; the first after silence.
    pub marker: bool,
    /// What the payload is.
    pub codec: Codec,
    /// It begins a picture that needs no other.
    pub key_start: bool,
    /// The key picture's heights, where it tells.
    pub heights: Heights,
    /// The video-orientation byte.
    pub orientation: Option<u8>,
    /// The audio-level byte.
    pub audio_level: Option<u8>,
    /// Where the numbers stand in a VP8 payload.
    pub vp8: Option<Vp8Descriptor>,
    /// Of which layers of its stream it is.
    pub scalability: Scalability,
    /// Of AV1, the dependency descriptor, without which a part of its layers can't be put together again; else empty.
    pub descriptor: &'a [u8],
    /// Without padding.
    pub payload: &'a [u8],
    /// Bytes on the wire.
    pub bytes: usize,
    /// Earlier packets that were lost and are repeated in this one, the latest first.
    pub missed: [Option<Missed<'a>>; MAX_MISSED],
}

/// A packet of sound that came only as a repetition in a later one (RFC 2198).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed<'a> {
    /// The publisher's number, unwrapped.
    pub seq: u64,
    /// The publisher's time.
    pub timestamp: u32,
    /// What was lost.
    pub payload: &'a [u8],
}

impl<'a> Media<'a> {
    /// A missed packet as if it had come.
    #[must_use]
    pub const fn of_missed(&self, missed: Missed<'a>) -> Self {
        let Missed { seq, timestamp, payload } = missed;
        Self { seq, timestamp, payload, marker: false, bytes: 0, missed: [None; MAX_MISSED], ..*self }
    }
}

/// So many repetitions are looked at: browsers send one, and older ones come too late to be heard.
pub const MAX_MISSED: usize = 2;

/// The receiving half of a session.
pub struct Inbound {
    keys: Option<srtp::Inbound>,
    extensions: ExtensionIds,
    streams: Streams,
    arrivals: Option<Box<ArrivalRecorder>>,
    /// For a peer that has nothing better.
    remb: Option<Box<Remb>>,
    clock: SenderClock,
    next_report: Option<Instant>,
    new_deadline: Option<Instant>,
    lost: Vec<u16>,
    blocks: Vec<ReportBlock>,
    share_lost: Option<f32>,
}

/// What a packet repeats of those right before it that did not come.
fn missed_of<'a>(
    now: Instant,
    log: &mut ReceiveLog,
    number: u64,
    timestamp: u32,
    red: &Red<'a>,
) -> [Option<Missed<'a>>; MAX_MISSED] {
    let mut missed = [None; MAX_MISSED];
    let count = red.redundant().count();
    for (place, block) in red.redundant().enumerate() {
        let back = count - place;
        let Some(seq) = number.checked_sub(back as u64).filter(|_| !block.data.is_empty()) else { continue };
        let Some(found) = missed.get_mut(back - 1) else { continue };
        let timestamp = timestamp.wrapping_sub(u32::from(block.offset));
        if let Arrival::New(_) | Arrival::Repaired(_) = log.on_packet(now, seq as u16, timestamp, Via::Retransmission) {
            *found = Some(Missed { seq, timestamp, payload: block.data });
        }
    }
    missed
}

impl Inbound {
    /// Nothing has come. More than `max_streams` streams are not taken in.
    #[must_use]
    pub fn new(plan: &SessionPlan, max_streams: usize) -> Self {
        let streams = Streams::new(plan, max_streams);
        let pictures = streams.sections.iter().filter(|section| section.kind == Kind::Video);
        let remb = pictures.flat_map(|section| &section.plan.codecs).any(|codec| codec.remb);
        let recorder = plan.extensions.transport_cc.is_some() && !streams.sections.is_empty();
        Self {
            keys: None,
            extensions: plan.extensions,
            streams,
            arrivals: recorder.then(|| Box::new(ArrivalRecorder::new())),
            remb: remb.then(|| Box::new(Remb::new())),
            clock: SenderClock::new(),
            next_report: None,
            new_deadline: None,
            lost: Vec::new(),
            blocks: Vec::new(),
            share_lost: None,
        }
    }

    /// The handshake gave keys.
    pub fn set_keys(&mut self, keys: srtp::Inbound) {
        self.streams.repetition_forbidden = keys.forbids_repetition();
        self.keys = Some(keys);
    }

    /// Which track a section carries.
    pub fn set_track(&mut self, mid: &Mid, track: u32) {
        if let Some(section) = self.streams.sections.iter_mut().find(|section| section.mid == *mid) {
            section.track = Some(track);
        }
    }

    /// Opens an RTCP packet in place; its length without what sealed it.
    ///
    /// # Errors
    /// Why it was dropped.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Drop> {
        let keys = self.keys.as_mut().ok_or(Drop::NoKeys)?;
        keys.open_rtcp(packet).map_err(refusal)
    }

    /// Opens and parses an RTP packet in place.
    pub fn handle_rtp<'a>(&mut self, now: Instant, server_ns: i64, packet: &'a mut [u8]) -> Received<'a> {
        match self.take(now, server_ns, packet) {
            Ok(received) => received,
            Err(reason) => Received::Dropped(reason),
        }
    }

    fn take<'a>(&mut self, now: Instant, server_ns: i64, packet: &'a mut [u8]) -> Result<Received<'a>, Drop> {
        let bytes = packet.len();
        let header = Header::parse(packet).map_err(|_| Drop::Malformed)?;
        let keys = self.keys.as_ref().ok_or(Drop::NoKeys)?;
        let known = self.streams.find(header.ssrc);
        let mut fresh = None;
        let state = match known.and_then(|index| self.streams.all.get_mut(index)) {
            Some(stream) => &mut stream.srtp,
            None => fresh.insert(srtp::StreamState::new()),
        };
        let len = keys.open_rtp(state, packet, header.len).map_err(refusal)?;
        let packet: &'a [u8] = packet;
        let packet = packet.get(..len).ok_or(Drop::Malformed)?;
        // Also of streams that are not known (yet): the peer's estimate must not take them for lost.
        self.note_arrival(now, &header, packet);
        let index = match known {
            Some(index) => index,
            None => self.streams.bind(&header, packet, fresh.ok_or(Drop::UnknownStream)?)?,
        };
        let payload = header.payload(packet).map_err(|_| Drop::Malformed)?;
        let section = self.streams.all.get(index).ok_or(Drop::UnknownStream)?.section;
        let kind = self.streams.payload(section, header.payload_type).ok_or(Drop::UnknownPayload)?;
        let stream = self.streams.all.get_mut(index).ok_or(Drop::UnknownStream)?;
        if stream.replaced {
            return Err(Drop::Late);
        }
        let sounds = self.streams.sections.get_mut(section).map(|section| &mut section.sounds);
        let sounds = sounds.filter(|_| matches!(kind.codec, Codec::Opus | Codec::Red));
        if sounds.is_some_and(|sounds| !sounds.take(now)) {
            return Err(Drop::Flood);
        }
        stream.used = true;
        if self.next_report.is_none() {
            self.next_report = Some(now + REPORT_INTERVAL);
            self.new_deadline = self.next_report;
        }
        let (media, payload, arrival) = if stream.role == Role::Retransmission || kind.retransmission {
            stream.log.on_packet(now, header.sequence, header.timestamp, Via::Media);
            let (section, layer) = (stream.section, stream.layer);
            if payload.is_empty() {
                return Ok(Received::Padding {
                    track: self.streams.sections[section].track,
                    layer,
                    seq: None,
                    timestamp: header.timestamp,
                    bytes,
                });
            }
            // RFC 4588 §4: the original number stands before the original payload.
            let (original, payload) = payload.split_first_chunk::<2>().ok_or(Drop::Malformed)?;
            let media = self.streams.media(section, layer).ok_or(Drop::UnknownStream)?;
            let original = u16::from_be_bytes(*original);
            let arrival = self.streams.all[media].log.on_packet(now, original, header.timestamp, Via::Retransmission);
            (media, payload, arrival)
        } else {
            let arrival = stream.log.on_packet(now, header.sequence, header.timestamp, Via::Media);
            stream.clock.handle_packet(now, header.timestamp, server_ns);
            (index, payload, arrival)
        };
        let stream = self.streams.all.get_mut(media).ok_or(Drop::UnknownStream)?;
        if let Some(at) = stream.log.poll_timeout() {
            self.new_deadline = Some(self.new_deadline.map_or(at, |other| other.min(at)));
        }
        let number = match arrival {
            Arrival::New(number) | Arrival::Repaired(number) => number,
            Arrival::Duplicate | Arrival::TooOld => return Err(Drop::Late),
        };
        let section = self.streams.sections.get(stream.section);
        if let Some(remb) = self.remb.as_mut().filter(|_| section.is_some_and(|section| section.kind == Kind::Video))
            && index == media
        {
            remb.handle_packet(now, header.ssrc, number, header.timestamp, bytes);
            if let Some(at) = remb.poll_timeout() {
                self.new_deadline = Some(self.new_deadline.map_or(at, |other| other.min(at)));
            }
        }
        let track = section.and_then(|section| section.track);
        if payload.is_empty() {
            let layer = stream.layer;
            return Ok(Received::Padding { track, layer, seq: Some(number), timestamp: header.timestamp, bytes });
        }
        let mut missed = [None; MAX_MISSED];
        let (codec, payload) = match kind.codec {
            Codec::Red => {
                let red = Red::parse(payload).map_err(|_| Drop::Malformed)?;
                missed = missed_of(now, &mut stream.log, number, header.timestamp, &red);
                // Each is a sound like others.
                if let Some(section) = self.streams.sections.get_mut(stream.section) {
                    missed = missed.map(|missed| missed.filter(|_| section.sounds.take(now)));
                }
                (Codec::Opus, red.primary.data)
            }
            other => (other, payload),
        };
        let vp8 = if codec == Codec::Vp8 { Vp8Descriptor::parse(payload).ok() } else { None };
        let key_start = match &vp8 {
            Some(descriptor) => descriptor.starts_key_frame(payload),
            None => codec::is_key_frame_start(codec, payload),
        };
        if key_start {
            stream.log.on_key_frame(number);
        }
        let found = |id: Option<u8>| Some(header.find_extension(packet, id?)?.value);
        let descriptor = found(self.extensions.dependency_descriptor).filter(|_| !codec.is_audio());
        let looked = Looked { codec, marker: header.marker, key_start, payload, vp8: vp8.as_ref(), descriptor };
        let (scalability, told) = stream.layering.read(&looked);
        let one_byte = |id: Option<u8>| found(id)?.first().copied();
        Ok(Received::Media(Media {
            track,
            layer: stream.layer,
            ssrc: stream.ssrc,
            seq: number,
            timestamp: header.timestamp,
            marker: header.marker,
            codec,
            key_start,
            // Where nothing says it in the open, the layers' order tells enough.
            heights: match vp8.filter(|_| key_start).and_then(|vp8| vp8.resolution(payload)) {
                Some((_, height)) => Heights::of_one(Some(height)),
                None => told,
            },
            orientation: one_byte(self.extensions.video_orientation),
            audio_level: one_byte(self.extensions.audio_level),
            vp8,
            scalability,
            descriptor: descriptor.filter(|_| codec == Codec::Av1).unwrap_or_default(),
            payload,
            bytes,
            missed,
        }))
    }

    fn note_arrival(&mut self, now: Instant, header: &Header, packet: &[u8]) {
        let (Some(id), Some(arrivals)) = (self.extensions.transport_cc, self.arrivals.as_mut()) else { return };
        let Some(found) = header.find_extension(packet, id) else { return };
        if let Some(sequence) = extension::transport_sequence(found.value) {
            arrivals.record(now, sequence);
            if let Some(at) = arrivals.poll_timeout() {
                self.new_deadline = Some(self.new_deadline.map_or(at, |other| other.min(at)));
            }
        }
    }

    /// A sender report of the peer's.
    pub fn handle_sender_report(&mut self, now: Instant, server_ns: i64, info: &SenderInfo) {
        let Some(stream) = self.streams.find_mut(info.ssrc) else { return };
        stream.log.on_sender_report(now, info.ntp);
        let sender_ns = ntp_ns(info.ntp);
        stream.clock.handle_report(info.timestamp, sender_ns);
        self.clock.handle_report(now, sender_ns, server_ns);
    }

    /// Sources of the peer's that end.
    pub fn handle_goodbye(&mut self, ssrc: u32) {
        if let Some(stream) = self.streams.find_mut(ssrc) {
            stream.used = false;
        }
    }

    /// How long a packet is under way to the peer and back.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        for stream in &mut self.streams.all {
            stream.log.set_round_trip(round_trip);
        }
    }

    /// When, by the server's clock, content of this track's layer with this timestamp was captured.
    #[must_use]
    pub fn captured_ns(&self, track: u32, layer: u8, timestamp: u32) -> Option<i64> {
        let section = self.streams.sections.iter().position(|section| section.track == Some(track))?;
        let stream = self.streams.all.get(self.streams.media(section, layer)?)?;
        stream.clock.server_ns(&self.clock, timestamp)
    }

    /// A deadline earlier than what was said before.
    pub fn take_new_deadline(&mut self) -> Option<Instant> {
        self.new_deadline.take()
    }

    /// When [`Inbound::poll_rtcp`] next has something to say.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let repairs = self.streams.all.iter().filter_map(|stream| stream.log.poll_timeout());
        let arrivals = self.arrivals.as_ref().and_then(|arrivals| arrivals.poll_timeout());
        let remb = self.remb.as_ref().and_then(|remb| remb.poll_timeout());
        repairs.chain(arrivals).chain(remb).chain(self.next_report).min()
    }

    /// Writes what is due: reports, requests for what is missing, transport-wide feedback. Names in
    /// `keys` the streams that only a key frame helps.
    pub fn poll_rtcp(&mut self, now: Instant, out: &mut Writer<'_>, keys: &mut Vec<(u32, u8)>) {
        self.lost.clear();
        for stream in &mut self.streams.all {
            let due = stream.log.poll_timeout().is_some_and(|at| at <= now);
            if stream.role != Role::Media || !due {
                continue;
            }
            self.lost.clear();
            stream.log.poll_nack(now, &mut self.lost);
            if !self.lost.is_empty() {
                out.nack(FEEDBACK_SSRC, stream.ssrc.0, &self.lost);
            }
            if stream.log.take_key_frame_request()
                && let Some(track) = self.streams.sections.get(stream.section).and_then(|section| section.track)
            {
                keys.push((track, stream.layer));
            }
        }
        if let Some(arrivals) = &mut self.arrivals {
            let media = self.streams.all.first().map_or(0, |stream| stream.ssrc.0);
            arrivals.poll_feedback(now, FEEDBACK_SSRC, media, out);
        }
        if let Some(remb) = &mut self.remb {
            remb.poll(now, FEEDBACK_SSRC, out);
        }
        if self.next_report.is_some_and(|at| at <= now) {
            self.write_reports(now, out);
        }
    }

    fn write_reports(&mut self, now: Instant, out: &mut Writer<'_>) {
        self.blocks.clear();
        let (mut expected, mut lost) = (0, 0);
        for stream in self.streams.all.iter_mut().filter(|stream| stream.used) {
            stream.used = false;
            self.blocks.extend(stream.log.report(now, stream.ssrc.0));
            let (of, missing) = stream.log.last_interval();
            expected += of;
            lost += missing;
        }
        self.share_lost = (expected > 0).then(|| lost as f32 / expected as f32);
        // Streams that are silent are left out, and with all silent there is no next report.
        self.next_report = (!self.blocks.is_empty()).then(|| now + REPORT_INTERVAL);
        for blocks in self.blocks.chunks(31) {
            out.receiver_report(FEEDBACK_SSRC, blocks);
        }
    }

    /// The share of the peer's packets that was lost before the last report, over all its streams; once a report.
    pub fn take_share_lost(&mut self) -> Option<f32> {
        self.share_lost.take()
    }
}

fn ntp_ns(ntp: Ntp) -> i64 {
    let seconds = (ntp.0 >> 32) as i64;
    let fraction = ((ntp.0 & 0xffff_ffff) * 1_000_000_000) >> 32;
    seconds.wrapping_mul(1_000_000_000).wrapping_add(fraction as i64)
}

fn refusal(refused: srtp::Refused) -> Drop {
    match refused {
        srtp::Refused::Replay => Drop::Replayed,
        srtp::Refused::Auth => Drop::Forged,
        _ => Drop::Malformed,
    }
}
