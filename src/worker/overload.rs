//! What is given up when a worker has more to forward than its core can: pictures of those who get most, never
//! sound, and nothing waits in queues for it. Is told the load and the time; knows no sessions.

use std::time::{Duration, Instant};

/// A worker that is busy for more than this share of the time can't take a key frame of everybody at once.
const TOO_BUSY: f32 = 0.92;

/// Below this there is room for more.
const ROOM: f32 = 0.75;

/// Packets that waited so long mean that more comes than leaves.
const TOO_LATE: Duration = Duration::from_millis(20);

/// Lateness alone says that others take the core, which fewer pictures would not help: the worker must also be
/// busy for so much of the time itself.
const BUSY_AND_LATE: f32 = 0.5;

/// A lower layer begins with a key frame, which takes a round trip; until then less does not show.
const AFTER_LESS: Duration = Duration::from_millis(500);

/// How often a little more is tried.
const AFTER_MORE: Duration = Duration::from_secs(2);

/// A subscriber's pictures are not held below this, in bits per second: a lowest layer.
const LEAST: u32 = 150_000;

/// How a worker fared since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Share of the time that it computed, 0 to 1.
    pub busy: f32,
    /// The longest that a picture waited to be forwarded.
    pub late: Duration,
}

/// The most that pictures to one subscriber may take, while there is too much to do.
#[derive(Debug, Default)]
pub struct Overload {
    cap: Option<u32>,
    changed: Option<Instant>,
}

impl Overload {
    /// Bits per second; `None` while the worker keeps up.
    #[must_use]
    pub const fn cap(&self) -> Option<u32> {
        self.cap
    }

    /// Whether subscribers get less than they could, so that no more should come.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.cap.is_some()
    }

    /// Whether the cap may move now; then `most`, what the pictures of that subscriber take that gets most, is
    /// worth finding out for [`Self::handle_load`].
    #[must_use]
    pub fn is_due(&self, now: Instant, load: Load) -> bool {
        let since = self.changed.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        match verdict(load) {
            Verdict::TooMuch => since >= AFTER_LESS,
            Verdict::Room => self.is_over() && since >= AFTER_MORE,
            Verdict::Enough => false,
        }
    }

    /// Lowers the cap by a quarter of what is sent while there is too much to do, raises it by an eighth where
    /// there is room; whether it moved.
    pub fn handle_load(&mut self, now: Instant, load: Load, most: u32) -> bool {
        if !self.is_due(now, load) {
            return false;
        }
        let before = self.cap;
        match verdict(load) {
            Verdict::TooMuch => self.cap = Some((self.cap.unwrap_or(most).min(most) / 4 * 3).max(LEAST)),
            Verdict::Room => {
                let cap = self.cap.map(|cap| cap.saturating_add(cap / 8));
                // Twice what anybody gets holds nobody back any more.
                self.cap = cap.filter(|cap| *cap / 2 < most);
            }
            Verdict::Enough => {}
        }
        self.changed = Some(now);
        self.cap != before
    }
}

enum Verdict {
    TooMuch,
    Enough,
    Room,
}

fn verdict(load: Load) -> Verdict {
    if load.busy > TOO_BUSY || (load.late > TOO_LATE && load.busy > BUSY_AND_LATE) {
        Verdict::TooMuch
    } else if load.busy < ROOM && load.late < TOO_LATE {
        Verdict::Room
    } else {
        Verdict::Enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn load(busy: f32, late_ms: u64) -> Load {
        Load { busy, late: Duration::from_millis(late_ms) }
    }

    #[test]
    fn a_worker_that_keeps_up_or_is_kept_from_its_core_by_others_gives_nothing_up() {
        let mut overload = Overload::default();
        for (place, load) in [load(0.1, 0), load(0.9, 5), load(0.3, 400)].into_iter().enumerate() {
            let now = start() + Duration::from_secs(place as u64);
            assert!(!overload.handle_load(now, load, 2_000_000));
            assert_eq!(overload.cap(), None);
        }
    }

    #[test]
    fn it_gives_up_step_by_step_until_it_keeps_up_and_takes_back_slowly() {
        let (mut overload, mut now, mut least) = (Overload::default(), start(), u32::MAX);
        // Each subscriber would get 4 Mbit/s, and the worker can send 2 to each.
        for _ in 0..400 {
            now += Duration::from_millis(250);
            let most = overload.cap().unwrap_or(4_000_000).min(4_000_000);
            overload.handle_load(now, load((most as f32 / 2_000_000.0).min(1.0), 0), most);
            least = least.min(overload.cap().unwrap_or(u32::MAX));
        }
        let cap = overload.cap().expect("it is over still");
        assert!((1_300_000..=2_000_000).contains(&cap), "{cap}");
        assert!(least >= 1_200_000, "{least}");
    }

    #[test]
    fn what_is_given_up_comes_back_when_the_load_is_gone() {
        let (mut overload, mut now) = (Overload::default(), start());
        assert!(overload.handle_load(now, load(1.0, 100), 4_000_000));
        assert_eq!(overload.cap(), Some(3_000_000));
        assert!(
            !overload.handle_load(now + Duration::from_millis(250), load(1.0, 100), 4_000_000),
            "too early to tell"
        );
        while overload.is_over() {
            now += Duration::from_millis(250);
            let most = overload.cap().unwrap_or(u32::MAX).min(1_000_000);
            overload.handle_load(now, load(0.3, 0), most);
            assert!(now < start() + Duration::from_secs(60));
        }
        assert!(!overload.handle_load(now + Duration::from_secs(10), load(0.3, 0), 1_000_000));
    }

    #[test]
    fn nobody_is_held_below_a_lowest_layer() {
        let (mut overload, mut now) = (Overload::default(), start());
        for _ in 0..100 {
            now += Duration::from_secs(1);
            overload.handle_load(now, load(1.0, 100), 200_000);
        }
        assert_eq!(overload.cap(), Some(LEAST));
    }
}
