//! Whether a subscriber gets a track's frames whole or packet by packet: a policy, told sizes and rates.
//! Knows no sessions and no packets.

use std::time::Duration;

/// How the packets of a frame go to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Together, once the frame is whole: one send.
    Whole,
    /// Each as it comes, in ones and twos: on a thin link the first is under way while the last is waited for.
    AtOnce,
}

/// A burst that takes the link longer is none (design §4.3).
const LONGEST: Duration = Duration::from_millis(2);

/// Bursts are begun again only where they take no longer than this.
const SHORT: Duration = Duration::from_millis(1);

/// A frame of one packet is no burst.
const ONE_PACKET: u32 = 1200;

/// Chooses for frames of about so many bytes over a link of so many bits per second. Of an unknown link the best is
/// thought: frames that go whole are what makes it known.
#[must_use]
pub fn choose(now: Pace, frame_bytes: u32, link: Option<u32>) -> Pace {
    let Some(link) = link.filter(|_| frame_bytes > ONE_PACKET) else { return Pace::Whole };
    let takes = Duration::from_secs_f64(f64::from(frame_bytes) * 8.0 / f64::from(link.max(1)));
    match now {
        Pace::Whole if takes > LONGEST => Pace::AtOnce,
        Pace::AtOnce if takes < SHORT => Pace::Whole,
        stays => stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_whole_where_it_takes_the_link_two_milliseconds_at_most() {
        for (bytes, link, expected) in [
            (2_000, 1_500_000, Pace::AtOnce),
            (7_000, 27_000_000, Pace::AtOnce),
            (7_000, 29_000_000, Pace::Whole),
            (2_000, 10_000_000, Pace::Whole),
            (100_000, 100_000_000, Pace::AtOnce),
            (2_000, 0, Pace::AtOnce),
        ] {
            assert_eq!(choose(Pace::Whole, bytes, Some(link)), expected, "{bytes} bytes at {link} bit/s");
        }
    }

    #[test]
    fn it_changes_back_only_where_the_link_is_twice_as_fat() {
        let at = |link| choose(Pace::AtOnce, 7_000, Some(link));
        assert_eq!((at(29_000_000), at(55_000_000), at(57_000_000)), (Pace::AtOnce, Pace::AtOnce, Pace::Whole));
    }

    #[test]
    fn one_packet_is_no_burst_and_an_unknown_link_gets_frames_whole() {
        for before in [Pace::Whole, Pace::AtOnce] {
            assert_eq!(choose(before, 1_000, Some(100_000)), Pace::Whole);
            assert_eq!(choose(before, 50_000, None), Pace::Whole);
        }
    }
}
