//! Bits of a descriptor, the highest of a byte first. Ends without a panic where they end.

/// What is left to read.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number of so many bits, 32 at most.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let mut value: u32 = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// One of so many values (`ns(n)` of the AV1 specification §4.10.7), which are less than 2^16.
    pub(super) fn one_of(&mut self, values: u32) -> Option<u32> {
        let width = 32 - values.leading_zeros();
        let short = (1 << width) - values;
        let value = self.take(width.checked_sub(1)?)?;
        if value < short { Some(value) } else { Some((value << 1) - short + self.take(1)?) }
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn numbers_of_all_widths_are_read() {
        let mut bits = Bits::new(&[0b1010_0110, 0xff]);
        assert_eq!([bits.take(1), bits.take(3), bits.take(0), bits.take(6)], [1, 2, 0, 0b011_011].map(Some));
        assert_eq!((bits.take(6), bits.take(1)), (Some(0x3f), None));
        // Five values: three of two bits, two of three.
        let mut bits = Bits::new(&[0b0001_1011, 0b1100_0000]);
        assert_eq!([(); 5].map(|()| bits.one_of(5)), [0, 1, 2, 4, 2].map(Some));
        assert_eq!(Bits::new(&[0xff]).one_of(0), None);
        assert_eq!(Bits::new(&[]).one_of(1), Some(0));
    }
}
