//! Bytes over time: how much was sent, or arrived, lately. Knows no packets and no clock, only moments that it is told.

/// One step of the memory, in microseconds: shorter than a frame lasts, longer than feedback's own steps.
const STEP_US: u64 = 20_000;

/// Steps that are remembered: 1.28 s.
const STEPS: u64 = 64;

/// Where nothing came for so long, what comes after is measured by itself.
const GAP_US: u64 = 100_000;

/// Less time after a gap measures nothing.
const RESUMED_US: u64 = 15_000;

/// Bytes of the last second, by the moment of each packet on one clock.
#[derive(Debug)]
pub(super) struct Meter {
    /// A step's place is its number modulo the length.
    bytes: [u32; STEPS as usize],
    first: Option<u64>,
    newest: u64,
    /// The newest moment, the first one after the last gap, and the bytes since that one.
    last_us: u64,
    resumed_us: u64,
    since: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { bytes: [0; STEPS as usize], first: None, newest: 0, last_us: 0, resumed_us: 0, since: 0 }
    }
}

impl Meter {
    /// Bytes at a moment in microseconds; moments may come a little out of order.
    pub(super) fn add(&mut self, us: u64, bytes: u32) {
        let step = us / STEP_US;
        if us > self.last_us + GAP_US {
            (self.resumed_us, self.since) = (us, 0);
        } else if us > self.resumed_us {
            self.since += u64::from(bytes);
        }
        self.last_us = self.last_us.max(us);
        match self.first {
            None => (self.first, self.newest) = (Some(step), step),
            Some(_) if step > self.newest => {
                let skipped = (step - self.newest).min(STEPS);
                (step + 1 - skipped..=step).for_each(|step| self.bytes[(step % STEPS) as usize] = 0);
                self.newest = step;
            }
            Some(_) if step + STEPS <= self.newest => return,
            Some(_) => {}
        }
        let place = &mut self.bytes[(step % STEPS) as usize];
        *place = place.saturating_add(bytes);
    }

    /// As [`Meter::rate`], but a gap is no low rate: where one ended within the span, only what came after it counts,
    /// and `None` where that is too little yet.
    pub(super) fn rate_without_gap(&self, span_us: u64) -> Option<f64> {
        let elapsed = self.last_us - self.resumed_us;
        if elapsed >= span_us {
            return self.rate(span_us);
        }
        (elapsed >= RESUMED_US).then(|| self.since as f64 * 8e6 / elapsed as f64)
    }

    /// Bits per second in the `span_us` before the newest step, which is not over yet and does not count. `None` while
    /// less than half of the span has been seen.
    pub(super) fn rate(&self, span_us: u64) -> Option<f64> {
        let first = self.first?;
        let wanted = (span_us / STEP_US).clamp(1, STEPS - 1);
        let steps = wanted.min(self.newest.saturating_sub(first));
        if steps * 2 < wanted {
            return None;
        }
        let sum: u64 =
            (self.newest - steps..self.newest).map(|step| u64::from(self.bytes[(step % STEPS) as usize])).sum();
        Some(sum as f64 * 8.0 * 1e6 / (steps * STEP_US) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_a_steady_stream_and_its_end() {
        let mut meter = Meter::default();
        assert_eq!(meter.rate(500_000), None);
        for packet in 0..200_u64 {
            meter.add(packet * 10_000, 1250);
        }
        for span in [100_000, 500_000, 1_000_000] {
            assert!((meter.rate(span).unwrap_or_default() - 1e6).abs() < 1e4, "{:?}", meter.rate(span));
        }
        meter.add(2_480_000, 10);
        assert!(meter.rate(400_000).unwrap_or_default() < 1.0);
        meter.add(60_000_000, 10);
        assert_eq!(meter.rate(1_000_000), Some(0.0));
    }

    #[test]
    fn what_comes_after_a_gap_is_measured_by_itself() {
        let mut meter = Meter::default();
        let mut at = 0;
        for _ in 0..100 {
            at += 10_000;
            meter.add(at, 1250);
        }
        assert!((meter.rate_without_gap(160_000).unwrap_or_default() - 1e6).abs() < 1e5);
        at += 300_000;
        meter.add(at, 1250);
        assert_eq!(meter.rate_without_gap(160_000), None);
        for _ in 0..10 {
            at += 2_000;
            meter.add(at, 1250);
        }
        assert!((meter.rate_without_gap(160_000).unwrap_or_default() - 5e6).abs() < 1.0);
        assert!(meter.rate(160_000).unwrap_or_default() < 1e6);
    }

    #[test]
    fn what_comes_late_counts_where_it_belongs() {
        let mut meter = Meter::default();
        for packet in 0..100_u64 {
            meter.add((packet ^ 3) * 10_000, 1250);
        }
        assert!((meter.rate(500_000).unwrap_or_default() - 1e6).abs() < 6e4);
        meter.add(0, u32::MAX);
        assert!(meter.rate(500_000).unwrap_or_default() < 2e6);
    }
}
