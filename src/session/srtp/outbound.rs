//! Sealing what we send. Knows no streams: their 48-bit indexes belong to the caller, who must
//! never seal two different packets under one SSRC and index.

use super::transform::{ENCRYPTED, Transform};
use super::{MasterKeys, Profile, RTCP_HEADER, RTP_HEADER, word};
use std::fmt;

/// The keys of sent packets and the index of sent RTCP. Those of RTCP stand elsewhere, so that who asks for this struct's
/// memory ahead of time asks for what sealing media needs and little more.
pub struct Outbound {
    profile: Profile,
    rtp: Transform,
    rtcp: Box<Transform>,
    /// Of the next RTCP packet. One count serves all our SSRCs: for each of them it only grows.
    next_rtcp: u32,
}

impl Outbound {
    /// Derives the session keys.
    #[must_use]
    pub fn new(master: &MasterKeys) -> Self {
        let (rtp, rtcp) = Transform::pair(master);
        Self { profile: master.profile(), rtp, rtcp: Box::new(rtcp), next_rtcp: 0 }
    }

    /// The profile, which tells what sealing adds to a packet.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Seals an RTP packet in place and gives its new length. `packet` holds `plain_len` bytes of
    /// header and payload, then room for [`Profile::rtp_overhead`]; `header_len` counts the fixed
    /// header, the CSRCs and the header extension; `roc` is the rollover counter of the sequence
    /// number that stands in the header. `None` where these do not fit together: nothing was sealed,
    /// nothing may be sent.
    #[must_use]
    pub fn seal_rtp(&self, packet: &mut [u8], header_len: usize, plain_len: usize, roc: u32) -> Option<usize> {
        if header_len < RTP_HEADER || header_len > plain_len {
            return None;
        }
        let &[_, _, high, low, ..] = packet.first_chunk::<RTP_HEADER>()?;
        let index = u64::from(roc) << 16 | u64::from(u16::from_be_bytes([high, low]));
        let ssrc = word(packet, 8);
        self.rtp.seal_rtp(packet, header_len, plain_len, ssrc, index)
    }

    /// Seals a compound RTCP packet in place and gives its new length. `packet` holds `plain_len`
    /// bytes, then room for [`Profile::rtcp_overhead`]. `None` where it does not, and after 2³¹
    /// packets, when the keys are used up (RFC 3711 §9.2).
    #[must_use]
    pub fn seal_rtcp(&mut self, packet: &mut [u8], plain_len: usize) -> Option<usize> {
        if plain_len < RTCP_HEADER || self.next_rtcp >= ENCRYPTED {
            return None;
        }
        let ssrc = word(packet, 4);
        let len = self.rtcp.seal_rtcp(packet, plain_len, ssrc, self.next_rtcp)?;
        self.next_rtcp += 1;
        Some(len)
    }

    #[cfg(test)]
    pub(super) fn with_transforms(profile: Profile, rtp: Transform, rtcp: Transform, next_rtcp: u32) -> Self {
        Self { profile, rtp, rtcp: Box::new(rtcp), next_rtcp }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("profile", &self.profile).finish_non_exhaustive()
    }
}
