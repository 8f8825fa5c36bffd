//! Messages that travel packed: DEFLATE (RFC 1951) of their text, which browsers do by themselves. An offer is ten times
//! smaller so, and needs one round trip of a new connection instead of three. Knows no messages.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Shorter texts go as they are.
pub(super) const WORTH_PACKING: usize = 1_000;

/// Of 10: half the size of what is to be had at a third of the time.
const LEVEL: u8 = 4;

/// A text, packed.
pub(super) fn pack(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), LEVEL)
}

/// The text of a packed message; `None` where it is none, or longer than `limit` bytes: what comes in is unpacked no
/// further than that.
pub(super) fn unpack(bytes: &[u8], limit: usize) -> Option<String> {
    String::from_utf8(decompress_to_vec_with_limit(bytes, limit).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let text = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=会议\r\n".repeat(500);
        let packed = pack(&text);
        assert!(packed.len() * 10 < text.len(), "{}", packed.len());
        assert_eq!(unpack(&packed, text.len()), Some(text));
    }

    // acceptance: SEC7
    #[test]
    fn what_would_not_end_is_cut_short() {
        let bomb = pack(&" ".repeat(50_000_000));
        assert!(bomb.len() < 500_000);
        assert_eq!(unpack(&bomb, 1_000_000), None);
        assert_eq!(unpack(&[0; 10], 1_000), None);
        assert_eq!(unpack(&pack("\u{fffd}")[..3], 1_000), None, "cut off");
        assert_eq!(unpack(&[], 1_000), None);
        assert_eq!(unpack(&compress_to_vec(&[0xff, 0xfe], LEVEL), 1_000), None, "no UTF-8");
    }
}
