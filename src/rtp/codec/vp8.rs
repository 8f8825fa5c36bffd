//! The VP8 payload descriptor (RFC 7741 §4.2) and the first bytes of a VP8 frame (RFC 6386 §9.1).

use crate::rtp::Malformed;
use crate::rtp::bytes::{put, u8_at, u16_at};
use crate::rtp::scalability::{Scalability, Step, Steps};
use crate::rtp::sequence::{PictureId, PictureIdBits};

/// A field that is rewritten in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<T> {
    /// Where it begins in the payload, in bytes.
    pub offset: usize,
    /// What it says.
    pub value: T,
}

/// What precedes the VP8 bytes of each packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Its length, in bytes: where the VP8 bytes begin.
    pub len: usize,
    /// N: no other frame refers to this one.
    pub non_reference: bool,
    /// S: a partition begins in this packet.
    pub starts_partition: bool,
    /// PID: which partition, 0 to 15.
    pub partition: u8,
    /// Which picture.
    pub picture_id: Option<Field<PictureId>>,
    /// TL0PICIDX: which picture of the lowest temporal layer was the last.
    pub tl0: Option<Field<u8>>,
    /// TID: the temporal layer, 0 to 3.
    pub temporal_layer: Option<u8>,
    /// Y: refers to the lowest temporal layer only, so that one can switch up here.
    pub layer_sync: bool,
    /// KEYIDX: which key frame the picture stems from, 0 to 31.
    pub key_index: Option<u8>,
}

impl Descriptor {
    /// Reads the descriptor at the start of a payload.
    ///
    /// # Errors
    /// When the payload ends before the descriptor does.
    pub fn parse(payload: &[u8]) -> Result<Descriptor, Malformed> {
        let byte = |at| u8_at(payload, at).ok_or(Malformed::Short);
        let first = byte(0)?;
        let mut descriptor = Descriptor {
            len: 1,
            non_reference: first & 0x20 != 0,
            starts_partition: first & 0x10 != 0,
            partition: first & 0x0f,
            picture_id: None,
            tl0: None,
            temporal_layer: None,
            layer_sync: false,
            key_index: None,
        };
        if first & 0x80 == 0 {
            return Ok(descriptor);
        }
        let present = byte(1)?;
        let mut at = 2;
        if present & 0x80 != 0 {
            let id = byte(at)?;
            let value = if id & 0x80 == 0 {
                PictureId { value: u16::from(id), bits: PictureIdBits::Seven }
            } else {
                let id = u16_at(payload, at).ok_or(Malformed::Short)?;
                PictureId { value: id & 0x7fff, bits: PictureIdBits::Fifteen }
            };
            descriptor.picture_id = Some(Field { offset: at, value });
            at += match value.bits {
                PictureIdBits::Seven => 1,
                PictureIdBits::Fifteen => 2,
            };
        }
        if present & 0x40 != 0 {
            descriptor.tl0 = Some(Field { offset: at, value: byte(at)? });
            at += 1;
        }
        // T and K share one byte, which is there for either.
        if present & 0x30 != 0 {
            let layers = byte(at)?;
            at += 1;
            if present & 0x20 != 0 {
                descriptor.temporal_layer = Some(layers >> 6);
                descriptor.layer_sync = layers & 0x20 != 0;
            }
            if present & 0x10 != 0 {
                descriptor.key_index = Some(layers & 0x1f);
            }
        }
        descriptor.len = at;
        Ok(descriptor)
    }

    /// Whether a frame begins in this packet.
    #[must_use]
    pub const fn starts_frame(&self) -> bool {
        self.starts_partition && self.partition == 0
    }

    /// Whether a key frame begins in this packet, whose payload is given: the P bit of the frame header is clear.
    #[must_use]
    pub fn starts_key_frame(&self, payload: &[u8]) -> bool {
        self.starts_frame() && u8_at(payload, self.len).is_some_and(|byte| byte & 1 == 0)
    }

    /// Of which temporal layer the packet is, which begins a key frame or does not.
    #[must_use]
    pub fn scalability(&self, key_start: bool) -> Scalability {
        let Some(temporal) = self.temporal_layer else { return Scalability::NONE };
        // Who counts more temporal layers than we tell apart gets them together.
        let temporal = Step::new(0, temporal).temporal();
        Scalability {
            needed: Steps::of(|step| step.temporal() >= temporal),
            switch: if key_start { Steps::ALL } else { Steps::NONE },
            temporal,
            starts: self.starts_frame(),
            sync: self.layer_sync,
            ..Scalability::NONE
        }
    }

    /// Width and height of the key frame that begins in this packet, in pixels.
    #[must_use]
    pub fn resolution(&self, payload: &[u8]) -> Option<(u16, u16)> {
        if !self.starts_key_frame(payload) {
            return None;
        }
        let frame = payload.get(self.len..)?;
        if frame.get(3..6)? != [0x9d, 0x01, 0x2a] {
            return None;
        }
        // Little-endian; the upper two bits ask for scaling.
        let side = |at| u16_at(frame, at).map(|side| side.swap_bytes() & 0x3fff);
        Some((side(6)?, side(8)?))
    }
}

/// Writes new numbers over those that `descriptor` found in `payload`; each keeps its width, so that the
/// payload keeps its length.
pub fn rewrite(payload: &mut [u8], descriptor: &Descriptor, picture_id: Option<u16>, tl0: Option<u8>) {
    if let (Some(field), Some(id)) = (descriptor.picture_id, picture_id) {
        match field.value.bits {
            PictureIdBits::Seven => put(payload, field.offset, &[(id & 0x7f) as u8]),
            PictureIdBits::Fifteen => put(payload, field.offset, &(0x8000 | id).to_be_bytes()),
        };
    }
    if let (Some(field), Some(index)) = (descriptor.tl0, tl0) {
        put(payload, field.offset, &[index]);
    }
}

/// Whether a key frame begins in this packet.
#[must_use]
pub fn is_key_frame_start(payload: &[u8]) -> bool {
    Descriptor::parse(payload).is_ok_and(|descriptor| descriptor.starts_key_frame(payload))
}

/// Width and height of the key frame that begins in this packet, in pixels.
#[must_use]
pub fn resolution(payload: &[u8]) -> Option<(u16, u16)> {
    Descriptor::parse(payload).ok()?.resolution(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7741 §4.2, all fields present with a long picture id.
    const FULL: [u8; 7] = [0x90, 0xf0, 0x92, 0x34, 0x56, 0xa5, 0x00];

    #[test]
    fn all_fields_are_read() {
        let descriptor = Descriptor::parse(&FULL).unwrap();
        assert_eq!(descriptor.len, 6);
        assert!(descriptor.starts_frame());
        let picture = PictureId { value: 0x1234, bits: PictureIdBits::Fifteen };
        assert_eq!(descriptor.picture_id, Some(Field { offset: 2, value: picture }));
        assert_eq!(descriptor.tl0, Some(Field { offset: 4, value: 0x56 }));
        assert_eq!((descriptor.temporal_layer, descriptor.layer_sync), (Some(2), true));
        assert_eq!(descriptor.key_index, Some(5));
    }

    #[test]
    fn a_short_picture_id_is_one_byte() {
        let descriptor = Descriptor::parse(&[0x80, 0x80, 0x7f, 0x01]).unwrap();
        let picture = PictureId { value: 0x7f, bits: PictureIdBits::Seven };
        assert_eq!(descriptor.picture_id.map(|field| field.value), Some(picture));
        assert_eq!(descriptor.len, 3);
        assert!(!descriptor.starts_frame());
    }

    #[test]
    fn a_truncated_descriptor_is_refused() {
        for len in 0..6 {
            assert_eq!(Descriptor::parse(&FULL[..len]), Err(Malformed::Short), "{len}");
        }
    }

    #[test]
    fn rewriting_keeps_the_width_of_each_field() {
        let mut long = FULL;
        let descriptor = Descriptor::parse(&long).unwrap();
        rewrite(&mut long, &descriptor, Some(5), Some(9));
        assert_eq!(long, [0x90, 0xf0, 0x80, 0x05, 9, 0xa5, 0x00]);
        let mut short = [0x80, 0x80, 0x7f, 0x01];
        let descriptor = Descriptor::parse(&short).unwrap();
        rewrite(&mut short, &descriptor, Some(0x1281), Some(9));
        assert_eq!(short, [0x80, 0x80, 0x01, 0x01]);
    }

    #[test]
    fn only_the_first_packet_of_a_key_frame_starts_one() {
        // A key frame of 640x480 as libvpx begins it: P clear in the frame tag, then the start code.
        let key = [0x10, 0x50, 0x2a, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
        assert!(is_key_frame_start(&key));
        assert_eq!(resolution(&key), Some((640, 480)));
        let mut delta = key;
        delta[1] |= 1;
        assert!(!is_key_frame_start(&delta));
        assert_eq!(resolution(&delta), None);
        let mut continued = key;
        continued[0] = 0;
        assert!(!is_key_frame_start(&continued));
        assert!(!is_key_frame_start(&key[..1]));
    }
}
