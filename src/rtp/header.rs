//! The RTP header (RFC 3550 §5.1), read and changed where it lies. Knows neither keys nor codecs.

use super::Malformed;
use super::bytes::{put, u8_at, u16_at, u32_at};
use super::extension::{self, Extension, Extensions, Form};
use std::ops::Range;

/// Length of the header without contributing sources and extensions, in bytes.
pub const FIXED_LEN: usize = 12;

const PADDING: u8 = 0x20;
const EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

/// Whether a packet that came over a multiplexed flow is RTCP rather than RTP (RFC 5761 §4):
/// its second byte is 192 to 223. Of too short a packet it says false.
#[must_use]
pub fn is_rtcp(packet: &[u8]) -> bool {
    u8_at(packet, 1).is_some_and(|kind| (192..=223).contains(&kind))
}

/// Where a packet's header extension block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtensionBlock {
    /// The 16 bits "defined by profile", which tell the form of the elements.
    pub profile: u16,
    /// Offset of the first element in the packet, in bytes.
    pub start: u16,
    /// Offset of the first byte after the block, in bytes.
    pub end: u16,
}

/// What a packet's header says. The payload is found by [`Header::payload`], after decryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The marker bit; on video it ends a frame.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// In ticks of the payload type's clock rate.
    pub timestamp: u32,
    /// The synchronization source.
    pub ssrc: u32,
    /// Number of contributing sources, 0 to 15.
    pub csrc_count: u8,
    /// Whether the last byte of the (decrypted) packet counts padding.
    pub padding: bool,
    /// Where the header extensions are.
    pub extension: Option<ExtensionBlock>,
    /// Length of the header with contributing sources and extensions, in bytes: where the
    /// (possibly encrypted) payload begins.
    pub len: usize,
}

impl Header {
    /// Reads the header of `packet`, which may still be encrypted: SRTP leaves headers readable.
    ///
    /// # Errors
    /// When it is not RTP of version 2, or ends before the header does.
    pub fn parse(packet: &[u8]) -> Result<Header, Malformed> {
        if packet.len() > usize::from(u16::MAX) {
            return Err(Malformed::Long);
        }
        let &[first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] =
            packet.first_chunk::<FIXED_LEN>().ok_or(Malformed::Short)?;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let csrc_count = first & 0x0f;
        let mut len = FIXED_LEN + usize::from(csrc_count) * 4;
        let mut extension = None;
        if first & EXTENSION != 0 {
            let profile = u16_at(packet, len).ok_or(Malformed::Short)?;
            let words = u16_at(packet, len + 2).ok_or(Malformed::Short)?;
            let start = len + 4;
            len = start + usize::from(words) * 4;
            // Both fit: the packet's length was checked above, the end is checked below.
            let end = u16::try_from(len).map_err(|_| Malformed::Short)?;
            extension = Some(ExtensionBlock { profile, start: start as u16, end });
        }
        if packet.len() < len {
            return Err(Malformed::Short);
        }
        Ok(Header {
            marker: second & MARKER != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
            csrc_count,
            padding: first & PADDING != 0,
            extension,
            len,
        })
    }

    /// Where the payload of the decrypted `packet` lies, without its padding. Empty for a packet
    /// that is nothing but padding (a probe).
    ///
    /// # Errors
    /// When the padding count is zero or larger than what follows the header.
    pub fn payload_range(&self, packet: &[u8]) -> Result<Range<usize>, Malformed> {
        let body = packet.len().checked_sub(self.len).ok_or(Malformed::Short)?;
        if !self.padding {
            return Ok(self.len..packet.len());
        }
        let padding = packet.last().copied().map(usize::from).ok_or(Malformed::Short)?;
        if padding == 0 || padding > body {
            return Err(Malformed::Padding);
        }
        Ok(self.len..packet.len() - padding)
    }

    /// The payload of the decrypted `packet`, see [`Header::payload_range`].
    ///
    /// # Errors
    /// As [`Header::payload_range`].
    pub fn payload<'a>(&self, packet: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let range = self.payload_range(packet)?;
        packet.get(range).ok_or(Malformed::Short)
    }

    /// The contributing sources (mixers only).
    pub fn csrcs<'a>(&self, packet: &'a [u8]) -> impl Iterator<Item = u32> + use<'a> {
        let count = usize::from(self.csrc_count);
        (0..count).map_while(move |i| u32_at(packet, FIXED_LEN + i * 4))
    }

    /// The header extensions of `packet`, in their order.
    #[must_use]
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        match self.extension {
            Some(block) => Extensions::new(packet, block),
            None => Extensions::none(),
        }
    }

    /// The first header extension with this number (RFC 8285: 1 to 14, or 1 to 255 in the two-byte form).
    #[must_use]
    pub fn find_extension<'a>(&self, packet: &'a [u8], id: u8) -> Option<Extension<'a>> {
        self.extensions(packet).find(|extension| extension.id == id)
    }
}

/// Sets or clears the marker bit. Like all setters here it does nothing to a packet that is too
/// short to have the field, so that a forwarding loop needs no error path.
pub fn set_marker(packet: &mut [u8], marker: bool) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = (*byte & !MARKER) | if marker { MARKER } else { 0 };
    }
}

/// Sets the payload type; only its low seven bits count.
pub fn set_payload_type(packet: &mut [u8], payload_type: u8) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = (*byte & MARKER) | (payload_type & !MARKER);
    }
}

/// Sets the sequence number.
pub fn set_sequence(packet: &mut [u8], sequence: u16) {
    put(packet, 2, &sequence.to_be_bytes());
}

/// Sets the timestamp.
pub fn set_timestamp(packet: &mut [u8], timestamp: u32) {
    put(packet, 4, &timestamp.to_be_bytes());
}

/// Sets the synchronization source.
pub fn set_ssrc(packet: &mut [u8], ssrc: u32) {
    put(packet, 8, &ssrc.to_be_bytes());
}

/// Grows the unencrypted packet in `buffer[..len]` to `target` bytes with RTP padding (RFC 3550
/// §5.1), so that the packets of one burst get one size. Adds to padding that is already there.
///
/// Returns the new length: `target`, or `len` where there is nothing to add, `buffer` is too
/// short, or the padding would exceed the 255 bytes that its count can say.
pub fn pad(buffer: &mut [u8], len: usize, target: usize) -> usize {
    if target <= len || target > buffer.len() || len < FIXED_LEN {
        return len;
    }
    let padded = buffer[0] & PADDING != 0;
    let before = if padded { usize::from(buffer[len - 1]) } else { 0 };
    let Ok(count) = u8::try_from(before + (target - len)) else {
        return len;
    };
    buffer[len..target].fill(0);
    buffer[target - 1] = count;
    buffer[0] |= PADDING;
    target
}

/// The fields of a header that we write anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// The marker bit.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// In ticks of the payload type's clock rate.
    pub timestamp: u32,
    /// The synchronization source.
    pub ssrc: u32,
}

/// Writes a header without contributing sources and padding to the start of `out` and returns
/// its length; `None`, with the content of `out` undefined, where it does not fit or an
/// extension cannot be written in this form.
pub fn write(out: &mut [u8], fields: &Fields, form: Form, extensions: &[(u8, &[u8])]) -> Option<usize> {
    let (head, rest) = out.split_first_chunk_mut::<FIXED_LEN>()?;
    let block = extension::write(rest, form, extensions)?;
    head[0] = 0x80 | if block > 0 { EXTENSION } else { 0 };
    head[1] = (fields.payload_type & !MARKER) | if fields.marker { MARKER } else { 0 };
    head[2..4].copy_from_slice(&fields.sequence.to_be_bytes());
    head[4..8].copy_from_slice(&fields.timestamp.to_be_bytes());
    head[8..12].copy_from_slice(&fields.ssrc.to_be_bytes());
    Some(FIXED_LEN + block)
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
