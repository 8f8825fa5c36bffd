//! How sound gets over a link that loses packets: what was sent lately is repeated within later packets (RFC 2198), and
//! sent again as it was where the peer asks. Knows no slots and no keys.

use crate::rtp::red::{self, Block};
use crate::rtp::ring::Packet;
use crate::session::plan::PayloadType;
use std::time::Duration;

/// Payload with everything repeated in it.
pub(super) const MAX_RED_LEN: usize = 640;

/// At most so many earlier packets are repeated: with a fifth of packets lost, less than one sound in a hundred is.
pub const MAX_REPEATED: usize = 2;

/// Packets that feedback must tell of before their loss is judged.
const JUDGED: u32 = 100;

/// From this share of loss on one packet is repeated, from this on two.
const REPEAT_ONE: f32 = 0.015;
const REPEAT_TWO: f32 = 0.06;

/// What remains of an older, larger share with each judgement: bursts come again.
const FADING: f32 = 0.7;

/// Bits per second that one repetition of one voice takes.
const REPETITION_RATE: u32 = 32_000;

/// Repetition takes at most this part of the link.
const MAX_PART: u32 = 2;

/// A queue of this length says that the link is full.
const FULL: Duration = Duration::from_millis(250);

/// So many bits per second it may take whatever the estimate is: loss brings that down too, and then a voice is worth
/// more than a picture.
const ALWAYS: u32 = 80_000;

/// How much of its sound a peer is sent twice.
#[derive(Debug, Default)]
pub(super) struct Redundancy {
    told: u32,
    lost: u32,
    share: f32,
    repeated: usize,
}

impl Redundancy {
    /// Feedback told of so many packets, of which some did not arrive, on a link of `estimate` bits per second that
    /// carries `voices`, and whose round trip is by `queue` longer than it was at best.
    pub(super) fn handle_feedback(&mut self, told: u32, lost: u32, estimate: u32, voices: u32, queue: Duration) {
        self.told += told;
        self.lost += lost;
        if self.told < JUDGED {
            return;
        }
        self.share = (self.lost as f32 / self.told as f32).max(self.share * FADING);
        (self.told, self.lost) = (0, 0);
        let wanted = usize::from(self.share >= REPEAT_ONE) + usize::from(self.share >= REPEAT_TWO);
        let possible = (estimate / MAX_PART).max(ALWAYS) / voices.max(1).saturating_mul(REPETITION_RATE);
        // A link that is full loses what it can't hold, and more of it with repetition.
        self.repeated = if queue >= FULL { 0 } else { wanted.min(possible as usize) };
    }

    /// So many earlier packets stand in each packet.
    pub(super) const fn repeated(&self) -> usize {
        self.repeated
    }
}

/// Writes a payload that repeats earlier packets of the same layer, the latest first in `earlier`; its length. `None`
/// where there is nothing to repeat or no room.
pub(super) fn repeat<'a>(
    out: &mut [u8; MAX_RED_LEN],
    opus: PayloadType,
    packet: &Packet,
    payload: &[u8],
    earlier: impl Iterator<Item = (&'a Packet, &'a [u8])>,
) -> Option<usize> {
    let mut blocks = [Block { payload_type: opus.0, offset: 0, data: &[] }; MAX_REPEATED];
    let mut count = 0;
    for ((before, data), block) in earlier.zip(blocks.iter_mut().rev()) {
        // Older than its fields can say, or of another time altogether: a new beginning of the stream.
        let offset = u16::try_from(packet.timestamp.wrapping_sub(before.timestamp)).ok();
        let Some(offset @ 1..=red::MAX_OFFSET) = offset else { break };
        *block = Block { payload_type: opus.0, offset, data };
        count += 1;
    }
    let blocks = blocks.get(MAX_REPEATED - count..).filter(|blocks| !blocks.is_empty())?;
    red::write(out, blocks, Block { payload_type: opus.0, offset: 0, data: payload })
}

/// A repetition that crossed the peer's request on its way is not asked for twice: this part of a round trip.
pub(super) fn patience(round_trip: Duration) -> Duration {
    round_trip / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::red::Red;
    use crate::session::plan::Codec;
    use std::time::Instant;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn packet(seq: u64, timestamp: u32) -> Packet {
        let mut ring = crate::rtp::ring::PacketRing::new();
        ring.push(&crate::rtp::ring::NewPacket {
            seq,
            timestamp,
            arrived: Instant::now(),
            marker: false,
            codec: Codec::Opus,
            key_start: false,
            orientation: None,
            audio_level: None,
            vp8: None,
            scalability: crate::rtp::scalability::Scalability::NONE,
            descriptor: &[],
            payload: &[1],
        });
        *ring.get(seq).unwrap().0
    }

    #[test]
    fn repetition_follows_loss_up_at_once_and_down_slowly() {
        let mut redundancy = Redundancy::default();
        let mut after = |told, lost| {
            redundancy.handle_feedback(told, lost, 3_000_000, 1, Duration::ZERO);
            redundancy.repeated()
        };
        assert_eq!(after(99, 99), 0, "too few to judge");
        assert_eq!(after(1000, 0), 2);
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push(after(200, 0));
        }
        assert!(seen.is_sorted_by(|a, b| a >= b) && seen.contains(&1) && seen.last() == Some(&0), "{seen:?}");
        assert_eq!(after(200, 4), 1);
    }

    #[test]
    fn a_thin_link_is_not_filled_by_repetition() {
        for (estimate, voices, repeated) in
            [(1_000_000, 1, 2), (600_000, 5, 1), (60_000, 1, 2), (60_000, 2, 1), (60_000, 3, 0)]
        {
            let mut redundancy = Redundancy::default();
            redundancy.handle_feedback(200, 40, estimate, voices, Duration::ZERO);
            assert_eq!(redundancy.repeated(), repeated, "{estimate} {voices}");
            redundancy.handle_feedback(200, 40, estimate, voices, FULL);
            assert_eq!(redundancy.repeated(), 0, "its queue is full");
        }
    }

    #[test]
    fn earlier_packets_stand_in_order_with_their_distance() {
        let (now, one, two) = (packet(12, 2880), packet(11, 1920), packet(10, 960));
        let mut out = [0; MAX_RED_LEN];
        let earlier = [(&one, &b"one"[..]), (&two, &b"two"[..])];
        let len = repeat(&mut out, PayloadType(111), &now, b"now", earlier.into_iter()).unwrap();
        let red = Red::parse(&out[..len]).unwrap();
        let blocks: Vec<_> = red.redundant().map(|block| (block.offset, block.data)).collect();
        assert_eq!(blocks, [(1920, &b"two"[..]), (960, &b"one"[..])]);
        assert_eq!((red.primary.payload_type, red.primary.data), (111, &b"now"[..]));
    }

    #[test]
    fn what_lies_too_far_back_or_ahead_is_not_repeated() {
        let now = packet(12, 2880);
        let mut out = [0; MAX_RED_LEN];
        for before in [2880_u32.wrapping_sub(0x4000), 2880, 3840] {
            let before = packet(11, before);
            assert_eq!(repeat(&mut out, PayloadType(111), &now, b"now", [(&before, &b"x"[..])].into_iter()), None);
        }
        let before = packet(11, 1920);
        let large = [7; MAX_RED_LEN];
        assert_eq!(repeat(&mut out, PayloadType(111), &now, &large, [(&before, &b"x"[..])].into_iter()), None);
        assert_eq!(repeat(&mut out, PayloadType(111), &now, b"now", std::iter::empty()), None);
    }
}
