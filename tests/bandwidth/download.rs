//! A download beside us: TCP as it has been since RFC 5681 (slow start, a half after a loss, a packet more each round
//! trip), which fills whatever queue the link has.

use crate::bottleneck::Bottleneck;
use std::collections::VecDeque;

/// Both ways, beside the queue: servers of files are somewhat further away than we are.
const WAYS_US: u64 = 50_000;
const PACKET: usize = 1440;

pub struct Download {
    from: u64,
    to: u64,
    /// Packets that may be on their way.
    window: f64,
    threshold: f64,
    /// When something is heard of each packet on its way, and whether it arrived.
    flying: VecDeque<(u64, bool)>,
    /// Losses until then are those of the last halving.
    halved_until: u64,
    round_trip: u64,
    pub arrived: u64,
}

impl Download {
    /// Lasts from and to these microseconds.
    pub fn new(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            window: 10.0,
            threshold: f64::INFINITY,
            flying: VecDeque::new(),
            halved_until: 0,
            round_trip: WAYS_US,
            arrived: 0,
        }
    }

    pub fn poll(&mut self, link: &mut Bottleneck, now: u64) {
        while let Some((_, arrived)) = self.flying.front().copied().filter(|(heard, _)| *heard <= now) {
            self.flying.pop_front();
            if arrived {
                self.arrived += PACKET as u64;
                self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window };
            } else if now >= self.halved_until {
                self.window = (self.window / 2.0).max(2.0);
                self.threshold = self.window;
                self.halved_until = now + self.round_trip;
            }
        }
        while (self.from..self.to).contains(&now) && (self.flying.len() as f64) < self.window {
            let through = link.pass(now, PACKET);
            if let Some(through) = through {
                self.round_trip = through - now + WAYS_US;
            }
            // What was lost is missed when the next one comes.
            self.flying.push_back((now + self.round_trip, through.is_some()));
        }
    }
}
