//! How fast a subscriber's link carries a burst: packets that left together arrive as far apart as the link needs for
//! each. Knows no tracks and no estimate; is told what left when, and when it arrived.
//!
//! That is more than the link can be given for long where it is shared or shaped, so it answers one question only: how
//! long a burst takes. The median of the latest bursts counts, since a busy receiver and other traffic make single ones
//! wrong in both directions.

use crate::rtp::rtcp::TICK;
use std::time::{Duration, Instant};

/// Packets whose departures lie within this time of the first make one burst. A link that is slower than what left in
/// it shows all the same, and a faster one is told too slow, not too fast.
const TOGETHER: Duration = Duration::from_millis(1);

/// Bytes behind the first packet below which a burst says too little: within one tick of the receiver's clock they
/// tell any link from 32 Mbit/s up apart from none.
const MIN_BYTES: u32 = 1000;

/// Bursts of which the median counts.
const BURSTS: usize = 15;

/// With fewer nothing is known.
const MIN_BURSTS: usize = 3;

/// What nobody has seen for so long is not known any more: links change, and whoever gets no bursts would never know.
const MEMORY: Duration = Duration::from_secs(10);

/// Packets that left together, as far as their arrivals are known.
#[derive(Debug, Clone, Copy)]
struct Burst {
    left: Instant,
    first: Duration,
    last: Duration,
    /// Behind the first packet.
    bytes: u32,
}

impl Burst {
    /// What the link carried behind the first packet, in bits per second. The receiver's clock ticks: a tick more
    /// than it says may have passed.
    fn rate(&self) -> Option<u32> {
        let took = self.last.saturating_sub(self.first) + TICK;
        let rate = f64::from(self.bytes) * 8.0 / took.as_secs_f64();
        (self.bytes >= MIN_BYTES).then_some(rate as u32)
    }
}

/// The link of one subscriber.
#[derive(Debug, Default)]
pub struct Capacity {
    burst: Option<Burst>,
    rates: [u32; BURSTS],
    count: usize,
    next: usize,
    seen: Option<Instant>,
}

impl Capacity {
    /// A packet of `bytes` left at `left` and arrived at `arrived` by the receiver's clock. Packets are told in the
    /// order in which they left.
    pub fn handle_arrival(&mut self, left: Instant, bytes: u32, arrived: Duration) {
        if let Some(burst) = &mut self.burst {
            // What is told late, of a burst that is over, says nothing of this one.
            let Some(after) = left.checked_duration_since(burst.left) else { return };
            if after <= TOGETHER {
                burst.bytes += bytes;
                burst.first = burst.first.min(arrived);
                burst.last = burst.last.max(arrived);
                return;
            }
            if let Some((rate, at)) = burst.rate().zip(Some(burst.left)) {
                self.note(rate, at);
            }
        }
        self.burst = Some(Burst { left, first: arrived, last: arrived, bytes: 0 });
    }

    fn note(&mut self, rate: u32, at: Instant) {
        if self.seen.is_some_and(|seen| at.saturating_duration_since(seen) > MEMORY) {
            (self.count, self.next) = (0, 0);
        }
        self.rates[self.next] = rate;
        self.next = (self.next + 1) % BURSTS;
        self.count = (self.count + 1).min(BURSTS);
        self.seen = Some(at);
    }

    /// Bits per second; `None` where too few bursts were seen lately.
    #[must_use]
    pub fn bits_per_second(&self, now: Instant) -> Option<u32> {
        self.seen.filter(|seen| now.saturating_duration_since(*seen) <= MEMORY)?;
        if self.count < MIN_BURSTS {
            return None;
        }
        let mut rates = self.rates;
        let known = rates.get_mut(..self.count)?;
        let (_, median, _) = known.select_nth_unstable(self.count / 2);
        Some(*median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The receiver's clock, as far as feedback tells.
    fn ticked(time: Duration) -> Duration {
        Duration::from_micros(time.as_micros() as u64 / 250 * 250)
    }

    /// Frames of so many packets through a link; each frame leaves within `over`.
    struct Link {
        now: Instant,
        start: Instant,
        rate: f64,
        free: Duration,
        capacity: Capacity,
    }

    impl Link {
        #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
        fn new(rate: f64) -> Self {
            let now = Instant::now();
            Self { now, start: now, rate, free: Duration::ZERO, capacity: Capacity::default() }
        }

        fn frame(&mut self, packets: &[u32], over: Duration) {
            for (place, bytes) in (0_u32..).zip(packets) {
                let left = self.now + over * place / packets.len() as u32;
                let waited = self.free.max(left - self.start);
                self.free = waited + Duration::from_secs_f64(f64::from(*bytes) * 8.0 / self.rate);
                self.capacity.handle_arrival(left, *bytes, ticked(self.free));
            }
            self.now += Duration::from_millis(33);
        }

        fn frames(&mut self, count: usize, packets: &[u32], over: Duration) -> Option<u32> {
            (0..count).for_each(|_| self.frame(packets, over));
            self.capacity.bits_per_second(self.now)
        }
    }

    #[test]
    fn thin_links_are_told_to_a_few_percent_and_fat_ones_to_be_fat() {
        for (rate, packets, at_least, at_most) in [
            (300_000.0, &[1200, 1200, 700][..], 285_000, 310_000),
            (1_500_000.0, &[1200, 1200][..], 1_400_000, 1_560_000),
            (10_000_000.0, &[1200; 7][..], 9_000_000, 10_500_000),
            (1_000_000_000.0, &[1200; 7][..], 100_000_000, u32::MAX),
            (1_000_000_000.0, &[1200, 1100][..], 32_000_000, u32::MAX),
        ] {
            let told = Link::new(rate).frames(20, packets, Duration::ZERO).expect("there were bursts");
            assert!((at_least..=at_most).contains(&told), "{told} of {rate}");
        }
    }

    #[test]
    fn packets_that_leave_one_after_another_are_no_burst() {
        let mut link = Link::new(1e9);
        assert_eq!(link.frames(50, &[1200; 4], Duration::from_millis(20)), None);
        // As the server passes on what came in one burst.
        assert!(link.frames(50, &[1200; 4], Duration::from_micros(200)) > Some(50_000_000));
    }

    #[test]
    fn small_and_single_packets_say_nothing() {
        assert_eq!(Link::new(1e6).frames(50, &[1200], Duration::ZERO), None);
        assert_eq!(Link::new(1e6).frames(50, &[140, 140, 140], Duration::ZERO), None);
    }

    #[test]
    fn one_strange_burst_changes_nothing_and_a_new_link_shows_within_a_second() {
        let mut link = Link::new(2_000_000.0);
        link.frames(20, &[1200; 4], Duration::ZERO);
        link.rate = 1e9;
        let told = link.frames(3, &[1200; 4], Duration::ZERO).expect("known");
        assert!(told < 2_200_000, "{told}");
        let told = link.frames(15, &[1200; 4], Duration::ZERO).expect("known");
        assert!(told > 50_000_000, "{told}");
    }

    #[test]
    fn what_was_seen_long_ago_is_not_known_any_more() {
        let mut link = Link::new(2_000_000.0);
        assert!(link.frames(20, &[1200; 4], Duration::ZERO).is_some());
        link.now += MEMORY;
        assert_eq!(link.capacity.bits_per_second(link.now), None);
        // The first burst afterwards closes with the second one's first packet.
        assert_eq!(link.frames(3, &[1200; 4], Duration::ZERO), None);
        assert!(link.frames(2, &[1200; 4], Duration::ZERO).is_some());
    }

    #[test]
    fn what_is_told_late_does_not_count() {
        let mut link = Link::new(2_000_000.0);
        link.frames(20, &[1200; 4], Duration::ZERO);
        let before = link.capacity.bits_per_second(link.now);
        for late in 1..20 {
            let left = link.now - Duration::from_millis(33 * (late + 1));
            link.capacity.handle_arrival(left, 60_000, link.free);
        }
        link.frame(&[1200; 4], Duration::ZERO);
        assert_eq!(link.capacity.bits_per_second(link.now), before);
    }
}
