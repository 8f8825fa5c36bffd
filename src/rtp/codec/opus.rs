//! Opus payloads (RFC 6716 §3). Decodes none.

/// Whether the payload is one of discontinuous transmission: nothing but the first bytes, which stand
/// for up to 400 ms of background.
#[must_use]
pub const fn is_dtx(payload: &[u8]) -> bool {
    // The encoder makes them of one byte, and of two where it wants a constant bitrate or codes two channels.
    matches!(payload.len(), 1 | 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_without_sound_are_dtx() {
        assert!(is_dtx(&[0x78]));
        assert!(is_dtx(&[0x7b, 0x01]));
        assert!(!is_dtx(&[0x78, 0x07, 0xc9]));
        assert!(!is_dtx(&[]));
    }
}
