//! The packets of a frame are brought to one size by RTP padding, so that one GSO send takes them. Knows no slot.

use super::HEADER;
use crate::rtp::layer::SpanPackets;
use crate::session::srtp;

/// Bytes of a datagram with everything: what passes any path (design §4.3).
const MAX_DATAGRAM: usize = 1232;

/// Padding may add this share of a burst, in percent; beyond it the packets leave in several sends.
const MAX_PADDING_PERCENT: usize = 3;

/// The longest padding: its length stands in its last byte (RFC 3550 §5.1).
const MAX_PADDING: usize = 255;

/// The payload length that all packets but the last are brought to by RTP padding, so that one GSO send takes
/// them; 0 where padding does not pay.
#[must_use]
pub fn padded_payload(packets: &SpanPackets<'_>) -> usize {
    let Some(before_last @ 1..) = packets.count().checked_sub(1) else { return 0 };
    let padding = packets.largest * before_last - packets.before_last;
    let fits = packets.largest + HEADER + 12 + srtp::MAX_OVERHEAD <= MAX_DATAGRAM;
    if fits && padding * 100 <= packets.before_last * MAX_PADDING_PERCENT { packets.largest } else { 0 }
}

/// How much is added to a payload. More can't be said in a packet (RFC 3550 §5.1): it stays as it is, and what comes
/// after it leaves in another send.
pub(super) fn padding(payload: usize, pad_to: usize) -> usize {
    let padding = pad_to.saturating_sub(payload);
    if padding <= MAX_PADDING { padding } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::layer::{Layer, Span};
    use crate::rtp::ring::NewPacket;
    use crate::rtp::scalability::Scalability;
    use crate::session::plan::{Codec, Kind, Ssrc};
    use std::time::Instant;

    /// What is added to each payload of a frame with payloads of these lengths.
    fn paddings(lengths: &[usize]) -> Vec<usize> {
        let none: &[u8] = &[];
        paddings_beside(&lengths.iter().map(|len| (none, *len)).collect::<Vec<_>>())
    }

    /// The same where dependency descriptors stand before the payloads.
    fn paddings_beside(packets: &[(&[u8], usize)]) -> Vec<usize> {
        #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
        let arrived = Instant::now();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        for (seq, (descriptor, len)) in (0..).zip(packets) {
            layer.handle_packet(&NewPacket {
                seq,
                timestamp: 1,
                arrived,
                marker: seq + 1 == packets.len() as u64,
                codec: Codec::Vp8,
                key_start: false,
                orientation: None,
                audio_level: None,
                vp8: None,
                scalability: Scalability::NONE,
                descriptor,
                payload: &vec![0; *len],
            });
        }
        let pad_to = padded_payload(&layer.packets(Span { first: 0, last: packets.len() as u64 - 1 }));
        let all = packets.iter().map(|(_, len)| len).enumerate();
        all.map(|(place, len)| if place + 1 == packets.len() { 0 } else { padding(*len, pad_to) }).collect()
    }

    #[test]
    fn a_frame_is_brought_to_one_size_but_for_its_last_packet() {
        // As libwebrtc cuts frames.
        assert_eq!(paddings(&[1000, 1000, 1001, 1001]), [1, 1, 0, 0]);
        assert_eq!(paddings(&[1000, 980, 1000, 300]), [0, 20, 0, 0]);
        assert_eq!(paddings(&[990, 1000]), [10, 0]);
        assert_eq!(paddings(&[700]), [0]);
    }

    #[test]
    fn padding_that_costs_more_than_three_percent_is_left_out() {
        // 60 of 2,000 bytes are three percent.
        assert_eq!(paddings(&[1030, 970, 500]), [0, 60, 0]);
        assert_eq!(paddings(&[1031, 969, 500]), [0, 0, 0]);
        assert_eq!(paddings(&[600, 1000]), [0, 0]);
        assert_eq!(paddings(&[100, 1100, 1100, 1100]), [0, 0, 0, 0]);
    }

    #[test]
    fn padding_that_cannot_be_said_is_left_out() {
        let mut frame = [1100; 40];
        frame[7] = 1100 - 255;
        assert_eq!(paddings(&frame)[7], 255);
        frame[7] -= 1;
        assert_eq!(paddings(&frame), [0; 40]);
    }

    #[test]
    fn nothing_becomes_larger_than_what_passes_any_path() {
        let most = MAX_DATAGRAM - HEADER - 12 - srtp::MAX_OVERHEAD;
        assert_eq!(paddings(&[most - 5, most, 100]), [5, 0, 0]);
        assert_eq!(paddings(&[most - 5, most + 1, 100]), [0, 0, 0]);
    }

    #[test]
    fn descriptors_that_leave_in_a_header_or_not_at_all_are_not_counted() {
        assert_eq!(paddings_beside(&[(&[0xc0, 0, 1, 0, 0], 1000), (&[0x40, 0, 1], 1001), (&[], 1001)]), [1, 0, 0]);
    }
}
