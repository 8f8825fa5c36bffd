//! Where a stream's frames stand on the recording's clock. RTP time gives the distance of one frame from the next, to
//! the tick; the clock map gives where they belong, which it learns better as it goes. So the first is followed, and
//! brought to the second in steps too small to be heard.

/// Off by more than this, the stream was not going on but began anew, in milliseconds.
const JUMP_MS: i64 = 100;
/// Corrections are at most this part of the time that passed: two thousandths, a third of what a tuned ear hears.
const SLEW: i64 = 500;

#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    rate: u32,
    last: Option<(u32, i64)>,
}

impl Placement {
    pub(super) const fn new(rate: u32) -> Self {
        Self { rate, last: None }
    }

    /// The time of a frame in ticks; `captured_ns` is what the clock map says, in nanoseconds since the recording began.
    pub(super) fn place(&mut self, timestamp: u32, captured_ns: i64) -> i64 {
        let target = (i128::from(captured_ns) * i128::from(self.rate) / 1_000_000_000) as i64;
        let time = match self.last {
            None => target,
            Some((from, at)) => {
                let passed = i64::from(timestamp.wrapping_sub(from) as i32);
                let expected = at + passed;
                let off = target - expected;
                if off.abs() > JUMP_MS * i64::from(self.rate) / 1000 {
                    target
                } else {
                    let most = passed.abs() / SLEW;
                    expected + off.clamp(-most, most)
                }
            }
        };
        self.last = Some((timestamp, time));
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn sound_follows_its_own_clock_and_drifts_no_more_than_the_map() {
        let mut placement = Placement::new(48_000);
        // An hour of a microphone whose clock is 40 ppm fast, with a map that jitters by 3 ms.
        let (mut last, mut worst) = (None, 0);
        for packet in 0..180_000_i64 {
            let timestamp = (packet * 960) as u32;
            let true_ns = packet * 20 * MS - packet * 20 * MS * 40 / 1_000_000;
            let jitter = (packet * 7_919 % 7 - 3) * MS;
            let time = placement.place(timestamp.wrapping_add(0xffff_0000), true_ns + jitter);
            if let Some(last) = last {
                let step: i64 = time - last;
                assert!((958..=962).contains(&step), "{step} at {packet}");
            }
            last = Some(time);
            worst = worst.max((time - true_ns * 48 / MS).abs());
        }
        assert!(worst <= 48 * 5, "{} ms off", worst / 48);
    }

    #[test]
    fn what_begins_anew_is_placed_anew() {
        let mut placement = Placement::new(90_000);
        assert_eq!(placement.place(5, 1_000 * MS), 90_000);
        assert_eq!(placement.place(5 + 3_000, 1_033 * MS), 93_000 - 6, "a little nearer to where it belongs");
        // Ten minutes of mute, in which the publisher's timestamps went elsewhere.
        assert_eq!(placement.place(77, 601_000 * MS), 601 * 90_000);
    }
}
