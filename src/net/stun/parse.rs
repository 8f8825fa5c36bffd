//! Reading STUN messages in place. Knows no credentials but the key it is handed.

use super::{
    BINDING, Class, FINGERPRINT_ATTRIBUTE, HEADER, IntegrityKey, MAGIC_COOKIE, TransactionId, attribute, fingerprint,
};
use hmac::Mac;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many unknown attributes of a message are named: enough for an answer that says which, and a
/// stranger cannot make the answer longer.
pub const MAX_UNKNOWN: usize = 8;

/// Why bytes are not a STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// No header with the magic cookie, or its length is not that of the bytes.
    Header,
    /// An attribute reaches beyond the end or has a length that is not its type's.
    Attribute,
    /// FINGERPRINT is wrong or not the last attribute.
    Fingerprint,
}

/// A message, borrowed from the datagram.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// Its kind.
    pub class: Class,
    /// [`BINDING`] in ICE.
    pub method: u16,
    /// Its transaction.
    pub transaction: TransactionId,
    /// USERNAME: in a request, the receiver's ufrag, a colon and the sender's.
    pub username: Option<&'a [u8]>,
    /// PRIORITY.
    pub priority: Option<u32>,
    /// Whether USE-CANDIDATE is there.
    pub use_candidate: bool,
    /// ICE-CONTROLLING's tie-breaker.
    pub controlling: Option<u64>,
    /// ICE-CONTROLLED's tie-breaker.
    pub controlled: Option<u64>,
    /// XOR-MAPPED-ADDRESS.
    pub mapped: Option<SocketAddr>,
    /// ERROR-CODE's number.
    pub error: Option<u16>,
    /// Whether FINGERPRINT is there (and right, or there were no message).
    pub has_fingerprint: bool,
    /// Where MESSAGE-INTEGRITY begins.
    integrity_at: Option<usize>,
    unknown: [u16; MAX_UNKNOWN],
    unknown_count: usize,
}

/// Whether a datagram has the shape of a STUN message: two zero bits, the magic cookie and the
/// right length (RFC 8489 §6.3). Cheap; for telling protocols on one port apart.
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    let Some(header) = datagram.first_chunk::<HEADER>() else {
        return false;
    };
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    header[0] & 0xc0 == 0
        && header[4..8] == MAGIC_COOKIE.to_be_bytes()
        && length % 4 == 0
        && datagram.len() == HEADER + length
}

/// The receiver's ufrag in a binding request: what stands before the colon in its USERNAME. Nothing
/// is checked but the message's form.
#[must_use]
pub fn ufrag_of(datagram: &[u8]) -> Option<&str> {
    let message = Message::parse(datagram).ok()?;
    if message.class != Class::Request || message.method != BINDING {
        return None;
    }
    let username = std::str::from_utf8(message.username?).ok()?;
    Some(username.split_once(':')?.0)
}

impl<'a> Message<'a> {
    /// Reads a datagram that holds one message and nothing else.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let header = datagram.first_chunk::<HEADER>().filter(|_| is_stun(datagram)).ok_or(Malformed::Header)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let class = match (kind >> 8 & 1) << 1 | (kind >> 4 & 1) {
            0 => Class::Request,
            1 => Class::Indication,
            2 => Class::Success,
            _ => Class::Error,
        };
        let mut message = Self {
            bytes: datagram,
            class,
            method: kind & 0x000f | kind >> 1 & 0x0070 | kind >> 2 & 0x0f80,
            transaction: TransactionId(std::array::from_fn(|i| header[8 + i])),
            username: None,
            priority: None,
            use_candidate: false,
            controlling: None,
            controlled: None,
            mapped: None,
            error: None,
            has_fingerprint: false,
            integrity_at: None,
            unknown: [0; MAX_UNKNOWN],
            unknown_count: 0,
        };
        message.read_attributes()?;
        Ok(message)
    }

    fn read_attributes(&mut self) -> Result<(), Malformed> {
        let mut at = HEADER;
        while at < self.bytes.len() {
            let rest = self.bytes.get(at..).ok_or(Malformed::Attribute)?;
            let (header, rest) = rest.split_first_chunk::<4>().ok_or(Malformed::Attribute)?;
            let kind = u16::from_be_bytes([header[0], header[1]]);
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let value = rest.get(..length).ok_or(Malformed::Attribute)?;
            let next = at + 4 + length.next_multiple_of(4);
            if next > self.bytes.len() {
                return Err(Malformed::Attribute);
            }
            if kind == attribute::FINGERPRINT {
                return self.check_fingerprint(at, value);
            }
            // What follows the integrity is not covered by it and is ignored (RFC 8489 §14.5).
            if self.integrity_at.is_none() {
                self.read_attribute(at, kind, value)?;
            }
            at = next;
        }
        Ok(())
    }

    fn check_fingerprint(&mut self, at: usize, value: &[u8]) -> Result<(), Malformed> {
        let before = self.bytes.get(..at).ok_or(Malformed::Fingerprint)?;
        if at + FINGERPRINT_ATTRIBUTE != self.bytes.len() || value != fingerprint(before).to_be_bytes() {
            return Err(Malformed::Fingerprint);
        }
        self.has_fingerprint = true;
        Ok(())
    }

    /// The first of several attributes of one type counts (RFC 8489 §14).
    fn read_attribute(&mut self, at: usize, kind: u16, value: &'a [u8]) -> Result<(), Malformed> {
        match kind {
            attribute::USERNAME => {
                self.username.get_or_insert(value);
            }
            attribute::MESSAGE_INTEGRITY => {
                let _: [u8; 20] = fixed(value)?;
                self.integrity_at = Some(at);
            }
            attribute::ERROR_CODE => {
                let [_, _, class, number] = *value.first_chunk::<4>().ok_or(Malformed::Attribute)?;
                self.error.get_or_insert(u16::from(class & 7) * 100 + u16::from(number));
            }
            attribute::XOR_MAPPED_ADDRESS => {
                let address = mapped(value, self.transaction)?;
                self.mapped.get_or_insert(address);
            }
            attribute::PRIORITY => {
                let priority = u32::from_be_bytes(fixed(value)?);
                self.priority.get_or_insert(priority);
            }
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::ICE_CONTROLLED => {
                let tie_breaker = u64::from_be_bytes(fixed(value)?);
                self.controlled.get_or_insert(tie_breaker);
            }
            attribute::ICE_CONTROLLING => {
                let tie_breaker = u64::from_be_bytes(fixed(value)?);
                self.controlling.get_or_insert(tie_breaker);
            }
            // Known, and without a use in ICE.
            attribute::MAPPED_ADDRESS
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::REALM
            | attribute::NONCE
            | attribute::MESSAGE_INTEGRITY_SHA256
            | attribute::PASSWORD_ALGORITHM
            | attribute::USERHASH => {}
            0x0000..=0x7fff => {
                if let Some(slot) = self.unknown.get_mut(self.unknown_count) {
                    *slot = kind;
                    self.unknown_count += 1;
                }
            }
            0x8000.. => {}
        }
        Ok(())
    }

    /// Whether MESSAGE-INTEGRITY is there.
    #[must_use]
    pub const fn has_integrity(&self) -> bool {
        self.integrity_at.is_some()
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with this key. In constant time.
    #[must_use]
    pub fn is_authentic(&self, key: &IntegrityKey) -> bool {
        let Some(at) = self.integrity_at else {
            return false;
        };
        match (self.bytes.get(..at), self.bytes.get(at + 4..at + 24)) {
            (Some(before), Some(value)) => key.over(before).verify_slice(value).is_ok(),
            _ => false,
        }
    }

    /// Types of attributes that must be understood and are not; at most [`MAX_UNKNOWN`] of them.
    #[must_use]
    pub fn unknown(&self) -> &[u16] {
        self.unknown.get(..self.unknown_count).unwrap_or_default()
    }
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed::Attribute)
}

fn mapped(value: &[u8], transaction: TransactionId) -> Result<SocketAddr, Malformed> {
    let (&[_, family, high, low], address) = value.split_first_chunk::<4>().ok_or(Malformed::Attribute)?;
    let port = u16::from_be_bytes([high, low]) ^ (MAGIC_COOKIE >> 16) as u16;
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(u32::from_be_bytes(fixed(address)?) ^ MAGIC_COOKIE).into(),
        2 => Ipv6Addr::from(u128::from_be_bytes(fixed(address)?) ^ address_mask(transaction)).into(),
        _ => return Err(Malformed::Attribute),
    };
    Ok(SocketAddr::new(ip, port))
}

/// What an IPv6 address is exclusive-ored with: the cookie, then the transaction.
pub(super) fn address_mask(TransactionId(transaction): TransactionId) -> u128 {
    transaction.iter().fold(u128::from(MAGIC_COOKIE), |mask, byte| mask << 8 | u128::from(*byte))
}
