//! RTP payloads of H.264 (RFC 6184) become NAL units after their lengths. Decodes none.

use recordings::codec::h264::{is_key, put_unit, units};

const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The parameter sets that came last: a sender may give them once, and before the picture that needs them.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    sequence: Vec<u8>,
    picture: Vec<u8>,
}

/// A frame that is being put together.
#[derive(Debug, Default)]
pub(super) struct Body {
    frame: Vec<u8>,
    fragment: Option<Vec<u8>>,
}

impl Body {
    /// `None` where fragments do not follow each other, or lengths lie.
    pub(super) fn push(&mut self, payload: &[u8]) -> Option<()> {
        let (&head, rest) = payload.split_first()?;
        match head & 0x1f {
            STAP_A => {
                let mut rest = rest;
                while let Some((len, after)) = rest.split_first_chunk::<2>() {
                    let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
                    self.unit(unit)?;
                    rest = after;
                }
                rest.is_empty().then_some(())
            }
            FU_A => {
                let (&fragment, data) = rest.split_first()?;
                if fragment & 0x80 != 0 {
                    let unfinished = self.fragment.replace(vec![head & 0xe0 | fragment & 0x1f]);
                    unfinished.is_none().then_some(())?;
                }
                self.fragment.as_mut()?.extend_from_slice(data);
                if fragment & 0x40 != 0 {
                    let unit = self.fragment.take()?;
                    self.unit(&unit)?;
                }
                Some(())
            }
            1..=23 => self.unit(payload),
            _ => None,
        }
    }

    fn unit(&mut self, unit: &[u8]) -> Option<()> {
        // Delimiters and filler say nothing where units have lengths.
        if self.fragment.is_some() || !matches!(unit.first()? & 0x1f, DELIMITER | FILLER) {
            put_unit(&mut self.frame, unit);
        }
        Some(())
    }

    /// The frame, and whether one can begin with it: then it has its parameter sets.
    pub(super) fn finish(self, parameters: &mut Parameters) -> Option<(Vec<u8>, bool)> {
        if self.fragment.is_some() {
            return None;
        }
        let mut has = (false, false);
        for unit in units(&self.frame) {
            match unit.first().map(|head| head & 0x1f) {
                Some(SEQUENCE) => {
                    parameters.sequence = unit.to_vec();
                    has.0 = true;
                }
                Some(PICTURE) => {
                    parameters.picture = unit.to_vec();
                    has.1 = true;
                }
                _ => {}
            }
        }
        if !is_key(&self.frame) {
            return Some((self.frame, false));
        }
        let mut frame = Vec::new();
        if !has.0 && !parameters.sequence.is_empty() {
            put_unit(&mut frame, &parameters.sequence);
        }
        if !has.1 && !parameters.picture.is_empty() {
            put_unit(&mut frame, &parameters.picture);
        }
        frame.extend_from_slice(&self.frame);
        Some((frame, true))
    }
}
