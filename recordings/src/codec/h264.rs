//! The parameter sets of an H.264 key frame (ISO/IEC 14496-10 §7.3.2), NAL units after their lengths.

use crate::bits::Bits;

const IDR: u8 = 5;
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;

/// What they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The sequence parameter set, as it came.
    pub sequence: Vec<u8>,
    /// The picture parameter sets, as they came.
    pub pictures: Vec<Vec<u8>>,
    /// In pixels, without what is cropped.
    pub width: u16,
    /// In pixels, without what is cropped.
    pub height: u16,
}

/// The NAL units of a frame; ends where a length reaches beyond it.
pub fn units(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let (unit, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        rest = after;
        Some(unit)
    })
}

/// Writes a NAL unit after its length.
pub fn put_unit(frame: &mut Vec<u8>, unit: &[u8]) {
    frame.extend_from_slice(&(unit.len() as u32).to_be_bytes());
    frame.extend_from_slice(unit);
}

/// Whether one can begin to decode with a frame.
#[must_use]
pub fn is_key(frame: &[u8]) -> bool {
    units(frame).any(|unit| unit.first().is_some_and(|head| head & 0x1f == IDR))
}

impl Config {
    /// Of a key frame that has both parameter sets.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let of = |kind| move |unit: &&[u8]| unit.first().is_some_and(|head| head & 0x1f == kind);
        // Some send several; the slices say which picture set is used, and that which sequence.
        let number = units(frame).find(of(IDR)).and_then(picture_of_slice);
        let used = number.and_then(|number| {
            let numbers = |unit: &[u8]| Some(picture_numbers(unit)?.0);
            let (_, number) =
                picture_numbers(units(frame).filter(of(PICTURE)).find(|unit| numbers(unit) == Some(number))?)?;
            let sequence = units(frame).filter(of(SEQUENCE)).find(|unit| sequence_number(unit) == Some(number))?;
            let pictures = units(frame).filter(of(PICTURE));
            let pictures = pictures.filter(|unit| picture_numbers(unit).is_some_and(|(_, of)| of == number));
            Some((sequence.to_vec(), pictures.map(<[u8]>::to_vec).collect()))
        });
        let (sequence, pictures) = match used {
            Some(used) => used,
            None => {
                let pictures = units(frame).filter(of(PICTURE)).map(<[u8]>::to_vec).collect();
                (units(frame).find(of(SEQUENCE))?.to_vec(), pictures)
            }
        };
        Self::of_sets(sequence, pictures)
    }

    /// Whether nothing differs but the numbers of the sets: some encoders count them up with each key frame.
    pub(super) fn is_same_but_numbers(&self, other: &Self) -> bool {
        let pictures = |config: &Self| config.pictures.iter().map(|unit| after_numbers(unit, 1, 2)).collect::<Vec<_>>();
        self.sequence.get(..4) == other.sequence.get(..4)
            && after_numbers(&self.sequence, 4, 1) == after_numbers(&other.sequence, 4, 1)
            && pictures(self) == pictures(other)
    }

    /// Of a record (`avcC`, ISO/IEC 14496-15 §5.3.3) whose frames have lengths in four bytes.
    #[must_use]
    pub fn of_record(record: &[u8]) -> Option<Self> {
        let (head, mut rest) = record.split_first_chunk::<6>()?;
        if head[0] != 1 || head[4] & 3 != 3 {
            return None;
        }
        let mut sequences = Vec::new();
        for _ in 0..head[5] & 0x1f {
            sequences.push(take_set(&mut rest)?);
        }
        let (count, after) = rest.split_first()?;
        rest = after;
        let mut pictures = Vec::new();
        for _ in 0..*count {
            pictures.push(take_set(&mut rest)?);
        }
        Self::of_sets(sequences.into_iter().next()?, pictures)
    }

    fn of_sets(sequence: Vec<u8>, pictures: Vec<Vec<u8>>) -> Option<Self> {
        let (width, height) = size(&sequence).filter(|_| !pictures.is_empty())?;
        Some(Self { sequence, pictures, width, height })
    }

    /// Profile and constraints.
    pub(crate) fn profile(&self) -> [u8; 2] {
        [self.sequence[1], self.sequence[2]]
    }

    pub(super) fn name(&self) -> String {
        // Of avc3: parameter sets stand in the frames, too.
        format!("avc3.{:02x}{:02x}{:02x}", self.sequence[1], self.sequence[2], self.sequence[3])
    }
}

/// The number of a sequence parameter set (§7.3.2.1.1).
fn sequence_number(unit: &[u8]) -> Option<u32> {
    Bits::new(&without_emulation(unit.get(4..unit.len().min(16))?)).golomb()
}

/// The number of a picture parameter set and that of its sequence (§7.3.2.2).
fn picture_numbers(unit: &[u8]) -> Option<(u32, u32)> {
    let payload = without_emulation(unit.get(1..unit.len().min(24))?);
    let mut bits = Bits::new(&payload);
    Some((bits.golomb()?, bits.golomb()?))
}

/// The number of the picture parameter set of a slice (§7.3.3).
fn picture_of_slice(unit: &[u8]) -> Option<u32> {
    let payload = without_emulation(unit.get(1..unit.len().min(32))?);
    let mut bits = Bits::new(&payload);
    bits.golomb()?;
    bits.golomb()?;
    bits.golomb()
}

/// The bits of a parameter set behind its head and so many numbers, up to its end (§7.3.2.11).
fn after_numbers(unit: &[u8], head: usize, numbers: usize) -> Option<Vec<bool>> {
    let payload = without_emulation(unit.get(head..)?);
    let mut bits = Bits::new(&payload);
    for _ in 0..numbers {
        bits.golomb()?;
    }
    let mut rest: Vec<bool> = std::iter::from_fn(|| bits.flag()).collect();
    rest.truncate(rest.iter().rposition(|bit| *bit)?);
    Some(rest)
}

/// A parameter set after its length in two bytes.
fn take_set(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (len, after) = rest.split_first_chunk::<2>()?;
    let (unit, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
    *rest = after;
    Some(unit.to_vec())
}

/// Width and height that a sequence parameter set says.
fn size(unit: &[u8]) -> Option<(u16, u16)> {
    let profile = *unit.get(1)?;
    let payload = without_emulation(unit.get(4..)?);
    let mut bits = Bits::new(&payload);
    bits.golomb()?;
    let mut chroma = 1;
    let mut separate = false;
    if [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244].contains(&profile) {
        chroma = bits.golomb()?;
        separate = chroma == 3 && bits.flag()?;
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1)?;
        if bits.flag()? {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.flag()? {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.signed_golomb()?;
            bits.signed_golomb()?;
            let cycle = bits.golomb()?;
            for _ in 0..cycle {
                bits.signed_golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.skip(1)?;
    let (width, height) = (u64::from(bits.golomb()?) + 1, u64::from(bits.golomb()?) + 1);
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let fields = if frames_only { 1 } else { 2 };
    let (mut across, mut down) = (0, 0);
    if bits.flag()? {
        let (unit_x, unit_y) = match (separate, chroma) {
            (false, 1) => (2, 2),
            (false, 2) => (2, 1),
            _ => (1, 1),
        };
        let mut side = || bits.golomb().map(u64::from);
        across = (side()? + side()?) * unit_x;
        down = (side()? + side()?) * unit_y * fields;
    }
    let width = u16::try_from((width * 16).checked_sub(across)?).ok()?;
    let height = u16::try_from((height * 16 * fields).checked_sub(down)?).ok()?;
    (width > 0 && height > 0).then_some((width, height))
}

fn skip_scaling_list(bits: &mut Bits<'_>, len: usize) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..len {
        if next != 0 {
            next = (last + i64::from(bits.signed_golomb()?) + 256).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

/// Takes out the bytes that keep start codes from appearing by chance (§7.4.1).
pub(super) fn without_emulation(unit: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    // x264 at 1920 × 1080, high profile: 1,088 lines of which 8 are cropped.
    const HIGH: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00,
        0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58,
    ];

    #[test]
    fn the_size_is_without_what_is_cropped() {
        assert_eq!(size(HIGH), Some((1920, 1080)));
        for len in 0..11 {
            assert_eq!(size(&HIGH[..len]), None, "{len}");
        }
    }

    /// The sequence set above with another number, and a picture set with a number that is of it.
    fn numbered(number: u32) -> (Vec<u8>, Vec<u8>) {
        let golomb = |bits: &mut Vec<bool>, value: u32| {
            let len = 32 - (value + 1).leading_zeros();
            bits.extend((1..len).map(|_| false).chain((0..len).rev().map(|bit| (value + 1) >> bit & 1 == 1)));
        };
        let unit = |head: &[u8], bits: Vec<bool>| {
            let bytes = bits
                .chunks(8)
                .map(|eight| eight.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at)));
            // None of them has zeros that need bytes between them.
            head.iter().copied().chain(bytes).collect::<Vec<u8>>()
        };
        let mut sequence = Vec::new();
        golomb(&mut sequence, number);
        sequence.extend(after_numbers(HIGH, 4, 1).expect("a set"));
        sequence.push(true);
        let mut picture = Vec::new();
        golomb(&mut picture, number);
        golomb(&mut picture, number);
        picture.extend([true, false, true, true]);
        (unit(&HIGH[..4], sequence), unit(&[0x68], picture))
    }

    #[test]
    fn sets_that_are_counted_up_are_the_same_and_slices_say_which_are_used() {
        let frame = |numbers: &[u32], slice: &[u8]| {
            let mut frame = Vec::new();
            for (sequence, picture) in numbers.iter().map(|number| numbered(*number)) {
                put_unit(&mut frame, &sequence);
                put_unit(&mut frame, &picture);
            }
            put_unit(&mut frame, slice);
            frame
        };
        // First macroblock 0, slice type 7, picture sets 1 and 2.
        let (first, second) = ([0x65, 0b1000_1000, 0b0100_0000], [0x65, 0b1000_1000, 0b0110_0000]);
        let one = Config::of(&frame(&[1], &first)).expect("a config");
        let two = Config::of(&frame(&[2], &second)).expect("a config");
        assert_ne!(one, two);
        assert!(one.is_same_but_numbers(&two) && (one.width, one.height) == (1920, 1080));
        assert_eq!(Config::of(&frame(&[1, 2], &second)), Some(two), "the one that is used");
        let mut other = one.clone();
        other.pictures[0].push(1);
        assert!(!one.is_same_but_numbers(&other));
    }

    #[test]
    fn a_key_frame_without_its_parameters_is_no_beginning() {
        let mut frame = Vec::new();
        put_unit(&mut frame, HIGH);
        put_unit(&mut frame, &[0x65, 0x88]);
        assert!(is_key(&frame));
        assert_eq!(Config::of(&frame), None);
        put_unit(&mut frame, &[0x68, 0xeb]);
        assert_eq!(Config::of(&frame).map(|config| config.name()).as_deref(), Some("avc3.640028"));
        assert_eq!(units(&frame[..frame.len() - 1]).count(), 2, "a unit that is cut is none");
    }
}
