//! SRTP and SRTCP: the keys of a session and the state of each stream, held apart. Knows no RTP
//! beyond the fixed header's bytes, no sockets and no time.
//!
//! [`Inbound`] and [`Outbound`] hold one direction's keys and serve all streams of a session; what
//! belongs to one received stream ([`StreamState`]) is owned by whoever owns the stream, and so is
//! the 48-bit index of a sent one.

mod derive;
mod inbound;
mod outbound;
mod replay;
mod transform;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;

pub use inbound::{Inbound, MAX_RTCP_SOURCES};
pub use outbound::Outbound;
pub use replay::{REPLAY_WINDOW, ShortWindow, StreamState};

use std::fmt;

/// The most bytes that sealing adds to a packet under any profile (SRTCP with AES-GCM).
pub const MAX_OVERHEAD: usize = 20;

/// The fixed part of an RTP header, in bytes (RFC 3550 §5.1).
const RTP_HEADER: usize = 12;

/// What stays readable of an RTCP packet: its first header and the sender's SSRC (RFC 3711 §3.4).
const RTCP_HEADER: usize = 8;

/// The word of E flag and SRTCP index (RFC 3711 §3.4).
const RTCP_INDEX: usize = 4;

/// A protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `SRTP_AEAD_AES_128_GCM`
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`
    Aes128CmHmacSha1_80,
}

impl Profile {
    /// All of them, the one we like best first: AES-GCM costs a quarter of AES-CM with HMAC-SHA1.
    pub const ALL: [Self; 3] = [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmHmacSha1_80];

    /// Its number in the `use_srtp` extension.
    #[must_use]
    pub const fn dtls_number(self) -> u16 {
        match self {
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
            Self::Aes128CmHmacSha1_80 => 0x0001,
        }
    }

    /// The profile with this number in the `use_srtp` extension.
    #[must_use]
    pub const fn from_dtls_number(number: u16) -> Option<Self> {
        match number {
            0x0007 => Some(Self::AeadAes128Gcm),
            0x0008 => Some(Self::AeadAes256Gcm),
            0x0001 => Some(Self::Aes128CmHmacSha1_80),
            _ => None,
        }
    }

    /// Of a master key and of a session key, in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::Aes128CmHmacSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Of a master salt and of a session salt, in bytes.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::Aes128CmHmacSha1_80 => 14,
        }
    }

    /// How many bytes the DTLS exporter is asked for.
    #[must_use]
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// What sealing adds to an RTP packet, in bytes.
    #[must_use]
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
            Self::Aes128CmHmacSha1_80 => 10,
        }
    }

    /// What sealing adds to an RTCP packet, in bytes.
    #[must_use]
    pub const fn rtcp_overhead(self) -> usize {
        self.rtp_overhead() + RTCP_INDEX
    }

    /// Splits what the DTLS exporter gave (label `EXTRACTOR-dtls_srtp`, RFC 5764 §4.2) into the
    /// keys of the packets we receive and of those we send. `is_client`: we sent the ClientHello.
    /// `None` where `exported` is not [`Self::keying_material_len`] bytes long.
    #[must_use]
    pub fn split_keying_material(self, exported: &[u8], is_client: bool) -> Option<(MasterKeys, MasterKeys)> {
        if exported.len() != self.keying_material_len() {
            return None;
        }
        let (keys, salts) = exported.split_at_checked(2 * self.key_len())?;
        let (client_key, server_key) = keys.split_at_checked(self.key_len())?;
        let (client_salt, server_salt) = salts.split_at_checked(self.salt_len())?;
        let client = MasterKeys::new(self, client_key, client_salt)?;
        let server = MasterKeys::new(self, server_key, server_salt)?;
        Some(if is_client { (server, client) } else { (client, server) })
    }
}

/// The master key and master salt of one direction (RFC 3711 §3.2.1).
#[derive(Clone)]
pub struct MasterKeys {
    profile: Profile,
    key: [u8; 32],
    salt: [u8; 14],
}

impl MasterKeys {
    /// `None` where a length is not the profile's.
    #[must_use]
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return None;
        }
        let mut keys = Self { profile, key: [0; 32], salt: [0; 14] };
        keys.key.get_mut(..key.len())?.copy_from_slice(key);
        // A 96-bit salt is continued with zeros (RFC 7714 §11).
        keys.salt.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(keys)
    }

    /// What they are for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Why a packet was not opened. Its bytes are garbage then; no state has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It is shorter than its header and tag.
    Short,
    /// Its index was seen before, or is older than the window reaches.
    Replay,
    /// Its tag is wrong: forged, damaged, or not for these keys.
    Auth,
    /// It is RTCP of a sender beyond [`MAX_RTCP_SOURCES`].
    Sources,
}

/// Reads four bytes as a big-endian number; 0 where they are missing.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |word| u32::from_be_bytes(*word))
}
