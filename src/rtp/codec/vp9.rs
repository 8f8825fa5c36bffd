//! The VP9 payload descriptor (RFC 9628 §4.2). Looks at no VP9 bits.

use crate::rtp::Malformed;
use crate::rtp::bytes::{u8_at, u16_at};
use crate::rtp::scalability::{Heights, MAX_SPATIAL, Scalability, Step, Steps};
use crate::rtp::sequence::{PictureId, PictureIdBits};

/// Which layer a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerIndices {
    /// TID: the temporal layer, 0 to 7.
    pub temporal: u8,
    /// U: from here on one can switch up to this temporal layer.
    pub switching_up: bool,
    /// SID: the spatial layer, 0 to 7.
    pub spatial: u8,
    /// D: needs the spatial layer below of the same picture.
    pub inter_layer: bool,
    /// TL0PICIDX, in the non-flexible mode only.
    pub tl0: Option<u8>,
}

/// What precedes the VP9 bytes of each packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Its length, in bytes: where the VP9 bytes begin.
    pub len: usize,
    /// Which picture.
    pub picture_id: Option<PictureId>,
    /// P: the frame refers to earlier pictures.
    pub inter_predicted: bool,
    /// F: the mode in which each packet names what it refers to.
    pub flexible: bool,
    /// B: the first packet of a layer's frame.
    pub starts_frame: bool,
    /// E: the last packet of a layer's frame.
    pub ends_frame: bool,
    /// Z: no higher spatial layer refers to this frame.
    pub not_a_reference_upwards: bool,
    /// Which layer; absent in a stream without layers.
    pub layer: Option<LayerIndices>,
    /// N_S + 1: how many spatial layers the scalability structure names, where there is one.
    pub spatial_layers: Option<u8>,
    /// Width and height of the highest spatial layer in pixels, where the structure says.
    pub resolution: Option<(u16, u16)>,
    /// Of each spatial layer, where the structure says.
    pub heights: Heights,
}

impl Descriptor {
    /// Reads the descriptor at the start of a payload.
    ///
    /// # Errors
    /// When the payload ends before the descriptor does, or it names more than three references.
    pub fn parse(payload: &[u8]) -> Result<Descriptor, Malformed> {
        let mut cursor = Cursor { payload, at: 0 };
        let first = cursor.byte()?;
        let (inter_predicted, flexible) = (first & 0x40 != 0, first & 0x10 != 0);
        let picture_id = if first & 0x80 != 0 { Some(cursor.picture_id()?) } else { None };
        let layer = if first & 0x20 != 0 { Some(cursor.layer(flexible)?) } else { None };
        if inter_predicted && flexible {
            cursor.references()?;
        }
        let mut heights = Heights::default();
        let (spatial_layers, resolution) =
            if first & 0x02 != 0 { cursor.structure(&mut heights)? } else { (None, None) };
        Ok(Descriptor {
            len: cursor.at,
            picture_id,
            inter_predicted,
            flexible,
            starts_frame: first & 0x08 != 0,
            ends_frame: first & 0x04 != 0,
            not_a_reference_upwards: first & 0x01 != 0,
            layer,
            spatial_layers,
            resolution,
            heights,
        })
    }

    /// Of which layers the packet is, in a stream of so many spatial ones.
    #[must_use]
    pub fn scalability(&self, spatial_layers: u8, marker: bool) -> Scalability {
        let Some(layer) = self.layer else { return Scalability::NONE };
        let place = Step::new(layer.spatial, layer.temporal);
        let (spatial, temporal) = (place.spatial(), place.temporal());
        let top = spatial_layers.clamp(1, MAX_SPATIAL) - 1;
        let shown = |step: Step| step.spatial().min(top);
        // Z: in the pictures between key pictures of L3T3_KEY, layers need only themselves.
        let serves = |step| spatial == shown(step) || (spatial < shown(step) && !self.not_a_reference_upwards);
        let switch = match self.starts_frame {
            _ if self.is_key_frame_start() => Steps::ALL,
            true if layer.switching_up => Steps::of(|step| shown(step) == spatial && step.temporal() >= temporal),
            _ => Steps::NONE,
        };
        Scalability {
            needed: Steps::of(|step| step.temporal() >= temporal && serves(step)),
            switch,
            spatial,
            top,
            sent: Step::ALL,
            temporal,
            starts: self.starts_frame,
            ends: self.ends_frame && !marker,
            sync: false,
        }
    }

    /// Whether this is the first packet of a picture, that is of its lowest spatial layer's frame.
    #[must_use]
    pub fn starts_picture(&self) -> bool {
        self.starts_frame && self.layer.is_none_or(|layer| layer.spatial == 0)
    }

    /// Whether a decoder can begin with this packet.
    #[must_use]
    pub fn is_key_frame_start(&self) -> bool {
        self.starts_picture() && !self.inter_predicted
    }
}

/// Whether a key frame begins in this packet.
#[must_use]
pub fn is_key_frame_start(payload: &[u8]) -> bool {
    Descriptor::parse(payload).is_ok_and(|descriptor| descriptor.is_key_frame_start())
}

struct Cursor<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// The specification allows three references at most.
    const MAX_REFERENCES: usize = 3;

    fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = u8_at(self.payload, self.at).ok_or(Malformed::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        let word = u16_at(self.payload, self.at).ok_or(Malformed::Short)?;
        self.at += 2;
        Ok(word)
    }

    fn picture_id(&mut self) -> Result<PictureId, Malformed> {
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(PictureId { value: u16::from(first), bits: PictureIdBits::Seven });
        }
        let value = u16::from_be_bytes([first & 0x7f, self.byte()?]);
        Ok(PictureId { value, bits: PictureIdBits::Fifteen })
    }

    fn layer(&mut self, flexible: bool) -> Result<LayerIndices, Malformed> {
        let byte = self.byte()?;
        Ok(LayerIndices {
            temporal: byte >> 5,
            switching_up: byte & 0x10 != 0,
            spatial: byte >> 1 & 0x07,
            inter_layer: byte & 0x01 != 0,
            tl0: if flexible { None } else { Some(self.byte()?) },
        })
    }

    fn references(&mut self) -> Result<(), Malformed> {
        for _ in 0..Self::MAX_REFERENCES {
            if self.byte()? & 0x01 == 0 {
                return Ok(());
            }
        }
        Err(Malformed::TooMany)
    }

    #[expect(clippy::type_complexity, reason = "the two things we want of the structure")]
    fn structure(&mut self, heights: &mut Heights) -> Result<(Option<u8>, Option<(u16, u16)>), Malformed> {
        let head = self.byte()?;
        let layers = (head >> 5) + 1;
        let mut resolution = None;
        if head & 0x10 != 0 {
            for spatial in 0..layers {
                let (width, height) = (self.word()?, self.word()?);
                resolution = Some((width, height));
                heights.tell(spatial, height);
            }
        }
        if head & 0x08 != 0 {
            for _ in 0..self.byte()? {
                let references = self.byte()? >> 2 & 0x03;
                for _ in 0..references {
                    self.byte()?;
                }
            }
        }
        Ok((Some(layers), resolution))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_with_its_structure_is_read() {
        // I, L, B, V; a long picture id; SID 0; TL0PICIDX 7; two layers of 320x180 and 640x360, then a
        // group of two pictures of which the second has one reference.
        let payload = [
            0xaa, 0x81, 0x02, 0x00, 0x07, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x02, 0x00, 0x34, 0x01,
            0xff,
        ];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.len, 18);
        assert_eq!(descriptor.picture_id, Some(PictureId { value: 0x102, bits: PictureIdBits::Fifteen }));
        assert_eq!(descriptor.layer.and_then(|layer| layer.tl0), Some(7));
        assert_eq!(descriptor.spatial_layers, Some(2));
        assert_eq!(descriptor.resolution, Some((640, 360)));
        assert_eq!([0, 1, 2].map(|spatial| descriptor.heights.of(spatial)), [Some(180), Some(360), None]);
        assert!(descriptor.is_key_frame_start());
        for len in 0..18 {
            assert_eq!(Descriptor::parse(&payload[..len]), Err(Malformed::Short), "{len}");
        }
    }

    #[test]
    fn the_upper_layer_of_a_key_picture_does_not_start_it() {
        // L, B; SID 1 with D.
        let payload = [0x28, 0x03, 0x07, 0xff];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.layer.map(|layer| (layer.spatial, layer.inter_layer)), Some((1, true)));
        assert!(!descriptor.starts_picture());
        assert!(!descriptor.is_key_frame_start());
    }

    #[test]
    fn the_flexible_mode_names_references_and_no_tl0() {
        // I, P, L, F, B; a short picture id; TID 1; two references.
        let payload = [0xf8, 0x05, 0x20, 0x03, 0x04, 0xff];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.len, 5);
        assert_eq!(descriptor.layer.map(|layer| (layer.temporal, layer.tl0)), Some((1, None)));
        assert!(descriptor.starts_picture() && !descriptor.is_key_frame_start());
        assert_eq!(Descriptor::parse(&[0xf8, 0x05, 0x20, 3, 3, 3, 0xff]), Err(Malformed::TooMany));
    }
}
