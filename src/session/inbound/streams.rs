//! Which stream of the peer's is which: section, layer, media or retransmission, by the SDP or by the first
//! packets' extensions (RFC 8852). Knows no payload.

use super::layering::Layering;
use crate::net::counters::Drop;
use crate::rtp::receive_log::{ReceiveLog, RepairPolicy};
use crate::rtp::{Header, extension};
use crate::session::clock_map::StreamClock;
use crate::session::limits::Allowance;
use crate::session::plan::{Codec, CodecPlan, ExtensionIds, Flow, Kind, Mid, ReceivePlan, Section, SessionPlan, Ssrc};
use crate::session::srtp;
use rustc_hash::FxHashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Media,
    /// RFC 4588.
    Retransmission,
}

pub(super) struct Stream {
    pub(super) ssrc: Ssrc,
    pub(super) section: usize,
    pub(super) layer: u8,
    pub(super) role: Role,
    pub(super) srtp: srtp::StreamState,
    pub(super) log: ReceiveLog,
    pub(super) clock: StreamClock,
    pub(super) layering: Layering,
    pub(super) used: bool,
    /// Another stream stands in its place for good: what still comes of this one is late.
    pub(super) replaced: bool,
}

/// Opus makes no more (RFC 6716: 2.5 ms each), and sound goes before everything else, to everybody.
const SOUNDS_PER_SECOND: u32 = 400;

pub(super) struct ReceiveSection {
    pub(super) mid: Mid,
    pub(super) kind: Kind,
    pub(super) plan: ReceivePlan,
    pub(super) track: Option<u32>,
    /// How many sounds it may bring, by whichever streams.
    pub(super) sounds: Allowance,
}

/// A payload type's meaning within a section.
#[derive(Clone, Copy)]
pub(super) struct Payload {
    pub(super) codec: Codec,
    pub(super) retransmission: bool,
}

/// The streams of one session and the sections that they belong to.
pub(super) struct Streams {
    pub(super) sections: Vec<ReceiveSection>,
    pub(super) all: Vec<Stream>,
    /// Browsers send sound again under its old number with a new transport-wide one in it: under these keys they
    /// must not be asked to.
    pub(super) repetition_forbidden: bool,
    most: usize,
    extensions: ExtensionIds,
    by_ssrc: FxHashMap<u32, usize>,
}

impl Streams {
    pub(super) fn new(plan: &SessionPlan, most: usize) -> Self {
        let section = |section: &Section| match &section.flow {
            Flow::Receive(receive) => Some(ReceiveSection {
                mid: section.mid.clone(),
                kind: section.kind,
                plan: receive.clone(),
                track: None,
                sounds: Allowance::new(SOUNDS_PER_SECOND),
            }),
            _ => None,
        };
        Self {
            sections: plan.sections.iter().filter_map(section).collect(),
            all: Vec::new(),
            repetition_forbidden: false,
            most,
            extensions: plan.extensions,
            by_ssrc: FxHashMap::default(),
        }
    }

    pub(super) fn find(&self, ssrc: u32) -> Option<usize> {
        self.by_ssrc.get(&ssrc).copied()
    }

    pub(super) fn find_mut(&mut self, ssrc: u32) -> Option<&mut Stream> {
        let index = self.find(ssrc)?;
        self.all.get_mut(index)
    }

    /// The media stream of a layer; the latest where the encoder was made anew.
    pub(super) fn media(&self, section: usize, layer: u8) -> Option<usize> {
        self.all.iter().rposition(|s| s.section == section && s.layer == layer && s.role == Role::Media)
    }

    /// What a payload type means in a section.
    pub(super) fn payload(&self, section: usize, payload_type: u8) -> Option<Payload> {
        payload_kind(&self.sections.get(section)?.plan.codecs, payload_type)
    }

    /// Takes in a stream whose first packet was opened.
    pub(super) fn bind(&mut self, header: &Header, packet: &[u8], srtp: srtp::StreamState) -> Result<usize, Drop> {
        let text = |id: Option<u8>| extension::text(header.find_extension(packet, id?)?.value);
        let ssrc = Ssrc(header.ssrc);
        let by_mid =
            text(self.extensions.mid).and_then(|mid| self.sections.iter().position(|section| section.mid.0 == mid));
        let announced = |section: &ReceiveSection| {
            section.plan.announced.iter().position(|stream| stream.media == ssrc || stream.rtx == Some(ssrc))
        };
        let by_ssrc = || self.sections.iter().position(|section| announced(section).is_some());
        // A lone section of its payload type can be no other (RFC 9143 §9.2).
        let by_payload = || {
            let mut fitting = (0..self.sections.len())
                .filter(|i| payload_kind(&self.sections[*i].plan.codecs, header.payload_type).is_some());
            fitting.next().filter(|_| fitting.next().is_none())
        };
        let section = by_mid.or_else(by_ssrc).or_else(by_payload).ok_or(Drop::UnknownStream)?;
        let found = &self.sections[section];
        let rid = text(self.extensions.rid);
        let repaired = text(self.extensions.repaired_rid);
        let kind = payload_kind(&found.plan.codecs, header.payload_type).ok_or(Drop::UnknownPayload)?;
        let by_rid = |rid: &str| found.plan.rids.iter().position(|other| other.0 == rid);
        let layer = match rid.or(repaired) {
            Some(rid) if !found.plan.rids.is_empty() => by_rid(rid).ok_or(Drop::UnknownStream)?,
            _ => announced(found).unwrap_or(0),
        };
        let layer = u8::try_from(layer).ok().filter(|layer| usize::from(*layer) < 3).ok_or(Drop::UnknownStream)?;
        // The stream of a simulcast layer shows by its first packets only which layer it is.
        if !found.plan.rids.is_empty() && rid.is_none() && repaired.is_none() && found.plan.announced.is_empty() {
            return Err(Drop::UnknownStream);
        }
        let role = if kind.retransmission { Role::Retransmission } else { Role::Media };
        if self.all.len() >= self.most {
            return Err(Drop::Flood);
        }
        let clock_rate = found.plan.codecs.first().map_or(90_000, |codec| codec.clock_rate);
        let nack = role == Role::Media && found.plan.codecs.iter().any(|codec| codec.nack);
        let has_rtx = found.plan.codecs.iter().any(|codec| codec.rtx.is_some());
        let policy = match found.kind {
            _ if !nack || (self.repetition_forbidden && !has_rtx) => None,
            Kind::Video => Some(RepairPolicy::VIDEO),
            Kind::Audio => Some(RepairPolicy::AUDIO),
        };
        self.forget_replaced(section, layer, role);
        self.by_ssrc.insert(ssrc.0, self.all.len());
        self.all.push(Stream {
            ssrc,
            section,
            layer,
            role,
            srtp,
            log: ReceiveLog::new(clock_rate, policy),
            clock: StreamClock::new(clock_rate),
            layering: Layering::default(),
            used: true,
            replaced: false,
        });
        Ok(self.all.len() - 1)
    }

    /// A layer that goes on under a new SSRC (the encoder was made anew): the old stream's place is given
    /// up, but not its replay state while there is room. It never comes back: two that took turns would make the layer
    /// anew with each packet. What retransmissions of it bring has another numbering than the new one.
    fn forget_replaced(&mut self, section: usize, layer: u8, role: Role) {
        let of_layer = |stream: &Stream| stream.section == section && stream.layer == layer;
        let anew = role == Role::Media && self.all.iter().any(|stream| of_layer(stream) && stream.role == role);
        for stream in &mut self.all {
            if of_layer(stream) && (stream.role == role || anew) {
                (stream.used, stream.replaced) = (false, true);
            }
        }
    }
}

fn payload_kind(codecs: &[CodecPlan], payload_type: u8) -> Option<Payload> {
    codecs.iter().find_map(|plan| {
        if plan.payload_type.0 == payload_type {
            Some(Payload { codec: plan.codec, retransmission: false })
        } else if plan.rtx.is_some_and(|rtx| rtx.0 == payload_type) {
            Some(Payload { codec: plan.codec, retransmission: true })
        } else {
            None
        }
    })
}
