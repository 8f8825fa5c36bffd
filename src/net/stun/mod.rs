//! STUN messages (RFC 8489) as ICE uses them (RFC 8445): read in place and written into a given
//! buffer. Knows no agents, no sockets and no time.

mod build;
mod parse;

#[cfg(test)]
mod tests;

pub use build::{BindingRequest, Builder, binding_error, binding_success};
pub use parse::{MAX_UNKNOWN, Malformed, Message, is_stun, ufrag_of};

use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::fmt;

/// The header: type, length, magic cookie, transaction id.
pub const HEADER: usize = 20;

/// The one method of ICE.
pub const BINDING: u16 = 0x001;

const MAGIC_COOKIE: u32 = 0x2112_a442;

/// What FINGERPRINT's CRC is exclusive-ored with (RFC 8489 §14.7): "STUN".
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// MESSAGE-INTEGRITY with its header: an HMAC-SHA1.
const INTEGRITY_ATTRIBUTE: usize = 24;

/// FINGERPRINT with its header.
const FINGERPRINT_ATTRIBUTE: usize = 8;

/// Types of attributes (RFC 8489 §18.3, RFC 8445 §20.1).
mod attribute {
    pub(super) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(super) const USERNAME: u16 = 0x0006;
    pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(super) const ERROR_CODE: u16 = 0x0009;
    pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(super) const REALM: u16 = 0x0014;
    pub(super) const NONCE: u16 = 0x0015;
    pub(super) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
    pub(super) const PASSWORD_ALGORITHM: u16 = 0x001d;
    pub(super) const USERHASH: u16 = 0x001e;
    pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(super) const PRIORITY: u16 = 0x0024;
    pub(super) const USE_CANDIDATE: u16 = 0x0025;
    pub(super) const FINGERPRINT: u16 = 0x8028;
    pub(super) const ICE_CONTROLLED: u16 = 0x8029;
    pub(super) const ICE_CONTROLLING: u16 = 0x802a;
}

/// The 96 bits that tie a response to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// What kind of message it is (RFC 8489 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for none.
    Indication,
    /// Says that a request was carried out.
    Success,
    /// Says that a request was refused.
    Error,
}

/// Why a request was refused (RFC 8489 §14.8, RFC 8445 §7.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 400: the request lacks what it needs.
    BadRequest,
    /// 401: user name or integrity are wrong.
    Unauthenticated,
    /// 420: it has attributes that must be understood and are not.
    UnknownAttribute,
    /// 487: both sides claim the same role.
    RoleConflict,
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::UnknownAttribute => 420,
            Self::RoleConflict => 487,
        }
    }
}

/// A short-term password (RFC 8489 §9.1.1), keyed once for many messages.
#[derive(Clone)]
pub struct IntegrityKey(Hmac<Sha1>);

impl IntegrityKey {
    /// ICE passwords are of ASCII, which SASLprep leaves as it is.
    #[must_use]
    pub fn new(password: &str) -> Self {
        Self(Hmac::new_from_slice(password.as_bytes()).expect("HMAC takes a key of any length"))
    }

    /// Over a message up to its MESSAGE-INTEGRITY, whose header says that this is where it ends.
    fn over(&self, before: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.0.clone();
        let (header, rest) = before.split_at_checked(4).unwrap_or((before, &[]));
        let length = (before.len() + INTEGRITY_ATTRIBUTE).saturating_sub(HEADER) as u16;
        mac.update(header.get(..2).unwrap_or_default());
        mac.update(&length.to_be_bytes());
        mac.update(rest);
        mac
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey")
    }
}

/// FINGERPRINT's value for a message whose bytes before the attribute are these, with its length already in the header.
fn fingerprint(before: &[u8]) -> u32 {
    let crc = before.iter().fold(!0u32, |crc, byte| CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8));
    !crc ^ FINGERPRINT_XOR
}

/// CRC-32 of ITU V.42, reflected: one entry for each byte.
static CRC_TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};
