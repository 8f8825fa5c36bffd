//! Writing STUN messages into a given buffer. Knows no transactions under way.

use super::parse::address_mask;
use super::{
    BINDING, Class, ErrorCode, FINGERPRINT_ATTRIBUTE, HEADER, IntegrityKey, MAGIC_COOKIE, TransactionId, attribute,
    fingerprint,
};
use hmac::Mac;
use std::net::{IpAddr, SocketAddr};

/// A message being written. What does not fit is noticed at the end.
#[derive(Debug)]
pub struct Builder<'a> {
    out: &'a mut [u8],
    /// `None` once something did not fit.
    len: Option<usize>,
    transaction: TransactionId,
}

impl<'a> Builder<'a> {
    /// Begins a message of that kind.
    #[must_use]
    pub fn new(out: &'a mut [u8], class: Class, method: u16, transaction: TransactionId) -> Self {
        let class = match class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let kind = class | method & 0x000f | (method & 0x0070) << 1 | (method & 0x0f80) << 2;
        let mut builder = Self { out, len: Some(0), transaction };
        builder.append(&kind.to_be_bytes());
        builder.append(&[0, 0]);
        builder.append(&MAGIC_COOKIE.to_be_bytes());
        builder.append(&transaction.0);
        builder
    }

    fn append(&mut self, bytes: &[u8]) {
        self.len = self.len.and_then(|len| {
            let end = len.checked_add(bytes.len())?;
            self.out.get_mut(len..end)?.copy_from_slice(bytes);
            Some(end)
        });
    }

    /// Appends any attribute, of this type; its value is these parts one after another.
    pub fn attribute(&mut self, kind: u16, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let Ok(on_the_wire) = u16::try_from(length) else {
            self.len = None;
            return;
        };
        self.append(&kind.to_be_bytes());
        self.append(&on_the_wire.to_be_bytes());
        for part in parts {
            self.append(part);
        }
        let padding = length.next_multiple_of(4) - length;
        self.append([0; 3].get(..padding).unwrap_or_default());
    }

    /// USERNAME of a request: the receiver's ufrag, then the sender's.
    pub fn username(&mut self, receiver: &str, sender: &str) {
        self.attribute(attribute::USERNAME, &[receiver.as_bytes(), b":", sender.as_bytes()]);
    }

    /// PRIORITY.
    pub fn priority(&mut self, priority: u32) {
        self.attribute(attribute::PRIORITY, &[&priority.to_be_bytes()]);
    }

    /// USE-CANDIDATE.
    pub fn use_candidate(&mut self) {
        self.attribute(attribute::USE_CANDIDATE, &[]);
    }

    /// ICE-CONTROLLING.
    pub fn controlling(&mut self, tie_breaker: u64) {
        self.attribute(attribute::ICE_CONTROLLING, &[&tie_breaker.to_be_bytes()]);
    }

    /// ICE-CONTROLLED.
    pub fn controlled(&mut self, tie_breaker: u64) {
        self.attribute(attribute::ICE_CONTROLLED, &[&tie_breaker.to_be_bytes()]);
    }

    /// XOR-MAPPED-ADDRESS. An IPv4 address mapped into IPv6 is an IPv4 address.
    pub fn mapped(&mut self, address: SocketAddr) {
        let port = (address.port() ^ (MAGIC_COOKIE >> 16) as u16).to_be_bytes();
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                let ip = (ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes();
                self.attribute(attribute::XOR_MAPPED_ADDRESS, &[&[0, 1], &port, &ip]);
            }
            IpAddr::V6(ip) => {
                let ip = (ip.to_bits() ^ address_mask(self.transaction)).to_be_bytes();
                self.attribute(attribute::XOR_MAPPED_ADDRESS, &[&[0, 2], &port, &ip]);
            }
        }
    }

    /// ERROR-CODE with an empty phrase: the shortest answer.
    pub fn error(&mut self, code: ErrorCode) {
        let number = code.number();
        self.attribute(attribute::ERROR_CODE, &[&[0, 0, (number / 100) as u8, (number % 100) as u8]]);
    }

    /// UNKNOWN-ATTRIBUTES.
    pub fn unknown_attributes(&mut self, kinds: &[u16]) {
        self.append(&attribute::UNKNOWN_ATTRIBUTES.to_be_bytes());
        self.append(&((kinds.len() * 2) as u16).to_be_bytes());
        for kind in kinds {
            self.append(&kind.to_be_bytes());
        }
        if kinds.len() % 2 == 1 {
            self.append(&[0, 0]);
        }
    }

    /// Ends the message with MESSAGE-INTEGRITY, where there is a key, and FINGERPRINT, and gives its
    /// length. `None` where the buffer was too short.
    #[must_use]
    pub fn finish(mut self, key: Option<&IntegrityKey>) -> Option<usize> {
        if let Some(key) = key {
            let digest = key.over(self.out.get(..self.len?)?).finalize().into_bytes();
            self.attribute(attribute::MESSAGE_INTEGRITY, &[&digest]);
        }
        let end = self.len?;
        let length = u16::try_from(end + FINGERPRINT_ATTRIBUTE - HEADER).ok()?;
        self.out.get_mut(2..4)?.copy_from_slice(&length.to_be_bytes());
        let value = fingerprint(self.out.get(..end)?).to_be_bytes();
        self.attribute(attribute::FINGERPRINT, &[&value]);
        self.len
    }
}

/// Writes the answer that a check succeeded: the address it came from, as we see it.
#[must_use]
pub fn binding_success(
    out: &mut [u8],
    transaction: TransactionId,
    from: SocketAddr,
    key: &IntegrityKey,
) -> Option<usize> {
    let mut builder = Builder::new(out, Class::Success, BINDING, transaction);
    builder.mapped(from);
    builder.finish(Some(key))
}

/// Writes the answer that a check was refused; `unknown` are the attributes of
/// [`ErrorCode::UnknownAttribute`]. Without a key it carries no integrity, as 400 and 401 must not.
#[must_use]
pub fn binding_error(
    out: &mut [u8],
    transaction: TransactionId,
    code: ErrorCode,
    unknown: &[u16],
    key: Option<&IntegrityKey>,
) -> Option<usize> {
    let mut builder = Builder::new(out, Class::Error, BINDING, transaction);
    builder.error(code);
    if code == ErrorCode::UnknownAttribute {
        builder.unknown_attributes(unknown);
    }
    builder.finish(key)
}

/// A connectivity check, as the full side of ICE sends it to the lite one.
#[derive(Debug, Clone, Copy)]
pub struct BindingRequest<'a> {
    /// Its transaction.
    pub transaction: TransactionId,
    /// The receiver's ufrag.
    pub receiver: &'a str,
    /// The sender's ufrag.
    pub sender: &'a str,
    /// What a peer reflexive candidate from this check would have (RFC 8445 §7.1.1).
    pub priority: u32,
    /// Of the controlling agent.
    pub tie_breaker: u64,
    /// Whether the pair is nominated.
    pub use_candidate: bool,
}

impl BindingRequest<'_> {
    /// Writes the check, signed with the receiver's password, and gives its length. `None` where
    /// the buffer is too short.
    #[must_use]
    pub fn write(&self, out: &mut [u8], key: &IntegrityKey) -> Option<usize> {
        let mut builder = Builder::new(out, Class::Request, BINDING, self.transaction);
        builder.username(self.receiver, self.sender);
        builder.priority(self.priority);
        builder.controlling(self.tie_breaker);
        if self.use_candidate {
            builder.use_candidate();
        }
        builder.finish(Some(key))
    }
}
