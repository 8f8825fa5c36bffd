//! Bytes over time: how much was sent, or arrived, lately. Knows no packets and no clock, only moments that it is told.

/// One step of the memory, in microseconds: shorter than a frame lasts, longer than feedback's own steps.
const STEP_US: u64 = 20_000;

/// Steps that are remembered: 1.28 s.
const STEPS: u64 = 64;

/// Bytes of the last second, by the moment of each packet on one clock.
#[derive(Debug)]
pub(super) struct Meter {
    /// A step's place is its number modulo the length.
    bytes: [u32; STEPS as usize],
    first: Option<u64>,
    newest: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { bytes: [0; STEPS as usize], first: None, newest: 0 }
    }
}

impl Meter {
    /// Bytes at a moment in microseconds; moments may come a little out of order.
    pub(super) fn add(&mut self, us: u64, bytes: u32) {
        let step = us / STEP_US;
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
