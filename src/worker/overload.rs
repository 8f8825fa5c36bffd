//! What is given up when a worker has more to forward than its core can: pictures of those who get most, never
//! sound, and nothing waits in queues for it. Is told the load and the time; knows no sessions.

use std::time::{Duration, Instant};

/// A worker that is busy for more than this share of the time can't take a key frame of everybody at once.
const TOO_BUSY: f32 = 0.92;

/// Below this there is room for more.
const ROOM: f32 = 0.75;

/// Below this there is so much room that it is taken in large steps.
const MUCH_ROOM: f32 = 0.4;

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
    over: bool,
    cap: Option<u32>,
    /// Since when there is too much to do without a pause.
    since: Option<Instant>,
    changed: Option<Instant>,
}

impl Overload {
    /// Bits per second; `None` while the worker keeps up, or where nobody has anything to give.
    #[must_use]
    pub const fn cap(&self) -> Option<u32> {
        self.cap
    }

    /// Whether there is too much to do, so that no more should come.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Takes note of the load. Whether the cap may move now; then `most`, what the pictures of that subscriber take
    /// that gets most of those with something to give, is worth finding out for [`Self::handle_load`].
    pub fn is_due(&mut self, now: Instant, load: Load) -> bool {
        let verdict = verdict(load);
        if verdict != Verdict::TooMuch {
            self.since = None;
        }
        let quiet = self.changed.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        match verdict {
            Verdict::TooMuch => {
                // A moment's work, such as many who join at once, is no overload.
                let lasts = self.since.replace(self.since.unwrap_or(now)).is_some();
                lasts && quiet >= AFTER_LESS
            }
            Verdict::Room => self.over && quiet >= AFTER_MORE,
            Verdict::Enough => false,
        }
    }

    /// Where [`Self::is_due`]: lowers the cap by a quarter of what is sent, or raises it where there is room;
    /// whether it moved.
    pub fn handle_load(&mut self, now: Instant, load: Load, most: u32) -> bool {
        let before = self.cap;
        if verdict(load) == Verdict::TooMuch {
            self.over = true;
            if most > LEAST {
                self.cap = Some((self.cap.unwrap_or(most).min(most) / 4 * 3).max(LEAST));
            }
        } else {
            let step = if load.busy < MUCH_ROOM { 2 } else { 8 };
            let cap = self.cap.map(|cap| cap.saturating_add(cap / step));
            // Twice what anybody gets holds nobody back any more.
            self.cap = cap.filter(|cap| *cap / 2 < most);
            self.over = self.cap.is_some();
        }
        self.changed = Some(now);
        self.cap != before
    }
}

#[derive(PartialEq)]
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

    /// As the core does.
    fn tell(overload: &mut Overload, now: Instant, load: Load, most: u32) -> bool {
        overload.is_due(now, load) && overload.handle_load(now, load, most)
    }

    #[test]
    fn a_worker_that_keeps_up_or_is_kept_from_its_core_by_others_gives_nothing_up() {
        let mut overload = Overload::default();
        // One busy moment is no overload either.
        for (place, load) in
            [load(0.1, 0), load(0.9, 5), load(0.3, 400), load(1.0, 50), load(0.3, 0)].into_iter().enumerate()
        {
            let now = start() + Duration::from_secs(place as u64);
            assert!(!tell(&mut overload, now, load, 2_000_000));
            assert!(!overload.is_over());
        }
    }

    #[test]
    fn it_gives_up_step_by_step_until_it_keeps_up_and_takes_back_slowly() {
        let (mut overload, mut now, mut least) = (Overload::default(), start(), u32::MAX);
        // Each subscriber would get 4 Mbit/s, and the worker can send 2 to each.
        for _ in 0..400 {
            now += Duration::from_millis(250);
            let most = overload.cap().unwrap_or(4_000_000).min(4_000_000);
            tell(&mut overload, now, load((most as f32 / 2_000_000.0).min(1.0), 0), most);
            least = least.min(overload.cap().unwrap_or(u32::MAX));
        }
        let cap = overload.cap().expect("it is over still");
        assert!((1_300_000..=2_000_000).contains(&cap), "{cap}");
        assert!(least >= 1_200_000, "{least}");
    }

    #[test]
    fn what_is_given_up_comes_back_when_the_load_is_gone() {
        let (mut overload, start) = (Overload::default(), start());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!tell(&mut overload, at(0), load(1.0, 100), 4_000_000));
        assert!(tell(&mut overload, at(250), load(1.0, 100), 4_000_000));
        assert_eq!(overload.cap(), Some(3_000_000));
        assert!(!tell(&mut overload, at(500), load(1.0, 100), 4_000_000), "too early to tell");
        let mut now = at(500);
        while overload.is_over() {
            now += Duration::from_millis(250);
            let most = overload.cap().unwrap_or(u32::MAX).min(2_200_000);
            tell(&mut overload, now, load(0.3, 0), most);
            assert!(now < at(10_000));
        }
        assert!(!tell(&mut overload, now + Duration::from_secs(10), load(0.3, 0), 1_000_000));
    }

    #[test]
    fn where_nobody_has_anything_to_give_newcomers_are_refused_and_nobody_is_held_down() {
        let (mut overload, start) = (Overload::default(), start());
        for tick in 0..100 {
            assert!(!tell(&mut overload, start + Duration::from_millis(250 * tick), load(1.0, 100), 0));
        }
        assert!(overload.is_over() && overload.cap().is_none());
        assert!(!tell(&mut overload, start + Duration::from_secs(60), load(0.5, 0), 0));
        assert!(!overload.is_over());
    }

    #[test]
    fn nobody_is_held_below_a_lowest_layer() {
        let (mut overload, mut now) = (Overload::default(), start());
        for _ in 0..100 {
            now += Duration::from_secs(1);
            tell(&mut overload, now, load(1.0, 100), 200_000);
        }
        assert_eq!(overload.cap(), Some(LEAST));
    }
}
