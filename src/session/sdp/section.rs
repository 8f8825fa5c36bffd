//! One media section while it is read. Knows no policy, and of other sections nothing.

use super::error::SdpError;
use super::offer::{Direction, Extension, Feedback, MediaKind, MediaSection, Payload};
use super::parse::{Level, MAX_EXTENSIONS, MAX_NAME, MAX_PAYLOADS, MAX_RIDS, MAX_SSRCS, MAX_WORD, is_word, number};
use crate::session::plan::{Mid, PayloadType, Rid, Ssrc};

/// A section while it is read.
pub(super) struct Section {
    pub(super) level: Level,
    pub(super) mid: Option<Mid>,
    kind: MediaKind,
    protocol: String,
    formats: String,
    port: u16,
    bundle_only: bool,
    payloads: Vec<Payload>,
    feedback_of_all: Feedback,
    extensions: Vec<Extension>,
    sent_rids: Vec<Rid>,
    received_rids: Vec<Rid>,
    simulcast: Vec<Rid>,
    received_simulcast: Vec<Rid>,
    ssrcs: Vec<Ssrc>,
    retransmissions: Vec<(Ssrc, Ssrc)>,
    simulcast_ssrcs: Vec<Ssrc>,
    rtcp_mux: bool,
    rtcp_rsize: bool,
}

/// More of something than a section may have; the reader adds the line.
pub(super) struct TooMany {
    what: &'static str,
    limit: usize,
}

impl TooMany {
    pub(super) const fn at(self, line: usize) -> SdpError {
        SdpError::TooMany { line, what: self.what, limit: self.limit }
    }
}

impl Section {
    pub(super) fn new(kind: MediaKind, port: u16, protocol: &str, formats: &str) -> Result<Self, TooMany> {
        let mut payloads: Vec<Payload> = Vec::new();
        if !matches!(kind, MediaKind::Other(_)) {
            for payload_type in formats.split(' ').filter_map(payload_type) {
                if payloads.len() >= MAX_PAYLOADS {
                    return Err(TooMany { what: "payload types", limit: MAX_PAYLOADS });
                }
                if payloads.iter().all(|payload| payload.payload_type != payload_type) {
                    payloads.push(Payload {
                        payload_type,
                        name: String::new(),
                        clock_rate: 0,
                        channels: 1,
                        fmtp: String::new(),
                        feedback: Feedback::default(),
                    });
                }
            }
        }
        Ok(Self {
            level: Level::default(),
            mid: None,
            kind,
            protocol: protocol.to_owned(),
            formats: formats.to_owned(),
            port,
            bundle_only: false,
            payloads,
            feedback_of_all: Feedback::default(),
            extensions: Vec::new(),
            sent_rids: Vec::new(),
            received_rids: Vec::new(),
            simulcast: Vec::new(),
            received_simulcast: Vec::new(),
            ssrcs: Vec::new(),
            retransmissions: Vec::new(),
            simulcast_ssrcs: Vec::new(),
            rtcp_mux: false,
            rtcp_rsize: false,
        })
    }

    /// Reads an `a=` line that may stand only in a section; unknown ones are passed over.
    pub(super) fn read_attribute(&mut self, name: &str, value: &str) -> Result<(), TooMany> {
        match name {
            "bundle-only" => self.bundle_only = true,
            "rtcp-mux" => self.rtcp_mux = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "rtpmap" => self.read_rtpmap(value),
            "fmtp" => self.read_fmtp(value),
            "rtcp-fb" => self.read_feedback(value),
            "extmap" => self.read_extension(value)?,
            "rid" => self.read_rid(value)?,
            "simulcast" => self.read_simulcast(value)?,
            "ssrc" => self.read_ssrc(value)?,
            "ssrc-group" => self.read_ssrc_group(value)?,
            _ => {}
        }
        Ok(())
    }

    fn payload(&mut self, number: &str) -> Option<&mut Payload> {
        let wanted = payload_type(number)?;
        self.payloads.iter_mut().find(|payload| payload.payload_type == wanted)
    }

    fn read_rtpmap(&mut self, value: &str) {
        let Some((number_word, encoding)) = value.split_once(' ') else { return };
        let mut parts = encoding.trim().split('/');
        let (Some(name), Some(clock_rate)) = (parts.next(), number(parts.next())) else { return };
        let channels = number(parts.next()).unwrap_or(1);
        if let Some(payload) = self.payload(number_word).filter(|_| is_word(name, MAX_WORD)) {
            payload.name = name.to_ascii_lowercase();
            payload.clock_rate = clock_rate;
            payload.channels = channels;
        }
    }

    fn read_fmtp(&mut self, value: &str) {
        let Some((number, parameters)) = value.split_once(' ') else { return };
        if let Some(payload) = self.payload(number) {
            payload.fmtp = parameters.trim().to_owned();
        }
    }

    fn read_feedback(&mut self, value: &str) {
        let Some((number, kind)) = value.split_once(' ') else { return };
        let mut said = Feedback::default();
        match kind.trim().to_ascii_lowercase().as_str() {
            "nack" => said.nack = true,
            "nack pli" => said.pli = true,
            "ccm fir" => said.fir = true,
            "transport-cc" => said.transport_cc = true,
            "goog-remb" => said.remb = true,
            _ => return,
        }
        if number == "*" {
            self.feedback_of_all = self.feedback_of_all.union(said);
        } else if let Some(payload) = self.payload(number) {
            payload.feedback = payload.feedback.union(said);
        }
    }

    fn read_extension(&mut self, value: &str) -> Result<(), TooMany> {
        let mut words = value.split(' ');
        let (Some(id), Some(uri)) = (words.next(), words.next()) else { return Ok(()) };
        let (id, direction) = id.split_once('/').map_or((id, None), |(id, word)| (id, Direction::read(word)));
        let Some(id) = number(Some(id)) else { return Ok(()) };
        if self.extensions.len() >= MAX_EXTENSIONS {
            return Err(TooMany { what: "header extensions", limit: MAX_EXTENSIONS });
        }
        self.extensions.push(Extension { id, direction, uri: uri.to_owned() });
        Ok(())
    }

    fn read_rid(&mut self, value: &str) -> Result<(), TooMany> {
        let mut words = value.split(' ');
        match (words.next(), words.next()) {
            (Some(name), Some("send")) => push_rid(&mut self.sent_rids, name),
            (Some(name), Some("recv")) => push_rid(&mut self.received_rids, name),
            _ => Ok(()),
        }
    }

    /// RFC 8853: `send q;h,h2;~f recv …`; Firefox once wrote ` send rid=q;h`.
    fn read_simulcast(&mut self, value: &str) -> Result<(), TooMany> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        while let (Some(direction), Some(list)) = (words.next(), words.next()) {
            let rids = match direction {
                "send" => &mut self.simulcast,
                "recv" => &mut self.received_simulcast,
                _ => return Ok(()),
            };
            let list = list.strip_prefix("rid=").unwrap_or(list);
            for encoding in list.split(';') {
                // Of alternatives for one encoding the first is the most wanted.
                let first = encoding.split(',').next().unwrap_or("");
                push_rid(rids, first.strip_prefix('~').unwrap_or(first))?;
            }
        }
        Ok(())
    }

    fn read_ssrc(&mut self, value: &str) -> Result<(), TooMany> {
        let Some(ssrc) = ssrc(value.split(' ').next()) else { return Ok(()) };
        if self.ssrcs.contains(&ssrc) {
            return Ok(());
        }
        if self.ssrcs.len() >= MAX_SSRCS {
            return Err(TooMany { what: "SSRCs", limit: MAX_SSRCS });
        }
        self.ssrcs.push(ssrc);
        Ok(())
    }

    fn read_ssrc_group(&mut self, value: &str) -> Result<(), TooMany> {
        let mut words = value.split(' ');
        match words.next() {
            Some("FID") => {
                let (Some(media), Some(rtx)) = (ssrc(words.next()), ssrc(words.next())) else { return Ok(()) };
                if self.retransmissions.len() >= MAX_SSRCS {
                    return Err(TooMany { what: "SSRC groups", limit: MAX_SSRCS });
                }
                self.retransmissions.push((media, rtx));
            }
            Some("SIM") if self.simulcast_ssrcs.is_empty() => {
                self.simulcast_ssrcs = words.filter_map(|word| ssrc(Some(word))).take(MAX_RIDS).collect();
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(mut self, index: usize, default_direction: Direction) -> Result<MediaSection, SdpError> {
        let mid = self.mid.ok_or(SdpError::MissingMid { index })?;
        self.payloads.retain(|payload| !payload.name.is_empty());
        for payload in &mut self.payloads {
            payload.feedback = payload.feedback.union(self.feedback_of_all);
        }
        self.simulcast.retain(|rid| self.sent_rids.contains(rid));
        self.received_simulcast.retain(|rid| self.received_rids.contains(rid));
        Ok(MediaSection {
            mid,
            kind: self.kind,
            protocol: self.protocol,
            formats: self.formats,
            enabled: self.port != 0 || self.bundle_only,
            direction: self.level.direction.unwrap_or(default_direction),
            payloads: self.payloads,
            extensions: self.extensions,
            extmap_allow_mixed: self.level.extmap_allow_mixed,
            rids: self.simulcast,
            received_rids: self.received_simulcast,
            ssrcs: self.ssrcs,
            retransmissions: self.retransmissions,
            simulcast_ssrcs: self.simulcast_ssrcs,
            credentials: self.level.credentials(),
            fingerprint: self.level.fingerprint,
            setup: self.level.setup,
            rtcp_mux: self.rtcp_mux,
            rtcp_rsize: self.rtcp_rsize,
        })
    }
}

fn push_rid(rids: &mut Vec<Rid>, name: &str) -> Result<(), TooMany> {
    // RFC 8851 §10: letters, digits, `-` and `_`.
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if name.is_empty() || name.len() > MAX_NAME || !valid || rids.iter().any(|rid| rid.0 == name) {
        return Ok(());
    }
    if rids.len() >= MAX_RIDS {
        return Err(TooMany { what: "simulcast encodings", limit: MAX_RIDS });
    }
    rids.push(Rid(name.to_owned()));
    Ok(())
}

fn payload_type(word: &str) -> Option<PayloadType> {
    number(Some(word)).filter(|value: &u8| *value < 128).map(PayloadType)
}

fn ssrc(word: Option<&str>) -> Option<Ssrc> {
    number(word).filter(|value: &u32| *value != 0).map(Ssrc)
}
