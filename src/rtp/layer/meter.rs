//! What the temporal and spatial layers within one stream take, and which of them arrive. Knows no subscribers.

use super::{SILENT_AFTER, STOPPED_AFTER};
use crate::rtp::scalability::{MAX_SPATIAL, MAX_TEMPORAL, STEPS, Scalability, Step, Steps};
use std::time::{Duration, Instant};

/// A publisher that says with each packet that it goes on with fewer layers is not listened to each time.
const LOOK: Duration = Duration::from_millis(100);

/// Bytes of each step and when each layer was last seen.
#[derive(Debug)]
pub(super) struct StepMeter {
    /// Of what all steps need.
    common_bytes: u64,
    window_bytes: [u64; STEPS],
    rates: [Option<u32>; STEPS],
    spatial: [Option<Instant>; MAX_SPATIAL as usize],
    temporal: [Option<Instant>; MAX_TEMPORAL as usize],
    newest: Option<Instant>,
    keyed: bool,
    /// The highest layers that the publisher says it goes on with,
    sent: Step,
    /// which are fewer than before.
    changed: bool,
    looked: Option<Instant>,
}

impl Default for StepMeter {
    fn default() -> Self {
        Self {
            common_bytes: 0,
            window_bytes: [0; STEPS],
            rates: [None; STEPS],
            spatial: [None; MAX_SPATIAL as usize],
            temporal: [None; MAX_TEMPORAL as usize],
            newest: None,
            keyed: false,
            sent: Step::ALL,
            changed: false,
            looked: None,
        }
    }
}

impl StepMeter {
    pub(super) fn handle_packet(&mut self, now: Instant, bytes: usize, packet: &Scalability) {
        self.newest = Some(now);
        self.spatial[usize::from(packet.spatial)] = Some(now);
        self.temporal[usize::from(packet.temporal)] = Some(now);
        if packet.needed == Steps::ALL {
            self.common_bytes += bytes as u64;
        } else {
            for step in Step::each().filter(|step| packet.needed.has(*step)) {
                self.window_bytes[step.index()] += bytes as u64;
            }
        }
        if packet.spatial == 0 && packet.starts && packet.switch != Steps::ALL {
            self.keyed = !packet.needed.has(Step::ALL);
        }
    }

    /// What the publisher says in its newest packet.
    pub(super) fn note_sent(&mut self, now: Instant, sent: Step) {
        let before = std::mem::replace(&mut self.sent, sent);
        let fewer = sent.spatial() < before.spatial() || sent.temporal() < before.temporal();
        if fewer && self.looked.is_none_or(|at| now.saturating_duration_since(at) >= LOOK) {
            (self.changed, self.looked) = (true, Some(now));
        }
    }

    pub(super) const fn take_change(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    pub(super) fn end_window(&mut self, elapsed: Duration) {
        for (rate, bytes) in self.rates.iter_mut().zip(&mut self.window_bytes) {
            let bytes = std::mem::take(bytes) + self.common_bytes;
            let now = bytes as f64 * 8.0 / elapsed.as_secs_f64();
            *rate = Some(rate.map_or(now, |before| f64::from(before) * 0.5 + now * 0.5) as u32);
        }
        self.common_bytes = 0;
    }

    /// A spatial layer that stopped while others went on is gone sooner than a temporal one, whose pictures are few.
    fn has(&self, now: Instant, seen: Option<Instant>, patience: Duration) -> bool {
        let newest = self.newest.unwrap_or(now);
        seen.is_some_and(|at| newest.saturating_duration_since(at) < patience)
    }

    pub(super) fn top(&self, now: Instant) -> Step {
        let highest = |seen: &[Option<Instant>], patience| {
            (0..).zip(seen).filter(|(_, at)| self.has(now, **at, patience)).map(|(layer, _)| layer).max().unwrap_or(0)
        };
        let spatial = highest(&self.spatial, STOPPED_AFTER).min(self.sent.spatial());
        Step::new(spatial, highest(&self.temporal, SILENT_AFTER).min(self.sent.temporal()))
    }

    /// Bits per second, where its packets arrive. Before the first window is over, what came counts as if it took a
    /// whole one.
    pub(super) fn rate(&self, now: Instant, step: Step) -> Option<u32> {
        let index = step.index();
        let arrives = step.spatial() <= self.sent.spatial()
            && self.has(now, self.spatial[usize::from(step.spatial())], STOPPED_AFTER);
        let bytes = self.window_bytes[index] + self.common_bytes;
        let rate = self.rates[index].unwrap_or(u32::try_from(bytes * 8).unwrap_or(u32::MAX));
        arrives.then_some(rate)
    }

    pub(super) const fn is_keyed(&self) -> bool {
        self.keyed
    }
}
