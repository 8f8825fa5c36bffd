//! Opus packets (RFC 6716 §3): how long one is. Decodes none.

/// The longest packet (§3.2.5), in ticks of 48 kHz.
const LONGEST: u32 = 5760;

/// How long a packet is, in ticks of 48 kHz; `None` where it is none.
#[must_use]
pub fn duration(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = u32::from(toc >> 3);
    let frame = match config {
        // SILK: 10, 20, 40, 60 ms.
        0..=11 => [480, 960, 1920, 2880][(config % 4) as usize],
        // Hybrid: 10, 20 ms.
        12..=15 => [480, 960][(config % 2) as usize],
        // CELT: 2.5, 5, 10, 20 ms.
        _ => [120, 240, 480, 960][(config % 4) as usize],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(*packet.get(1)? & 0x3f),
    };
    let ticks = frame * frames;
    (1..=LONGEST).contains(&ticks).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn the_first_byte_tells_the_length() {
        assert_eq!(duration(&[0x78, 1, 2]), Some(960), "as browsers send it: 20 ms of CELT");
        assert_eq!(duration(&[0x48]), Some(960), "20 ms of wideband SILK");
        assert_eq!(duration(&[0x58]), Some(2880));
        assert_eq!(duration(&[0x79, 1]), Some(1920), "two frames");
        assert_eq!(duration(&[0x7b, 3]), Some(2880), "three frames");
        assert_eq!(duration(&[0x7b, 0x3f]), None, "longer than the standard has it");
        assert_eq!(duration(&[0x7b]), None);
        assert_eq!(duration(&[]), None);
    }
}
