//! How long a subscriber whose pictures gave way waits before it is given more: a policy, told the time and rates.
//! Knows no sessions and no layers.

use std::time::{Duration, Instant};

/// After pictures gave way nothing goes up for so long.
const CALM: Duration = Duration::from_millis(1500);

/// Where what went up has to give way again within so long, it was too much: the wait doubles.
const TRIED: Duration = Duration::from_secs(10);

/// The longest wait. A link that just does not carry a picture shows it a few times a minute then, not all the time.
const LONGEST: Duration = Duration::from_secs(24);

/// A link that takes so much more than what was too much for it has become another one: nobody waits for that.
const ANOTHER: f64 = 1.4;

/// What comes back where something was too much stays this far below it. (The first picture is shown from 80 % of what
/// it takes.)
const BELOW: f64 = 0.76;

/// Of one subscriber.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patience {
    raised_at: Option<Instant>,
    gave_way: Option<GaveWay>,
}

#[derive(Debug, Clone, Copy)]
struct GaveWay {
    at: Instant,
    wait: Duration,
    /// What was too much, in bits per second.
    too_much: u32,
}

/// What may go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upward {
    /// What the link takes.
    Free,
    /// What stays below `most`, unless the link turns out to take `other`; both in bits per second.
    Below {
        /// All pictures together.
        most: u32,
        /// A link that takes this has become another one.
        other: u32,
    },
    /// Nothing.
    Nothing,
}

impl Patience {
    /// What may go up now over a link of so many bits per second.
    #[must_use]
    pub fn upward(&self, now: Instant, link: u32) -> Upward {
        let Some(GaveWay { at, wait, too_much }) = self.gave_way else { return Upward::Free };
        let since = now.saturating_duration_since(at);
        let other = (f64::from(too_much) * ANOTHER) as u32;
        if since < CALM {
            Upward::Nothing
        } else if since >= wait || link >= other {
            Upward::Free
        } else {
            Upward::Below { most: (f64::from(too_much) * BELOW) as u32, other }
        }
    }

    /// Something goes up, or comes back.
    pub const fn handle_raised(&mut self, now: Instant) {
        self.raised_at = Some(now);
    }

    /// Something has to give way where so many bits per second go out and the link takes so many: for want of room, or
    /// for something that became more important.
    pub fn handle_gave_way(&mut self, now: Instant, going: u32, link: u32) {
        let waits = self.gave_way.filter(|before| now.saturating_duration_since(before.at) < before.wait);
        if going <= link {
            self.gave_way = waits.or(Some(GaveWay { at: now, wait: CALM, too_much: going }));
            return;
        }
        let tried = self.raised_at.take().is_some_and(|raised| now.saturating_duration_since(raised) < TRIED);
        let wait = match self.gave_way.filter(|_| tried) {
            Some(before) => (before.wait * 2).min(LONGEST),
            // What gives way piece by piece waits for the last of it, no longer.
            None => waits.map_or(CALM, |before| before.wait),
        };
        self.gave_way = Some(GaveWay { at: now, wait, too_much: going });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    /// How long it waits for what was too much, after it gave way at `now`.
    fn waits(patience: &Patience, now: Instant) -> Duration {
        let mut steps = (0..).map(|step| Duration::from_millis(100) * step);
        steps.find(|after| patience.upward(now + *after, 190_000) == Upward::Free).expect("some time")
    }

    #[test]
    fn what_fails_again_and_again_is_tried_less_and_less() {
        let (mut patience, mut now, mut waited) = (Patience::default(), start(), Vec::new());
        assert_eq!(patience.upward(now, 0), Upward::Free);
        for _ in 0..7 {
            patience.handle_raised(now);
            now += Duration::from_secs(2);
            patience.handle_gave_way(now, 200_000, 190_000);
            waited.push(waits(&patience, now).as_millis());
            now += waits(&patience, now);
        }
        assert_eq!(waited, [1500, 3000, 6000, 12_000, 24_000, 24_000, 24_000]);
        // What then held for a while was right; what comes later is another matter.
        patience.handle_raised(now);
        now += Duration::from_secs(60);
        patience.handle_gave_way(now, 200_000, 190_000);
        assert_eq!(waits(&patience, now), CALM);
    }

    #[test]
    fn less_than_what_was_too_much_and_a_link_that_has_become_another_are_not_waited_for() {
        let (mut patience, mut now) = (Patience::default(), start());
        for _ in 0..5 {
            patience.handle_raised(now);
            patience.handle_gave_way(now, 200_000, 190_000);
            now += Duration::from_secs(1);
        }
        now += Duration::from_secs(1);
        assert_eq!(patience.upward(now, 250_000), Upward::Below { most: 152_000, other: 280_000 });
        assert_eq!(patience.upward(now, 280_000), Upward::Free);
    }

    #[test]
    fn what_gives_way_piece_by_piece_or_for_something_else_waits_no_longer_for_that() {
        let (mut patience, now) = (Patience::default(), start());
        patience.handle_raised(now);
        for piece in 0..5 {
            patience.handle_gave_way(now + Duration::from_millis(100) * piece, 900_000 - 100_000 * piece, 190_000);
        }
        assert_eq!(waits(&patience, now + Duration::from_millis(400)), CALM);
        let now = now + Duration::from_secs(2);
        for speaker in 0..5 {
            patience.handle_raised(now + Duration::from_secs(speaker));
            patience.handle_gave_way(now + Duration::from_secs(speaker), 180_000, 190_000);
        }
        assert_eq!(waits(&patience, now + Duration::from_secs(4)), CALM);
    }
}
