//! The parameter sets of HEVC (ITU-T H.265 §7.3.2), in a record as `hvcC` keeps them (ISO/IEC 14496-15 §8.3.3) or in a
//! key frame, NAL units after their lengths. Decodes no picture.

use super::h264::{units, without_emulation};
use crate::bits::Bits;

const VIDEO: u8 = 32;
const SEQUENCE: u8 = 33;
const PICTURE: u8 = 34;

/// What they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The video, sequence and picture parameter sets, as they came.
    pub sets: Vec<Vec<u8>>,
    /// `general_profile_space`, tier and profile in one byte, compatibility, constraints, level: as `hvcC` has them.
    pub profile: [u8; 12],
    /// `sps_max_sub_layers`
    pub layers: u8,
    /// `sps_temporal_id_nesting_flag`
    pub nested: bool,
    /// `chroma_format_idc`
    pub chroma: u8,
    /// Of luma and chroma.
    pub depth: (u8, u8),
    /// In pixels, without what is cropped.
    pub width: u16,
    /// In pixels, without what is cropped.
    pub height: u16,
}

/// The kind of a NAL unit.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |head| head >> 1 & 0x3f)
}

/// Whether one can begin to decode with a frame: IDR, CRA and BLA pictures.
#[must_use]
pub fn is_key(frame: &[u8]) -> bool {
    units(frame).any(|unit| (16..=21).contains(&kind(unit)))
}

impl Config {
    /// Of a key frame that has all parameter sets.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        Self::of_sets(units(frame).filter(|unit| (VIDEO..=PICTURE).contains(&kind(unit))).map(<[u8]>::to_vec).collect())
    }

    /// Of a record whose frames have lengths in four bytes.
    #[must_use]
    pub fn of_record(record: &[u8]) -> Option<Self> {
        if record.get(21)? & 3 != 3 {
            return None;
        }
        let (arrays, mut rest) = record.get(22..)?.split_first()?;
        let mut sets = Vec::new();
        for _ in 0..*arrays {
            let (head, after) = rest.split_first_chunk::<3>()?;
            rest = after;
            for _ in 0..u16::from_be_bytes([head[1], head[2]]) {
                let (len, after) = rest.split_first_chunk::<2>()?;
                let (unit, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
                rest = after;
                if (VIDEO..=PICTURE).contains(&kind(unit)) {
                    sets.push(unit.to_vec());
                }
            }
        }
        Self::of_sets(sets)
    }

    fn of_sets(sets: Vec<Vec<u8>>) -> Option<Self> {
        let has = |wanted| sets.iter().any(|set| kind(set) == wanted);
        let sequence = sets.iter().find(|set| kind(set) == SEQUENCE).filter(|_| has(VIDEO) && has(PICTURE))?;
        let payload = without_emulation(sequence.get(2..)?);
        let mut bits = Bits::new(&payload);
        bits.skip(4)?;
        let layers = bits.number(3)? as u8 + 1;
        let nested = bits.flag()?;
        let profile = *payload.get(1..)?.first_chunk::<12>()?;
        bits.skip(96)?;
        skip_layers(&mut bits, layers)?;
        bits.golomb()?;
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let (mut width, mut height) = (u64::from(bits.golomb()?), u64::from(bits.golomb()?));
        if bits.flag()? {
            let (across, down) = match chroma {
                1 => (2, 2),
                2 => (2, 1),
                _ => (1, 1),
            };
            let mut side = || bits.golomb().map(u64::from);
            width = width.checked_sub((side()? + side()?) * across)?;
            height = height.checked_sub((side()? + side()?) * down)?;
        }
        let mut depth = || bits.golomb().and_then(|more| u8::try_from(more).ok()?.checked_add(8));
        let depth = (depth()?, depth()?);
        let (width, height) = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
        let chroma = u8::try_from(chroma).ok().filter(|chroma| *chroma <= 3)?;
        (width > 0 && height > 0).then_some(Self { sets, profile, layers, nested, chroma, depth, width, height })
    }

    /// What a decoder can't change on its way.
    pub(crate) const fn format(&self) -> ([u8; 12], u8, (u8, u8)) {
        (self.profile, self.chroma, self.depth)
    }

    /// As ISO/IEC 14496-15 annex E has it, of hvc1: parameter sets stand in the record.
    pub(super) fn name(&self) -> String {
        let profile = &self.profile;
        let space = ["", "A", "B", "C"][usize::from(profile[0] >> 6)];
        let tier = if profile[0] & 0x20 == 0 { 'L' } else { 'H' };
        let compatible = u32::from_be_bytes([profile[1], profile[2], profile[3], profile[4]]).reverse_bits();
        let mut name = format!("hvc1.{space}{}.{compatible:X}.{tier}{}", profile[0] & 0x1f, profile[11]);
        let used = profile[5..11].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for byte in &profile[5..5 + used] {
            name += &format!(".{byte:X}");
        }
        name
    }
}

/// What `profile_tier_level` says of sub-layers (§7.3.3).
fn skip_layers(bits: &mut Bits<'_>, layers: u8) -> Option<()> {
    let mut present = Vec::new();
    for _ in 1..layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if layers > 1 {
        bits.skip(usize::from(9 - layers) * 2)?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::h264::put_unit;

    // x265 at 160 × 90, main profile.
    const SETS: [&[u8]; 3] = [
        &[
            0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00,
            0x03, 0x00, 0x1e, 0xba, 0x02, 0x40,
        ],
        &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x1e,
            0xa0, 0x14, 0x20, 0x61, 0xf2, 0x65, 0xba, 0x4a, 0x4c, 0x2f, 0x01, 0x68, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08,
            0x00, 0x00, 0x03, 0x00, 0xf0, 0x40,
        ],
        &[0x44, 0x01, 0xc0, 0x71, 0x81, 0x12],
    ];

    #[test]
    fn sets_of_a_key_frame_and_of_a_record_say_the_same() {
        let mut frame = Vec::new();
        SETS.iter().for_each(|set| put_unit(&mut frame, set));
        put_unit(&mut frame, &[0x28, 0x01, 0xaf]);
        assert!(is_key(&frame));
        let config = Config::of(&frame).expect("a key frame");
        assert_eq!((config.width, config.height, config.chroma, config.depth), (160, 90, 1, (8, 8)));
        assert_eq!(config.name(), "hvc1.1.6.L30.90");
        let mut record = vec![0; 21];
        record.extend([0x0f, 3]);
        for set in SETS {
            record.extend([0x80 | kind(set), 0, 1, 0, set.len() as u8]);
            record.extend(set);
        }
        assert_eq!(Config::of_record(&record), Some(config));
        for len in 0..record.len() {
            assert_eq!(Config::of_record(&record[..len]), None, "{len}");
        }
    }
}
