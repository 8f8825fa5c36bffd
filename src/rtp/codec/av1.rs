//! AV1 payloads (AV1 RTP specification §4): the aggregation header and the kinds of OBUs. Decodes none.

use crate::rtp::Malformed;
use crate::rtp::bytes::u8_at;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const METADATA: u8 = 5;
const FRAME: u8 = 6;
/// How many OBU elements we look at in one packet; senders make a handful.
const MAX_ELEMENTS: usize = 32;

/// The first byte of each payload (§4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregationHeader {
    /// Z: the first element continues one of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub continued: bool,
    /// W: how many elements, 1 to 3; 0 when each has its length.
    pub elements: u8,
    /// N: a coded video sequence begins.
    pub new_sequence: bool,
}

impl AggregationHeader {
    /// Reads the first byte of a payload.
    ///
    /// # Errors
    /// When the payload is empty.
    pub fn parse(payload: &[u8]) -> Result<AggregationHeader, Malformed> {
        let byte = u8_at(payload, 0).ok_or(Malformed::Short)?;
        Ok(AggregationHeader {
            continues: byte & 0x80 != 0,
            continued: byte & 0x40 != 0,
            elements: byte >> 4 & 0x03,
            new_sequence: byte & 0x08 != 0,
        })
    }
}

/// The types of the OBUs that begin in a packet; ends at the first element that reaches beyond it.
fn obu_types(payload: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let header = AggregationHeader::parse(payload).ok();
    let mut rest = payload.get(1..).unwrap_or_default();
    let count = match header {
        None => 0,
        Some(AggregationHeader { elements: 0, .. }) => MAX_ELEMENTS,
        Some(header) => usize::from(header.elements),
    };
    let sized = header.is_some_and(|header| header.elements == 0);
    let types = (0..count).map_while(move |i| {
        let element = if sized || i + 1 < count {
            let (len, after) = leb128(rest)?;
            let (element, after) = after.split_at_checked(len)?;
            rest = after;
            element
        } else {
            std::mem::take(&mut rest)
        };
        element.first().map(|byte| byte >> 3 & 0x0f)
    });
    types.skip(usize::from(header.is_some_and(|header| header.continues)))
}

/// A length in groups of seven bits, the lowest first; no OBU in a packet needs more than three.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for i in 0..3 {
        let byte = *bytes.get(i)?;
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(i + 1..)?));
        }
    }
    None
}

/// Whether a key frame begins in this packet: a coded video sequence begins, or a sequence header is sent.
#[must_use]
pub fn is_key_frame_start(payload: &[u8]) -> bool {
    starts_frame(payload)
        && (AggregationHeader::parse(payload).is_ok_and(|header| header.new_sequence)
            || obu_types(payload).any(|kind| kind == SEQUENCE_HEADER))
}

/// Whether a frame of some layer begins in this packet.
#[must_use]
pub fn starts_frame(payload: &[u8]) -> bool {
    obu_types(payload)
        .any(|kind| matches!(kind, SEQUENCE_HEADER | TEMPORAL_DELIMITER | FRAME_HEADER | METADATA | FRAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEQUENCE_OBU: u8 = SEQUENCE_HEADER << 3;
    const FRAME_OBU: u8 = FRAME << 3;
    const TILES_OBU: u8 = 4 << 3;

    #[test]
    fn a_new_sequence_starts_a_key_frame() {
        // W 2, N: a sequence header of three bytes with its length, then a frame without.
        assert!(is_key_frame_start(&[0x28, 3, SEQUENCE_OBU, 0, 0, FRAME_OBU, 0x10]));
        // The same said with lengths for both and without N.
        assert!(is_key_frame_start(&[0x00, 3, SEQUENCE_OBU, 0, 0, 2, FRAME_OBU, 0x10]));
    }

    #[test]
    fn a_delta_frame_starts_a_frame_only() {
        let delta = [0x10, FRAME_OBU, 0x30];
        assert!(starts_frame(&delta));
        assert!(!is_key_frame_start(&delta));
        assert!(!starts_frame(&[0x10, TILES_OBU, 0]));
    }

    #[test]
    fn a_continuation_starts_nothing() {
        assert!(!starts_frame(&[0x90, FRAME_OBU, 0x30]));
        // But what follows the continued element may.
        assert!(starts_frame(&[0xa0, 1, 0x55, FRAME_OBU, 0x30]));
    }

    #[test]
    fn lengths_of_several_bytes_are_read() {
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26, 7]), Some((624_485, &[7u8][..])));
        assert_eq!(leb128(&[0x80, 0x80, 0x80, 0]), None);
    }
}
