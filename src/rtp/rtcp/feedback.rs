//! Feedback of single receivers: NACK, PLI, FIR, REMB (RFC 4585 §6, RFC 5104 §4.3.1,
//! draft-alvestrand-rmcat-remb-03).

use super::Malformed;
use crate::rtp::bytes::{u8_at, u24_at, u32_at};

/// How many numbers one generic NACK can name at most in a datagram of 1,500 bytes that walks every
/// bit of every entry; a receiver of it may have its own, smaller bound.
pub const MAX_LOST_PER_NACK: usize = (1500 - 12) / 4 * 17;

pub(super) const REMB_ID: &[u8; 4] = b"REMB";

/// The bits of its bitrate that are not the exponent.
pub(super) const REMB_MANTISSA_BITS: u32 = 18;

/// A generic NACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender: u32,
    /// Of which stream.
    pub media: u32,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Nack<'a>, Malformed> {
        let (sender, media) = sources(body)?;
        let entries = body.get(8..).ok_or(Malformed::Short)?.as_chunks().0;
        Ok(Nack { sender, media, entries })
    }

    /// The sequence numbers asked for, in the order of the packet; at most [`MAX_LOST_PER_NACK`].
    pub fn lost(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries
            .iter()
            .flat_map(|&[p0, p1, b0, b1]| {
                let first = u16::from_be_bytes([p0, p1]);
                let following = u16::from_be_bytes([b0, b1]);
                std::iter::once(first).chain(
                    (0..16u16).filter(move |bit| following >> bit & 1 != 0).map(move |bit| first.wrapping_add(bit + 1)),
                )
            })
            .take(MAX_LOST_PER_NACK)
    }
}

/// A picture loss indication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLoss {
    /// Who asks.
    pub sender: u32,
    /// For a key frame of which stream.
    pub media: u32,
}

impl PictureLoss {
    pub(super) fn parse(body: &[u8]) -> Result<PictureLoss, Malformed> {
        let (sender, media) = sources(body)?;
        Ok(PictureLoss { sender, media })
    }
}

/// A full intra request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullIntraRequest<'a> {
    /// Who asks.
    pub sender: u32,
    entries: &'a [[u8; 8]],
}

impl<'a> FullIntraRequest<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<FullIntraRequest<'a>, Malformed> {
        let (sender, _) = sources(body)?;
        let entries = body.get(8..).ok_or(Malformed::Short)?.as_chunks().0;
        Ok(FullIntraRequest { sender, entries })
    }

    /// The streams with the request's number each: the same number again is the same request.
    pub fn requests(&self) -> impl Iterator<Item = (u32, u8)> + use<'a> {
        self.entries.iter().map(|&[a, b, c, d, number, ..]| (u32::from_be_bytes([a, b, c, d]), number))
    }
}

/// A receiver's estimated maximum bitrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender: u32,
    /// In bits per second.
    pub bitrate: u64,
    streams: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    pub(super) fn is_one(body: &[u8]) -> bool {
        body.get(8..12) == Some(REMB_ID)
    }

    pub(super) fn parse(body: &'a [u8]) -> Result<Remb<'a>, Malformed> {
        let (sender, _) = sources(body)?;
        let count = u8_at(body, 12).ok_or(Malformed::Short)?;
        let number = u24_at(body, 13).ok_or(Malformed::Short)?;
        let mantissa = u64::from(number & ((1 << REMB_MANTISSA_BITS) - 1));
        let exponent = number >> REMB_MANTISSA_BITS;
        let bitrate = mantissa.saturating_mul(1 << exponent);
        let streams = body.get(16..).ok_or(Malformed::Short)?.as_chunks().0;
        let streams = streams.get(..usize::from(count)).ok_or(Malformed::Length)?;
        Ok(Remb { sender, bitrate, streams })
    }

    /// The streams that share the bitrate.
    pub fn streams(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.streams.iter().copied().map(u32::from_be_bytes)
    }
}

/// The two sources that feedback packets begin with.
pub(super) fn sources(body: &[u8]) -> Result<(u32, u32), Malformed> {
    Ok((u32_at(body, 0).ok_or(Malformed::Short)?, u32_at(body, 4).ok_or(Malformed::Short)?))
}

/// Packs ascending sequence numbers into entries of a first number and 16 bits (RFC 4585 §6.2.1): the
/// next entry, and how many of `lost` it holds. `None` when there are none left.
pub(super) fn pack(lost: &[u16]) -> Option<([u8; 4], usize)> {
    let (&first, rest) = lost.split_first()?;
    let mut following = 0u16;
    let mut taken = 1;
    for &number in rest {
        match number.wrapping_sub(first) {
            0 => {}
            distance @ 1..=16 => following |= 1 << (distance - 1),
            _ => break,
        }
        taken += 1;
    }
    let [p0, p1] = first.to_be_bytes();
    let [b0, b1] = following.to_be_bytes();
    Some(([p0, p1, b0, b1], taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_within_sixteen_share_an_entry() {
        let (entry, taken) = pack(&[0xfffe, 0xffff, 14, 15, 16]).unwrap();
        assert_eq!(taken, 3);
        assert_eq!(entry, [0xff, 0xfe, 0x80, 0x01]);
    }

    #[test]
    fn a_bitrate_too_large_for_64_bits_saturates() {
        let mut body = [0u8; 16];
        body[8..12].copy_from_slice(REMB_ID);
        body[13..16].copy_from_slice(&[0xff, 0xff, 0xff]);
        assert_eq!(Remb::parse(&body).unwrap().bitrate, u64::MAX);
    }
}
