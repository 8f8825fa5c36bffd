//! The checksum of recordings' parts and lines, so that a target can make it right again after it changed them: else
//! nothing would come past it. Bit by bit, as no one else here needs it fast.

/// CRC-32 (ISO 3309).
#[must_use]
pub fn crc_32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
