//! One direction of a link: a queue before a rate, then loss, delay, jitter, late and double packets, from a seed.
//! Told the time as a duration since its start; knows nothing of what packets hold.

use crate::settings::Settings;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

/// What happened to packets so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Came in.
    pub entered: u64,
    /// Bytes of those.
    pub entered_bytes: u64,
    /// Went out, doubles included.
    pub left: u64,
    /// Bytes of those.
    pub left_bytes: u64,
    /// Found the queue full.
    pub overflowed: u64,
    /// Were lost by chance, or because the link was down.
    pub lost: u64,
    /// Came twice.
    pub doubled: u64,
    /// Came late.
    pub reordered: u64,
}

/// On the way, after the queue. Ordered by when it arrives, then by when it left.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flying {
    arrives: Duration,
    number: u64,
    packet: Vec<u8>,
}

/// The packet that goes through the rate now.
#[derive(Debug, Clone, Copy)]
struct Head {
    done: Duration,
    whole: Duration,
}

/// Moves in a line from one value to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Jitter {
    step: u128,
    from: f64,
    to: f64,
}

/// One direction.
#[derive(Debug)]
pub struct Path {
    settings: Settings,
    random: StdRng,
    queue: VecDeque<Vec<u8>>,
    queued: usize,
    head: Option<Head>,
    flying: BinaryHeap<Reverse<Flying>>,
    number: u64,
    last_arrival: Duration,
    in_burst: bool,
    jitter: Jitter,
    counters: Counters,
}

impl Path {
    /// A link that does nothing to packets.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            settings: Settings::default(),
            random: StdRng::seed_from_u64(seed),
            queue: VecDeque::new(),
            queued: 0,
            head: None,
            flying: BinaryHeap::new(),
            number: 0,
            last_arrival: Duration::ZERO,
            in_burst: false,
            jitter: Jitter::default(),
            counters: Counters::default(),
        }
    }

    /// From now on it is like this. What is queued stays, and goes at the new rate.
    pub fn set(&mut self, now: Duration, settings: Settings) {
        self.handle_timeout(now);
        let rest = self.head.map(|head| {
            let rest = head.done.saturating_sub(now).as_secs_f64();
            if head.whole.is_zero() { 0.0 } else { rest / head.whole.as_secs_f64() }
        });
        self.settings = settings;
        if let (Some(rest), Some(first)) = (rest, self.queue.front()) {
            let whole = settings.transmission(first.len());
            self.head = Some(Head { done: now + whole.mul_f64(rest), whole });
        }
        self.handle_timeout(now);
    }

    /// A packet comes in.
    pub fn handle_packet(&mut self, now: Duration, packet: Vec<u8>) {
        self.handle_timeout(now);
        self.counters.entered += 1;
        self.counters.entered_bytes += packet.len() as u64;
        if self.settings.down {
            self.counters.lost += 1;
            return;
        }
        if self.settings.rate.is_some() && !self.queue.is_empty() && self.queued + packet.len() > self.settings.queue {
            self.counters.overflowed += 1;
            return;
        }
        self.queued += packet.len();
        self.queue.push_back(packet);
        if self.head.is_none() {
            self.begin(now);
        }
        self.handle_timeout(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(head) = self.head.filter(|head| head.done <= now) {
            self.head = None;
            if let Some(packet) = self.queue.pop_front() {
                self.queued -= packet.len();
                self.depart(head.done, packet);
            }
            self.begin(head.done);
        }
    }

    /// The next packet that has arrived by now.
    pub fn poll_output(&mut self, now: Duration) -> Option<Vec<u8>> {
        if self.flying.peek()?.0.arrives > now {
            return None;
        }
        let Reverse(flying) = self.flying.pop()?;
        self.counters.left += 1;
        self.counters.left_bytes += flying.packet.len() as u64;
        Some(flying.packet)
    }

    /// When something happens next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let arrival = self.flying.peek().map(|Reverse(flying)| flying.arrives);
        [arrival, self.head.map(|head| head.done)].into_iter().flatten().min()
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How long a packet that came in now would wait.
    #[must_use]
    pub fn queue_delay(&self, now: Duration) -> Duration {
        let Some(head) = self.head else { return Duration::ZERO };
        let behind = self.queued - self.queue.front().map_or(0, Vec::len);
        head.done.saturating_sub(now) + self.settings.transmission(behind)
    }

    fn begin(&mut self, now: Duration) {
        if let Some(first) = self.queue.front() {
            let whole = self.settings.transmission(first.len());
            self.head = Some(Head { done: now + whole, whole });
        }
    }

    fn depart(&mut self, now: Duration, packet: Vec<u8>) {
        let Settings { loss, burst, reorder, reorder_ms, duplicate, delay_ms, .. } = self.settings;
        let mut lost = self.chance(loss);
        if let Some(burst) = burst {
            let turn = if self.in_burst { burst.leave } else { burst.enter };
            if self.chance(turn) {
                self.in_burst = !self.in_burst;
            }
            lost |= self.in_burst && self.chance(burst.loss);
        }
        if lost {
            self.counters.lost += 1;
            return;
        }
        let mut arrives = now + milliseconds(delay_ms + self.jitter(now));
        if self.chance(reorder) {
            self.counters.reordered += 1;
            arrives += milliseconds(reorder_ms);
        } else {
            arrives = arrives.max(self.last_arrival);
            self.last_arrival = arrives;
        }
        if self.chance(duplicate) {
            self.counters.doubled += 1;
            self.fly(arrives, packet.clone());
        }
        self.fly(arrives, packet);
    }

    fn fly(&mut self, arrives: Duration, packet: Vec<u8>) {
        self.number += 1;
        self.flying.push(Reverse(Flying { arrives, number: self.number, packet }));
    }

    fn jitter(&mut self, now: Duration) -> f64 {
        if self.settings.jitter_ms <= 0.0 {
            return 0.0;
        }
        let step = Settings::JITTER_STEP.as_nanos();
        let wanted = now.as_nanos() / step + 1;
        // After a long pause two new values are as good as all those between.
        if wanted > self.jitter.step + 2 {
            self.jitter.step = wanted - 2;
        }
        while self.jitter.step < wanted {
            self.jitter = Jitter { step: self.jitter.step + 1, from: self.jitter.to, to: self.share() };
        }
        let along = (now.as_nanos() % step) as f64 / step as f64;
        (self.jitter.from + (self.jitter.to - self.jitter.from) * along) * self.settings.jitter_ms
    }

    /// 0 to 1, without 1.
    fn share(&mut self) -> f64 {
        f64::from(self.random.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }
}

fn milliseconds(value: f64) -> Duration {
    Duration::from_secs_f64(value.max(0.0) / 1000.0)
}

#[cfg(test)]
mod tests;
