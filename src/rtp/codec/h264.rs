//! H.264 payloads (RFC 6184): which NAL units begin in a packet. Decodes none.

use crate::rtp::bytes::{u8_at, u16_at};

const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SUPPLEMENTAL: u8 = 6;
const SEQUENCE_PARAMETERS: u8 = 7;
const PICTURE_PARAMETERS: u8 = 8;
const DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// A NAL unit that begins in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NalUnit<'a> {
    /// Its type, 0 to 31.
    pub kind: u8,
    /// What follows its header byte, as far as it is in this packet.
    pub body: &'a [u8],
}

/// The NAL units that begin in a packet: one, those of a STAP-A, the first fragment of an FU-A, or none. Ends at the
/// first unit that reaches beyond the packet.
#[must_use]
pub fn nal_units(payload: &[u8]) -> NalUnits<'_> {
    let state = match payload.split_first() {
        None => State::Done,
        Some((&head, rest)) => match head & 0x1f {
            STAP_A => State::Aggregated(rest),
            FU_A => match rest.split_first() {
                Some((&fragment, body)) if fragment & 0x80 != 0 => State::One(NalUnit { kind: fragment & 0x1f, body }),
                _ => State::Done,
            },
            kind => State::One(NalUnit { kind, body: rest }),
        },
    };
    NalUnits { state }
}

/// See [`nal_units`].
#[derive(Debug, Clone)]
pub struct NalUnits<'a> {
    state: State<'a>,
}

#[derive(Debug, Clone, Copy)]
enum State<'a> {
    One(NalUnit<'a>),
    Aggregated(&'a [u8]),
    Done,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = NalUnit<'a>;

    fn next(&mut self) -> Option<NalUnit<'a>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => None,
            State::One(unit) => Some(unit),
            State::Aggregated(rest) => {
                let len = usize::from(u16_at(rest, 0)?);
                let (unit, rest) = rest.get(2..)?.split_at_checked(len)?;
                let (&head, body) = unit.split_first()?;
                self.state = State::Aggregated(rest);
                Some(NalUnit { kind: head & 0x1f, body })
            }
        }
    }
}

/// Whether sequence parameters are in this packet, with which a decoder that knows nothing yet can begin.
#[must_use]
pub fn has_sequence_parameters(payload: &[u8]) -> bool {
    nal_units(payload).any(|unit| unit.kind == SEQUENCE_PARAMETERS)
}

/// Whether a key frame begins in this packet: its parameters, or an IDR slice (of which a frame may
/// have several). A sender that gives the parameters out of band begins with the slice.
#[must_use]
pub fn is_key_frame_start(payload: &[u8]) -> bool {
    nal_units(payload).any(|unit| match unit.kind {
        SEQUENCE_PARAMETERS => true,
        IDR_SLICE => is_first_slice(unit.body),
        _ => false,
    })
}

/// Whether a frame may begin in this packet: see [`super::starts_frame`].
#[must_use]
pub fn starts_frame(payload: &[u8]) -> bool {
    nal_units(payload).any(|unit| match unit.kind {
        SUPPLEMENTAL | SEQUENCE_PARAMETERS | PICTURE_PARAMETERS | DELIMITER => true,
        SLICE | IDR_SLICE => is_first_slice(unit.body),
        _ => false,
    })
}

/// `first_mb_in_slice` is 0: as an Exp-Golomb code that is a single set bit.
fn is_first_slice(body: &[u8]) -> bool {
    u8_at(body, 0).is_some_and(|byte| byte & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frames_are_seen_in_every_packaging() {
        assert!(is_key_frame_start(&[0x67, 0x42, 0xe0, 0x1f]), "single parameters");
        assert!(is_key_frame_start(&[0x65, 0x88, 0x84]), "single slice");
        // A STAP-A of picture parameters and an IDR slice.
        assert!(is_key_frame_start(&[0x78, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88]), "aggregate");
        assert!(is_key_frame_start(&[0x7c, 0x85, 0x88]), "first fragment");
        assert!(!is_key_frame_start(&[0x7c, 0x05, 0x88]), "middle fragment");
        assert!(!is_key_frame_start(&[0x7c, 0x45, 0x88]), "last fragment");
        assert!(!is_key_frame_start(&[0x41, 0x9a]), "delta slice");
        assert!(!is_key_frame_start(&[0x65, 0x08]), "second slice of the picture");
        assert!(has_sequence_parameters(&[0x78, 0, 1, 0x67, 0, 1, 0x68]));
    }

    #[test]
    fn frames_start_with_their_first_slice() {
        assert!(starts_frame(&[0x41, 0x9a]));
        assert!(!starts_frame(&[0x41, 0x1a]));
        assert!(starts_frame(&[0x09, 0xf0]));
        assert!(!starts_frame(&[0x7c, 0x01, 0x9a]));
    }

    #[test]
    fn a_truncated_aggregate_yields_what_is_whole() {
        let units: Vec<_> = nal_units(&[0x78, 0, 1, 0x68, 0, 9, 0x65]).map(|unit| unit.kind).collect();
        assert_eq!(units, [8]);
    }
}
