//! The uncompressed header of a VP9 key frame (VP9 bitstream specification §6.2), and superframes (annex B).

use crate::bits::Bits;

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// 0 to 3.
    pub profile: u8,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    /// As in `vpcC`: 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
    pub subsampling: u8,
    /// Whether luma takes all values.
    pub full_range: bool,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

/// `color_space` of RGB.
const RGB: u32 = 7;

impl Config {
    /// Of a key frame, or of a superframe that begins with one.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(frame);
        if bits.number(2)? != 2 {
            return None;
        }
        let profile = bits.number(1)? | bits.number(1)? << 1;
        if profile == 3 {
            bits.skip(1)?;
        }
        let (shows_existing, inter) = (bits.flag()?, bits.flag()?);
        bits.skip(2)?;
        if shows_existing || inter || bits.number(24)? != 0x49_8342 {
            return None;
        }
        let bit_depth = match profile {
            0 | 1 => 8,
            _ if bits.flag()? => 12,
            _ => 10,
        };
        let (subsampling, full_range) = if bits.number(3)? == RGB {
            (profile & 1 == 1).then_some(())?;
            bits.skip(1)?;
            (3, true)
        } else {
            let full_range = bits.flag()?;
            let subsampling = if profile & 1 == 1 {
                let (x, y) = (bits.flag()?, bits.flag()?);
                bits.skip(1)?;
                match (x, y) {
                    (true, false) => 2,
                    _ => 3,
                }
            } else {
                1
            };
            (subsampling, full_range)
        };
        // One more than the field says; what does not fit 16 bits is no meeting's.
        let width = u16::try_from(bits.number(16)? + 1).ok()?;
        let height = u16::try_from(bits.number(16)? + 1).ok()?;
        Some(Self { profile: profile as u8, bit_depth, subsampling, full_range, width, height })
    }

    /// What a decoder can't change on its way.
    pub(crate) const fn format(&self) -> (u8, u8, u8) {
        (self.profile, self.bit_depth, self.subsampling)
    }

    /// The lowest level (annex A of the VP9 specification) whose pictures are as large, times ten.
    #[must_use]
    pub fn level(&self) -> u8 {
        const LEVELS: [(u32, u8); 9] = [
            (36_864, 10),
            (73_728, 11),
            (122_880, 20),
            (245_760, 21),
            (552_960, 30),
            (983_040, 31),
            (2_228_224, 40),
            (8_912_896, 50),
            (35_651_584, 60),
        ];
        let pixels = u32::from(self.width) * u32::from(self.height);
        LEVELS.iter().find(|(most, _)| pixels <= *most).map_or(62, |(_, level)| *level)
    }

    pub(super) fn name(&self) -> String {
        format!("vp09.{:02}.{:02}.{:02}", self.profile, self.level(), self.bit_depth)
    }
}

/// Puts the frames of several spatial layers of one picture together (annex B): a decoder must know where each ends.
/// `None` for more than eight frames, or none.
#[must_use]
pub fn superframe(frames: &[&[u8]]) -> Option<Vec<u8>> {
    match frames {
        [] => None,
        [only] => Some(only.to_vec()),
        _ if frames.len() > 8 => None,
        _ => {
            let marker = 0b1101_1000 | (frames.len() - 1) as u8;
            let mut all = frames.concat();
            all.push(marker);
            for frame in frames {
                all.extend_from_slice(&u32::try_from(frame.len()).ok()?.to_le_bytes());
            }
            all.push(marker);
            Some(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_says_its_size_and_depth() {
        // Marker 10, profile 0, key frame shown; sync code; colour space 1; 640 × 360.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70];
        let config = Config::of(&frame).expect("a key frame");
        assert_eq!((config.width, config.height, config.bit_depth, config.profile), (640, 360, 8, 0));
        assert_eq!(config.name(), "vp09.00.21.08");
        assert_eq!(Config::of(&[0x86, 0x49, 0x83, 0x42, 0x20]), None, "an inter frame");
        assert_eq!(Config::of(&frame[..8]), None);
    }

    #[test]
    fn layers_are_named_by_an_index() {
        assert_eq!(superframe(&[b"a"]).as_deref(), Some(&b"a"[..]));
        let both = superframe(&[b"abc", b"de"]).expect("two");
        assert_eq!(both, b"abcde\xd9\x03\0\0\0\x02\0\0\0\xd9");
        assert_eq!(superframe(&[]), None);
        assert_eq!(superframe(&[&b"a"[..]; 9]), None);
    }
}
