//! Opening what a peer sealed. Knows no streams beyond the state it is handed.

use super::replay::{ShortWindow, StreamState};
use super::transform::{ENCRYPTED, Transform};
use super::{MasterKeys, RTP_HEADER, Refused, word};
use std::fmt;

/// How many senders' SRTCP indexes one session remembers. A browser sends reports from each of its
/// streams: 3 layers and their retransmissions for a camera and a screen, and a microphone, are 13;
/// 256 leaves room for every stream it may add during a day. Only an authenticated peer can fill it.
pub const MAX_RTCP_SOURCES: usize = 256;

/// The keys of received packets and the replay state of received RTCP.
pub struct Inbound {
    rtp: Transform,
    rtcp: Transform,
    pub(super) sources: Vec<(u32, ShortWindow)>,
}

impl Inbound {
    /// Derives the session keys.
    #[must_use]
    pub fn new(master: &MasterKeys) -> Self {
        let (rtp, rtcp) = Transform::pair(master);
        Self { rtp, rtcp, sources: Vec::new() }
    }

    /// Whether the peer gives its keys away with two different packets under one SSRC and index (RFC 7714 §8.4).
    #[must_use]
    pub const fn forbids_repetition(&self) -> bool {
        matches!(self.rtp, Transform::Gcm(_))
    }

    /// Opens an RTP packet in place and gives its new length. `header_len` counts the fixed header,
    /// the CSRCs and the header extension; `stream` must be that of the packet's SSRC.
    ///
    /// # Errors
    /// [`Refused`]; the packet is garbage then and `stream` as it was.
    pub fn open_rtp(&self, stream: &mut StreamState, packet: &mut [u8], header_len: usize) -> Result<usize, Refused> {
        let Some(&[_, _, high, low, ..]) = packet.first_chunk::<RTP_HEADER>() else {
            return Err(Refused::Short);
        };
        if header_len < RTP_HEADER {
            return Err(Refused::Short);
        }
        let index = stream.estimate(u16::from_be_bytes([high, low]));
        if !stream.is_new(index) {
            return Err(Refused::Replay);
        }
        let ssrc = word(packet, 8);
        let len = self.rtp.open_rtp(packet, header_len, ssrc, index)?;
        stream.accept(index);
        Ok(len)
    }

    /// Opens a compound RTCP packet in place and gives its new length.
    ///
    /// # Errors
    /// [`Refused`]; the packet is garbage then and no state has changed.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let at = self.rtcp.rtcp_index_at(packet.len()).ok_or(Refused::Short)?;
        let trailer = word(packet, at);
        let index = trailer & !ENCRYPTED;
        let ssrc = word(packet, 4);
        let full = self.sources.len() >= MAX_RTCP_SOURCES;
        let known = self.sources.iter_mut().find(|(source, _)| *source == ssrc);
        if known.as_ref().is_some_and(|(_, window)| !window.is_new(index.into())) {
            return Err(Refused::Replay);
        }
        let len = self.rtcp.open_rtcp(packet, ssrc, trailer)?;
        match known {
            Some((_, window)) => window.accept(index.into()),
            None if full => return Err(Refused::Sources),
            None => self.sources.push((ssrc, ShortWindow::starting_with(index.into()))),
        }
        Ok(len)
    }

    #[cfg(test)]
    pub(super) fn with_transforms(rtp: Transform, rtcp: Transform) -> Self {
        Self { rtp, rtcp, sources: Vec::new() }
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("rtcp_sources", &self.sources.len()).finish_non_exhaustive()
    }
}
