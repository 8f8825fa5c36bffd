//! NTP time as sender and receiver reports use it (RFC 3550 §4). Reads no clock.

use std::time::Duration;

/// Seconds from the NTP epoch (1900) to the Unix epoch (1970).
const UNIX_OFFSET: u64 = 2_208_988_800;

/// A time of day in 32.32 fixed point seconds since 1900; wraps in 2036 and means what it says modulo that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ntp(pub u64);

impl Ntp {
    /// From time since the Unix epoch.
    #[must_use]
    pub fn from_unix(since: Duration) -> Ntp {
        let seconds = since.as_secs().wrapping_add(UNIX_OFFSET);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Ntp(seconds << 32 | fraction)
    }

    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub fn from_unix_millis(millis: u64) -> Ntp {
        Ntp::from_unix(Duration::from_millis(millis))
    }

    /// Time since the Unix epoch; of a time before 1970, the 136 years that follow 2036.
    #[must_use]
    pub fn to_unix(self) -> Duration {
        let seconds = u64::from(((self.0 >> 32) as u32).wrapping_sub(UNIX_OFFSET as u32));
        let nanos = ((self.0 & 0xffff_ffff) * 1_000_000_000) >> 32;
        Duration::new(seconds, nanos as u32)
    }

    /// The middle 32 bits: 16.16 fixed point seconds, as `LSR` in a report block.
    #[must_use]
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// A duration in 1/65,536 s, as `DLSR` in a report block; the longest that it can say is 18 hours.
#[must_use]
pub fn to_short(duration: Duration) -> u32 {
    let ticks = duration.as_secs().saturating_mul(1 << 16) + (u64::from(duration.subsec_nanos()) << 16) / 1_000_000_000;
    u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// The round-trip time that a report block tells the sender (RFC 3550 §6.4.1), when the block with
/// these `LSR` and `DLSR` arrived at `now`. `None` before the receiver had a sender report, or where the
/// result is negative or beyond a minute: then a clock jumped, or the block is forged.
#[must_use]
pub fn round_trip(now: Ntp, last_sender_report: u32, delay: u32) -> Option<Duration> {
    const MINUTE: u32 = 60 << 16;
    if last_sender_report == 0 {
        return None;
    }
    let ticks = now.middle().wrapping_sub(last_sender_report).wrapping_sub(delay);
    (ticks <= MINUTE).then(|| Duration::from_nanos((u64::from(ticks) * 1_000_000_000) >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_is_seventy_years_after_1900() {
        assert_eq!(Ntp::from_unix_millis(0).0 >> 32, 2_208_988_800);
        assert_eq!(Ntp::from_unix_millis(500).0 & 0xffff_ffff, 1 << 31);
    }

    #[test]
    fn times_survive_the_way_there_and_back() {
        for millis in [0, 1, 999, 1_700_000_000_123, 2_200_000_000_000] {
            let back = Ntp::from_unix_millis(millis).to_unix();
            let apart = Duration::from_millis(millis).abs_diff(back);
            assert!(apart < Duration::from_nanos(2), "{millis}: {apart:?}");
        }
    }

    // The figures of RFC 3550 §6.4.1, figure 2.
    #[test]
    fn the_round_trip_of_the_rfc_is_6_125_seconds() {
        let round = round_trip(Ntp(0x0000_b710_8000_0000), 0xb705_2000, 0x0005_4000);
        assert_eq!(round, Some(Duration::from_millis(6125)));
    }

    #[test]
    fn a_negative_or_absurd_round_trip_is_none() {
        let now = Ntp::from_unix_millis(1_700_000_000_000);
        assert_eq!(round_trip(now, 0, 0), None);
        assert_eq!(round_trip(now, now.middle(), 1), None);
        assert_eq!(round_trip(now, now.middle().wrapping_sub(120 << 16), 0), None);
        assert_eq!(round_trip(now, now.middle(), 0), Some(Duration::ZERO));
    }

    #[test]
    fn short_durations_are_sixteen_sixteen() {
        assert_eq!(to_short(Duration::from_millis(1500)), 0x0001_8000);
        assert_eq!(to_short(Duration::from_secs(1 << 20)), u32::MAX);
    }
}
