//! Numbers that wrap: sequence numbers, timestamps, VP8 picture ids. Knows no packets.

/// Length of one cycle of 16-bit sequence numbers.
const CYCLE: u64 = 1 << 16;

/// Whether `a` comes after `b`, both taken modulo 2^16 (RFC 1982 with the middle counted as before).
#[must_use]
pub const fn is_newer_u16(a: u16, b: u16) -> bool {
    a.wrapping_sub(b) as i16 > 0
}

/// Whether `a` comes after `b`, both taken modulo 2^32.
#[must_use]
pub const fn is_newer_u32(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

/// The number closest to `reference` whose low 16 bits are `sequence`. Below 2^15 it does not go
/// under zero but names the next cycle's.
#[must_use]
pub const fn nearest(reference: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(reference as u16);
    if ahead < 0x8000 || reference < CYCLE - ahead as u64 {
        reference.saturating_add(ahead as u64)
    } else {
        reference - (CYCLE - ahead as u64)
    }
}

/// Counts the cycles of 16-bit numbers, so that they can be compared and subtracted.
///
/// The first number lands in the second cycle (`0x1_0000 + sequence`), so that what was sent before
/// it but arrives later also has a number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// Without a number yet.
    #[must_use]
    pub const fn new() -> Unwrapper {
        Unwrapper { highest: None }
    }

    /// The unwrapped number; remembers it where it is the highest.
    pub fn unwrap(&mut self, sequence: u16) -> u64 {
        let unwrapped = self.peek(sequence);
        if self.highest.is_none_or(|highest| unwrapped > highest) {
            self.highest = Some(unwrapped);
        }
        unwrapped
    }

    /// The unwrapped number, without remembering it.
    #[must_use]
    pub fn peek(&self, sequence: u16) -> u64 {
        match self.highest {
            Some(highest) => nearest(highest, sequence),
            None => CYCLE + u64::from(sequence),
        }
    }

    /// The highest number so far.
    #[must_use]
    pub const fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// How many bits a VP8 picture id has on the wire (RFC 7741 §4.2, the M bit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureIdBits {
    /// One byte.
    Seven,
    /// Two bytes.
    Fifteen,
}

impl PictureIdBits {
    /// The largest id.
    #[must_use]
    pub const fn mask(self) -> u16 {
        match self {
            PictureIdBits::Seven => 0x7f,
            PictureIdBits::Fifteen => 0x7fff,
        }
    }
}

/// A VP8 (or VP9) picture id with its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId {
    /// At most the mask of `bits`.
    pub value: u16,
    /// Its width.
    pub bits: PictureIdBits,
}

impl PictureId {
    /// How far `self` is after `other`, modulo its own width: −64 to 63 or −16,384 to 16,383.
    #[must_use]
    pub const fn distance_from(self, other: u16) -> i16 {
        let difference = self.value.wrapping_sub(other);
        match self.bits {
            PictureIdBits::Seven => (difference << 9) as i16 >> 9,
            PictureIdBits::Fifteen => (difference << 1) as i16 >> 1,
        }
    }

    /// The id `count` later, of the same width.
    #[must_use]
    pub const fn plus(self, count: u16) -> PictureId {
        PictureId { value: self.value.wrapping_add(count) & self.bits.mask(), bits: self.bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_number_leaves_room_for_earlier_ones() {
        let mut numbers = Unwrapper::new();
        assert_eq!(numbers.unwrap(2), 0x1_0002);
        assert_eq!(numbers.unwrap(0xffff), 0xffff);
        assert_eq!(numbers.highest(), Some(0x1_0002));
        assert_eq!(numbers.unwrap(3), 0x1_0003);
    }

    #[test]
    fn numbers_go_on_over_the_wrap() {
        let mut numbers = Unwrapper::new();
        assert_eq!(numbers.unwrap(0xfffe), 0x1_fffe);
        assert_eq!(numbers.unwrap(1), 0x2_0001);
        assert_eq!(numbers.unwrap(0xffff), 0x1_ffff);
    }

    #[test]
    fn comparisons_wrap() {
        assert!(is_newer_u16(0, 0xffff));
        assert!(!is_newer_u16(0xffff, 0));
        assert!(!is_newer_u16(7, 7));
        assert!(is_newer_u32(5, u32::MAX - 5));
    }

    #[test]
    fn picture_ids_wrap_at_their_width() {
        let seven = PictureId { value: 1, bits: PictureIdBits::Seven };
        assert_eq!(seven.distance_from(0x7f), 2);
        assert_eq!(seven.distance_from(3), -2);
        assert_eq!(seven.plus(127).value, 0);
        let fifteen = PictureId { value: 0x7fff, bits: PictureIdBits::Fifteen };
        assert_eq!(fifteen.distance_from(1), -2);
        assert_eq!(fifteen.plus(1).value, 0);
    }

    proptest! {
        #[test]
        fn unwrapping_follows_any_walk_of_small_steps(start: u16, steps in prop::collection::vec(-2000i64..2000, 0..200)) {
            let mut numbers = Unwrapper::new();
            let mut truth = numbers.unwrap(start) as i64;
            let mut highest = truth;
            for step in steps {
                truth = (truth + step).max(highest - 30_000).max(0);
                highest = highest.max(truth);
                prop_assert_eq!(numbers.unwrap(truth as u16), truth as u64);
            }
        }

        #[test]
        fn nearest_keeps_the_low_bits(reference in 0..u64::MAX / 2, sequence: u16) {
            let number = nearest(reference, sequence);
            prop_assert_eq!(number as u16, sequence);
            prop_assert!(number.abs_diff(reference) <= 0x8000 || reference < 0x8000);
        }
    }
}
