//! What a Bot gets in its slots: every packet is checked for whose it is, for its bytes and for its numbers.

use super::content::{FrameLayer, Tag, read_opus, read_vp8};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use symposia::rtp::Header;
use symposia::rtp::receive_log::{Arrival, ReceiveLog, RepairPolicy, Via};
use symposia::rtp::red::Red;
use symposia::rtp::rtcp::Ntp;
use symposia::session::plan::{Kind, PayloadType};

/// What Bots call RED.
const RED: u8 = 63;

/// A packet that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Got {
    pub at: Instant,
    /// The server's number, unwrapped.
    pub seq: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub tag: Tag,
    pub picture_id: Option<u16>,
    pub tl0: Option<u8>,
    pub key: bool,
    /// It came as a retransmission.
    pub repaired: bool,
    pub audio_level: Option<u8>,
}

/// A receive slot.
pub struct Slot {
    pub mid: String,
    pub kind: Kind,
    pub ssrc: u32,
    pub rtx: Option<u32>,
    pub rtx_payload_type: Option<PayloadType>,
    pub log: ReceiveLog,
    /// Whether it asks for what is missing.
    pub repairs: bool,
    pub got: BTreeMap<u64, Got>,
    pub duplicates: u64,
    /// Repairs that came twice, or after what they repair.
    pub late: u64,
    /// Packets of padding alone.
    pub probes: u64,
    /// Numbers that came empty: of what was left out after it was late.
    pub empty: BTreeSet<u64>,
    /// Sentences about what must never be.
    pub problems: Vec<String>,
    /// Sender reports.
    pub reports: u64,
    /// The last one: which moment, and its timestamp.
    pub reported: Option<(Ntp, u32)>,
    /// Sounds that stood in a later packet, by the number that they had.
    pub repeated: BTreeMap<u64, Tag>,
}

impl Slot {
    pub fn new(mid: String, kind: Kind, ssrc: u32, rtx: Option<u32>, rtx_payload_type: Option<PayloadType>) -> Self {
        let rate = if kind == Kind::Video { 90_000 } else { 48_000 };
        let policy = (kind == Kind::Video).then_some(RepairPolicy::VIDEO);
        Self {
            mid,
            kind,
            ssrc,
            rtx,
            rtx_payload_type,
            log: ReceiveLog::new(rate, policy),
            repairs: true,
            got: BTreeMap::new(),
            duplicates: 0,
            late: 0,
            probes: 0,
            empty: BTreeSet::new(),
            problems: Vec::new(),
            reports: 0,
            reported: None,
            repeated: BTreeMap::new(),
        }
    }

    /// A decrypted packet of this slot; what it holds where it came for the first time.
    pub fn handle(&mut self, now: Instant, header: &Header, packet: &[u8], audio_level: Option<u8>) -> Option<Tag> {
        let Ok(mut payload) = header.payload(packet) else {
            self.problems.push(format!("{}: padding is wrong in number {}", self.mid, header.sequence));
            return None;
        };
        let repaired = Some(header.ssrc) == self.rtx;
        let mut sequence = header.sequence;
        if repaired {
            if Some(header.payload_type) != self.rtx_payload_type.map(|pt| pt.0) {
                self.problems.push(format!("{}: payload type {} in RTX", self.mid, header.payload_type));
            }
            // Nothing but padding: it probes the link.
            if payload.is_empty() {
                self.probes += 1;
                return None;
            }
            let Some((original, rest)) = payload.split_first_chunk::<2>() else {
                self.problems.push(format!("{}: an RTX packet without a number", self.mid));
                return None;
            };
            sequence = u16::from_be_bytes(*original);
            payload = rest;
        }
        if payload.is_empty() && self.kind == Kind::Video {
            let via = if repaired { Via::Retransmission } else { Via::Media };
            match self.log.on_packet(now, sequence, header.timestamp, via) {
                Arrival::New(number) | Arrival::Repaired(number) => _ = self.empty.insert(number),
                Arrival::Duplicate if repaired => self.late += 1,
                Arrival::Duplicate => self.duplicates += 1,
                Arrival::TooOld => self.late += 1,
            }
            return None;
        }
        if payload.is_empty() {
            self.problems.push(format!("{}: number {sequence} is empty", self.mid));
            return None;
        }
        let mut earlier = Vec::new();
        if self.kind == Kind::Audio && header.payload_type == RED {
            let Ok(red) = Red::parse(payload) else {
                self.problems.push(format!("{}: number {sequence} is no RED", self.mid));
                return None;
            };
            earlier = red.redundant().map(|block| (block.offset, read_opus(block.data))).collect();
            payload = red.primary.data;
        }
        let via = if repaired { Via::Retransmission } else { Via::Media };
        let arrival = self.log.on_packet(now, sequence, header.timestamp, via);
        let read = match self.kind {
            Kind::Video => read_vp8(payload).map(|p| (p.tag, Some(p.picture_id), Some(p.tl0), p.key)),
            Kind::Audio => read_opus(payload).map(|tag| (tag, None, None, false)),
        };
        let Some((tag, picture_id, tl0, key)) = read else {
            self.problems.push(format!(
                "{}: number {sequence} ({} bytes) is not what was sent",
                self.mid,
                payload.len()
            ));
            return None;
        };
        let number = match arrival {
            Arrival::New(number) | Arrival::Repaired(number) => number,
            Arrival::Duplicate => {
                // The link is probed with what is here already.
                *(if repaired { &mut self.late } else { &mut self.duplicates }) += 1;
                let known = self.got.iter().rev().find(|(number, _)| **number as u16 == sequence);
                if known.is_some_and(|(_, got)| got.tag != tag || got.timestamp != header.timestamp) {
                    self.problems.push(format!("{}: number {sequence} was given to two packets", self.mid));
                }
                return None;
            }
            Arrival::TooOld => {
                self.late += 1;
                return None;
            }
        };
        for (back, (offset, repeated)) in (1..).zip(earlier.into_iter().rev()) {
            let same = |one: &Tag| one.frame + back == tag.frame && (one.bot, one.source) == (tag.bot, tag.source);
            match repeated.filter(same) {
                Some(repeated) if u32::from(offset) == back * 960 => {
                    _ = self.repeated.insert(number - u64::from(back), repeated)
                }
                _ => self.problems.push(format!("{}: number {sequence} repeats what was not before it", self.mid)),
            }
        }
        if key {
            self.log.on_key_frame(number);
        }
        let (at, timestamp, marker) = (now, header.timestamp, header.marker);
        self.got.insert(
            number,
            Got { at, seq: number, timestamp, marker, tag, picture_id, tl0, key, repaired, audio_level },
        );
        Some(tag)
    }

    /// What is wrong with the order of what came: numbers, times, picture numbers, frames, switches.
    pub fn discontinuities(&self) -> Vec<String> {
        let mut wrong = self.problems.clone();
        wrong.extend(self.undecodable());
        let mut before: Option<&Got> = None;
        for got in self.got.values() {
            if let Some(before) = before.filter(|before| (before.seq + 1..got.seq).all(|seq| self.empty.contains(&seq)))
                && let Some(problem) = self.problem_between(before, got)
            {
                wrong.push(format!("{}: {problem}: {before:?} then {got:?}", self.mid));
            }
            before = Some(got);
        }
        wrong
    }

    fn problem_between(&self, before: &Got, got: &Got) -> Option<&'static str> {
        let same_layer =
            (before.tag.bot, before.tag.source, before.tag.layer) == (got.tag.bot, got.tag.source, got.tag.layer);
        let ahead = got.timestamp.wrapping_sub(before.timestamp);
        if self.kind == Kind::Audio {
            if ahead == 0 || ahead > 1 << 31 {
                return Some("time does not go on");
            }
            if same_layer && got.tag.frame == before.tag.frame + 1 && ahead != 960 {
                return Some("time is not the publisher's");
            }
            return None;
        }
        if same_layer && before.tag.frame == got.tag.frame {
            if ahead != 0 || before.picture_id != got.picture_id || before.tl0 != got.tl0 {
                return Some("a frame has two times or picture numbers");
            }
            return (got.tag.packet != before.tag.packet + 1).then_some("a packet of the frame is left out");
        }
        if ahead == 0 || ahead > 1 << 31 {
            return Some("time does not go on");
        }
        if got.tag.packet != 0 {
            return Some("a frame does not begin at its beginning");
        }
        if !same_layer && !got.key {
            return Some("a switch without a key frame");
        }
        // Whoever begins anew (a gate opened, a slot points back) begins with a key frame. Of a stream without temporal
        // layers each needs the one before; the others are looked at by `undecodable`.
        if same_layer && !got.key && got.tag.frame_layer.needs == [1, 0] && got.tag.frame != before.tag.frame + 1 {
            return Some("a frame is left out without a gap");
        }
        if same_layer && !got.key && (!before.marker || before.tag.packet + 1 != before.tag.packets) {
            return Some("a frame is not whole");
        }
        // A picture of which only empty packets came had a number, too.
        let most = got.seq - before.seq;
        let ahead =
            before.picture_id.zip(got.picture_id).map(|(before, id)| u64::from(id.wrapping_sub(before) & 0x7fff));
        if ahead.is_none_or(|ahead| ahead == 0 || ahead > most) {
            return Some("the picture number does not follow");
        }
        let lowest = u8::from(got.tag.frame_layer.temporal == 0);
        (before.tl0.map(|tl0| tl0.wrapping_add(lowest)) != got.tl0).then_some("TL0PICIDX does not follow")
    }

    /// Frames that came without something that they need, where no packet is missing.
    pub fn undecodable(&self) -> Vec<String> {
        let mut decoded = BTreeSet::new();
        let mut wrong = Vec::new();
        if self.kind == Kind::Audio || self.missing() > 0 {
            return wrong;
        }
        // What came before the first key frame here was begun with earlier.
        let begun = self.got.values().skip_while(|got| !got.key);
        for got in begun.filter(|got| got.tag.packet + 1 == got.tag.packets) {
            let Tag { bot, source, layer, frame, frame_layer, .. } = got.tag;
            let name = |frame: u32, spatial: u8| (bot, source, layer, frame, spatial);
            let FrameLayer { spatial, needs, needs_below, .. } = frame_layer;
            let earlier = needs.iter().filter(|back| **back > 0).map(|back| frame.checked_sub(u32::from(*back)));
            let mut needed = earlier.map(|frame| frame.map(|frame| name(frame, spatial)));
            let below = spatial.checked_sub(1).filter(|_| needs_below).map(|below| name(frame, below));
            if needed.all(|needed| needed.is_some_and(|needed| decoded.contains(&needed)))
                && below.is_none_or(|below| decoded.contains(&below))
            {
                decoded.insert(name(frame, spatial));
            } else {
                wrong.push(format!("{}: {got:?} can't be decoded", self.mid));
            }
        }
        wrong
    }

    /// Which numbers between the first and the last did not come.
    pub fn holes(&self) -> Vec<u64> {
        let (Some((first, _)), Some((last, _))) = (self.got.first_key_value(), self.got.last_key_value()) else {
            return Vec::new();
        };
        (*first..=*last).filter(|seq| !self.got.contains_key(seq) && !self.empty.contains(seq)).collect()
    }

    /// How many those are.
    pub fn missing(&self) -> u64 {
        self.holes().len() as u64
    }

    /// The same, without those that a later packet repeats.
    pub fn silent(&self) -> u64 {
        let Some((first, last)) = self.got.first_key_value().zip(self.got.last_key_value()) else { return 0 };
        let heard = |number: &u64| self.got.contains_key(number) || self.repeated.contains_key(number);
        (*first.0..=*last.0).filter(|number| !heard(number)).count() as u64
    }

    /// The newest packet.
    pub fn last(&self) -> Option<&Got> {
        self.got.last_key_value().map(|(_, got)| got)
    }

    /// How many packets of this Bot's source came.
    pub fn count(&self, bot: u32, source: u8) -> usize {
        self.got.values().filter(|got| got.tag.bot == bot && got.tag.source == source).count()
    }
}
