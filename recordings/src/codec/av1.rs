//! The sequence header of an AV1 key frame (AV1 bitstream specification §5.5). Decodes no picture.

use crate::bits::Bits;

const SEQUENCE_HEADER: u8 = 1;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The sequence header with its OBU header and size, as `av1C` keeps it.
    pub sequence: Vec<u8>,
    /// 0 to 2.
    pub profile: u8,
    /// `seq_level_idx` of the first operating point.
    pub level: u8,
    /// `seq_tier` of the first operating point.
    pub high_tier: bool,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    /// Without colours.
    pub monochrome: bool,
    /// Half the columns, half the lines, of colours.
    pub subsampling: (bool, bool),
    /// `chroma_sample_position`
    pub position: u8,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

/// A number in groups of seven bits, the lowest first (§4.10.5), and what follows it.
#[must_use]
pub fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for i in 0..8 {
        let byte = *bytes.get(i)?;
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(i + 1..)?));
        }
    }
    None
}

/// Writes a number in groups of seven bits.
pub fn put_leb128(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// An OBU of a temporal unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obu<'a> {
    /// Its type, 0 to 15.
    pub kind: u8,
    /// All of it.
    pub whole: &'a [u8],
    /// What follows its header and size.
    pub payload: &'a [u8],
}

/// The OBUs of a temporal unit, each with its size; ends at the first that reaches beyond it.
pub fn obus(unit: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    let mut rest = unit;
    std::iter::from_fn(move || {
        let head = *rest.first()?;
        if head & 0x02 == 0 {
            return None;
        }
        let body = rest.get(if head & 0x04 != 0 { 2 } else { 1 }..)?;
        let (len, after) = leb128(body)?;
        let (payload, after) = after.split_at_checked(len)?;
        let whole = &rest[..rest.len() - after.len()];
        rest = after;
        Some(Obu { kind: head >> 3 & 0x0f, whole, payload })
    })
}

impl Config {
    /// Of a temporal unit that has a sequence header.
    #[must_use]
    pub fn of(unit: &[u8]) -> Option<Self> {
        let header = obus(unit).find(|obu| obu.kind == SEQUENCE_HEADER)?;
        let mut bits = Bits::new(header.payload);
        let profile = bits.number(3)? as u8;
        bits.skip(1)?;
        let reduced = bits.flag()?;
        let (level, high_tier) = if reduced { (bits.number(5)? as u8, false) } else { operating_point(&mut bits)? };
        let (wide, high) = (bits.number(4)? + 1, bits.number(4)? + 1);
        let width = u16::try_from(bits.number(wide)? + 1).ok()?;
        let height = u16::try_from(bits.number(high)? + 1).ok()?;
        skip_tools(&mut bits, reduced)?;
        let colour = colour(&mut bits, profile)?;
        Some(Self { sequence: header.whole.to_vec(), profile, level, high_tier, width, height, ..colour })
    }

    /// What a decoder can't change on its way.
    pub(crate) const fn format(&self) -> (u8, u8, bool, (bool, bool)) {
        (self.profile, self.bit_depth, self.monochrome, self.subsampling)
    }

    pub(super) fn name(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        format!("av01.{}.{:02}{tier}.{:02}", self.profile, self.level, self.bit_depth)
    }
}

/// Level and tier of the first operating point; timing and the other points are passed over.
fn operating_point(bits: &mut Bits<'_>) -> Option<(u8, bool)> {
    let mut delays = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.golomb()?;
        }
        if bits.flag()? {
            delays = Some(bits.number(5)? as usize + 1);
            bits.skip(32 + 10)?;
        }
    }
    let initial_delays = bits.flag()?;
    let points = bits.number(5)? + 1;
    let mut first = None;
    for _ in 0..points {
        bits.skip(12)?;
        let level = bits.number(5)? as u8;
        let high_tier = level > 7 && bits.flag()?;
        if let Some(len) = delays
            && bits.flag()?
        {
            bits.skip(2 * len + 1)?;
        }
        if initial_delays && bits.flag()? {
            bits.skip(4)?;
        }
        first = first.or(Some((level, high_tier)));
    }
    first
}

/// From the frame's size to what stands before the colours.
fn skip_tools(bits: &mut Bits<'_>, reduced: bool) -> Option<()> {
    if !reduced && bits.flag()? {
        bits.skip(7)?;
    }
    bits.skip(3)?;
    if !reduced {
        bits.skip(4)?;
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?;
        }
        let screen_content = bits.flag()? || bits.flag()?;
        if screen_content && !bits.flag()? {
            bits.skip(1)?;
        }
        if order_hint {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

fn colour(bits: &mut Bits<'_>, profile: u8) -> Option<Config> {
    let high = bits.flag()?;
    let bit_depth = match (profile, high) {
        (_, false) => 8,
        (2, true) if bits.flag()? => 12,
        _ => 10,
    };
    let monochrome = profile != 1 && bits.flag()?;
    let described = if bits.flag()? { (bits.number(8)?, bits.number(8)?, bits.number(8)?) } else { (2, 2, 2) };
    let mut position = 0;
    let subsampling = if monochrome {
        bits.skip(1)?;
        (true, true)
    } else if described == (1, 13, 0) {
        (false, false)
    } else {
        bits.skip(1)?;
        let subsampling = match (profile, bit_depth) {
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, 12) => {
                let across = bits.flag()?;
                (across, across && bits.flag()?)
            }
            _ => (true, false),
        };
        if subsampling == (true, true) {
            position = bits.number(2)? as u8;
        }
        subsampling
    };
    let (sequence, level, high_tier, width, height) = (Vec::new(), 0, false, 0, 0);
    Some(Config { sequence, profile, level, high_tier, bit_depth, monochrome, subsampling, position, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 624_485, 1 << 30] {
            let mut bytes = Vec::new();
            put_leb128(&mut bytes, value);
            bytes.push(7);
            assert_eq!(leb128(&bytes), Some((value, &[7u8][..])));
        }
        assert_eq!(leb128(&[0x80; 9]), None);
    }

    #[test]
    fn a_sequence_header_of_an_encoder_is_read() {
        // libaom at 160 × 90, as ffmpeg writes it.
        let unit = [0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xff, 0x9b, 0x5f, 0x30, 0x08];
        let config = Config::of(&unit);
        assert!(config.is_some_and(|config| config.sequence == unit && config.bit_depth == 8 && config.profile == 0));
        for len in 0..unit.len() {
            assert_eq!(Config::of(&unit[..len]), None, "{len}");
        }
    }
}
