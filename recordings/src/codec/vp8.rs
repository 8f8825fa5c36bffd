//! The head of a VP8 key frame (RFC 6386 §9.1).

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

impl Config {
    /// Of a key frame.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let head = frame.first_chunk::<10>()?;
        // The P bit is clear; the start code follows the frame tag.
        if head[0] & 1 != 0 || head[3..6] != [0x9d, 0x01, 0x2a] {
            return None;
        }
        // The upper two bits ask for scaling.
        let side = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]) & 0x3fff;
        let config = Self { width: side(6), height: side(8) };
        (config.width > 0 && config.height > 0).then_some(config)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn only_key_frames_say_their_size() {
        let mut frame = [0x50, 0x2a, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
        assert_eq!(Config::of(&frame), Some(Config { width: 640, height: 480 }));
        assert_eq!(Config::of(&frame[..9]), None);
        frame[0] |= 1;
        assert_eq!(Config::of(&frame), None);
    }
}
