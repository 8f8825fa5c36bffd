//! Times that grow, of times that wrap, jump and are rounded. Knows no media.

/// Further back than this, the next tag is not on the timeline of the last one: seconds lie between sound and picture of
/// an encoder that buffers badly, never this much.
const BACK: i32 = 10_000;
/// Nor further on: a connection on which nothing comes for so long has ended before.
const ONWARD: i32 = 20_000;

/// Milliseconds of 2^32, of all tracks of one push, as ones that never wrap and never jump.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    last: Option<u32>,
    /// Of the last one.
    time: i64,
    jumps: u32,
}

impl Timeline {
    /// The time of the next tag, in milliseconds since the first one; less than none where the first ones are not in order.
    pub fn handle(&mut self, time: u32) -> i64 {
        let step = self.last.map_or(0, |last| time.wrapping_sub(last) as i32);
        if (-BACK..=ONWARD).contains(&step) {
            self.time += i64::from(step);
        } else {
            // It goes on where it was: what follows will be on the new timeline.
            self.jumps = self.jumps.saturating_add(1);
        }
        self.last = Some(time);
        self.time
    }

    /// How often times have jumped.
    #[must_use]
    pub const fn jumps(&self) -> u32 {
        self.jumps
    }
}

/// Times of sound by its samples: exact where milliseconds are rounded, and held to them where the two come apart.
#[derive(Debug, Clone)]
pub struct Counted {
    rate: u32,
    /// When the next packet begins, in samples, if nothing is missing.
    next: Option<i64>,
    /// How far the told times are ahead of ours, in samples times [`Self::SMOOTH`].
    ahead: i64,
}

impl Counted {
    /// What told times may differ by, in milliseconds, before something is missing: encoders round, and some send two
    /// packets at once.
    const GAP: i64 = 150;
    /// What they may differ by on average: half of what lips are seen to be late by.
    const DRIFT: i64 = 20;
    /// Packets that the average is of, 1.5 s of AAC.
    const SMOOTH: i64 = 64;

    /// Of `rate` samples a second.
    #[must_use]
    pub const fn new(rate: u32) -> Self {
        Self { rate, next: None, ahead: 0 }
    }

    /// When a packet of `samples` begins that says to begin at `ms`; in samples.
    pub fn handle(&mut self, ms: i64, samples: u32) -> i64 {
        let rate = i64::from(self.rate);
        let told = (ms * rate).div_euclid(1000);
        let mut time = self.next.unwrap_or(told);
        let ahead = told - time;
        if ahead > Self::GAP * rate / 1000 {
            time = told;
            self.ahead = 0;
        } else {
            self.ahead += ahead - self.ahead / Self::SMOOTH;
            let average = self.ahead / Self::SMOOTH;
            if average.abs() > Self::DRIFT * rate / 1000 {
                // A little at a time, so that no packet begins before the one before it.
                let step = (average / 8).clamp(-i64::from(samples / 4), i64::from(samples / 4));
                time += step;
                self.ahead -= step * Self::SMOOTH;
            }
        }
        self.next = Some(time + i64::from(samples));
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_go_on_where_they_wrap() {
        let mut timeline = Timeline::default();
        let start = u32::MAX - 50;
        assert_eq!([0, 40, 80, 60].map(|after| timeline.handle(start.wrapping_add(after))), [0, 40, 80, 60]);
        assert_eq!(timeline.jumps(), 0);
    }

    #[test]
    fn times_go_on_where_they_jump() {
        let mut timeline = Timeline::default();
        // Sound and picture jump one after the other.
        let told = [100_000, 100_020, 40, 100_040, 60, 80, 100];
        assert_eq!(told.map(|time| timeline.handle(time)), [0, 20, 20, 20, 20, 40, 60]);
        assert_eq!(timeline.jumps(), 3);
    }

    #[test]
    fn an_hour_of_44_100_does_not_drift() {
        let mut counted = Counted::new(44_100);
        let frames = 44_100 * 3600 / 1024_i64;
        for n in 0..frames {
            // As encoders do: the sample's time in whole milliseconds.
            let ms = n * 1024 * 1000 / 44_100;
            assert_eq!(counted.handle(ms, 1024), n * 1024);
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_followed_without_a_jump() {
        // Sound of a card that is 200 ppm slow, with the times of a right clock.
        let mut counted = Counted::new(48_000);
        let mut last = -1024;
        for n in 0..168_000_i64 {
            let ms = n * 1024 * 1_000_200 / 48_000_000;
            let time = counted.handle(ms, 1024);
            assert!((512..2048).contains(&(time - last)), "{n}: {}", time - last);
            assert!((time - ms * 48).abs() < 48 * 40, "{n}: {}", time - ms * 48);
            last = time;
        }
    }

    #[test]
    fn what_is_missing_stays_missing() {
        let mut counted = Counted::new(48_000);
        assert_eq!(counted.handle(0, 1024), 0);
        assert_eq!(counted.handle(1000, 1024), 48_000);
        assert_eq!(counted.handle(1021, 1024), 49_024);
    }

    proptest! {
        #[test]
        fn times_of_sound_never_go_back(told in prop::collection::vec(-5000_i64..5000, 1..300)) {
            let mut counted = Counted::new(44_100);
            let mut last = i64::MIN;
            for ms in told {
                let time = counted.handle(ms, 1024);
                prop_assert!(time > last);
                last = time;
            }
        }
    }
}
