//! Links between Bots and the server: delay, jitter, loss, reordering and duplicates, all from a seed.

use super::bottleneck::Bottleneck;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// What a link does to datagrams, in one direction. Shares are in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub delay: Duration,
    pub jitter: Duration,
    pub loss: u32,
    pub duplicate: u32,
    pub reorder: u32,
    /// Nothing passes.
    pub down: bool,
    /// Bits per second; what finds more than [`QUEUE`] before it is lost.
    pub rate: Option<u32>,
}

/// The longest queue before a link that has a rate.
const QUEUE: Duration = Duration::from_millis(300);

impl Link {
    /// 5 ms and nothing else.
    pub const CLEAN: Link = Link {
        delay: Duration::from_millis(5),
        jitter: Duration::ZERO,
        loss: 0,
        duplicate: 0,
        reorder: 0,
        down: false,
        rate: None,
    };

    /// As clean, but so many thousandths are lost.
    pub const fn losing(loss: u32) -> Link {
        Link { loss, ..Link::CLEAN }
    }
}

/// One direction of a link.
#[derive(Debug)]
pub struct Direction {
    pub link: Link,
    /// What it passes, and since when.
    pub thin: Option<(Instant, Bottleneck)>,
    random: StdRng,
    last: Option<Instant>,
    /// When all that came before has passed.
    free: Option<Instant>,
}

impl Direction {
    pub fn new(link: Link, seed: u64) -> Self {
        Self { link, thin: None, random: StdRng::seed_from_u64(seed), last: None, free: None }
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        thousandths > 0 && self.random.next_u32() % 1000 < thousandths
    }

    /// When a datagram that is sent now has passed the link, should its queue take it.
    fn passed(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let Some(rate) = self.link.rate else { return Some(now) };
        let begins = self.free.map_or(now, |free| free.max(now));
        if begins - now > QUEUE {
            return None;
        }
        self.free = Some(begins + Duration::from_secs_f64(bytes as f64 * 8.0 / f64::from(rate)));
        self.free
    }

    /// When a datagram of so many bytes that is sent now arrives: not at all, once or twice.
    pub fn arrivals(&mut self, now: Instant, bytes: usize) -> Vec<Instant> {
        if self.link.down || self.chance(self.link.loss) {
            return Vec::new();
        }
        let Some(now) = self.passed(now, bytes) else { return Vec::new() };
        let through = match &mut self.thin {
            None => Some(Duration::ZERO),
            Some((since, thin)) => {
                let at = now.saturating_duration_since(*since).as_micros() as u64;
                thin.pass(at, bytes).map(|through| Duration::from_micros(through - at))
            }
        };
        let Some(waits) = through else { return Vec::new() };
        let now = now + waits;
        let copies = if self.chance(self.link.duplicate) { 2 } else { 1 };
        let reordered = self.chance(self.link.reorder);
        (0..copies)
            .map(|_| {
                let jitter = self.link.jitter.mul_f64(f64::from(self.random.next_u32()) / f64::from(u32::MAX));
                let mut at = now + self.link.delay + jitter;
                if reordered {
                    return at + Duration::from_millis(8);
                }
                if let Some(last) = self.last {
                    at = at.max(last);
                }
                self.last = Some(at);
                at
            })
            .collect()
    }
}
