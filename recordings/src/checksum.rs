//! CRC-32 as Ethernet, zip and EBML have it (ISO 3309). Knows nothing that is checked.

const POLYNOMIAL: u32 = 0xedb8_8320;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

/// Of bytes that come in pieces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checksum(u32);

impl Checksum {
    /// Of nothing yet.
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 >> 8 ^ TABLE[(self.0 as u8 ^ byte) as usize];
        }
    }

    pub(crate) const fn get(self) -> u32 {
        !self.0
    }

    /// Of bytes that are all there.
    pub(crate) fn of(bytes: &[u8]) -> u32 {
        let mut sum = Self::new();
        sum.add(bytes);
        sum.get()
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn the_check_value_of_the_standard_comes_out() {
        assert_eq!(Checksum::of(b"123456789"), 0xcbf4_3926);
        let mut pieces = Checksum::new();
        pieces.add(b"1234");
        pieces.add(b"56789");
        assert_eq!(pieces.get(), 0xcbf4_3926);
    }
}
