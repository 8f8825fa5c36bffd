//! How good a connection is, in the three steps that people read. Knows only loss and round trips.

use signaling::protocol::Quality;
use std::time::{Duration, Instant};

/// A step is reported when it has held this long: a lost packet is no news.
const HOLDS: Duration = Duration::from_secs(2);

/// 256ths lost from which loss can be noticed in spite of repair; and from which it is hardly usable.
const FAIR_LOSS: f32 = 0.04 * 256.0;
const POOR_LOSS: f32 = 0.15 * 256.0;

/// Round trips from which people begin to talk over each other; and from which talk breaks down.
const FAIR_ROUND_TRIP: Duration = Duration::from_millis(300);
const POOR_ROUND_TRIP: Duration = Duration::from_millis(700);

/// The quality of one connection.
#[derive(Debug, Default)]
pub(super) struct QualityMeter {
    uplink: f32,
    downlink: f32,
    round_trip: Duration,
    reported: Option<Quality>,
    candidate: Option<(Quality, Instant)>,
}

impl QualityMeter {
    /// What our receiver reports to the peer say, in 256ths.
    pub(super) fn handle_uplink(&mut self, fraction_lost: u8) {
        self.uplink += (f32::from(fraction_lost) - self.uplink) * 0.3;
    }

    /// What the peer's receiver reports say.
    pub(super) fn handle_downlink(&mut self, fraction_lost: u8, round_trip: Option<Duration>) {
        self.downlink += (f32::from(fraction_lost) - self.downlink) * 0.1;
        if let Some(round_trip) = round_trip {
            self.round_trip = (self.round_trip * 3 + round_trip) / 4;
        }
    }

    fn judge(&self) -> Quality {
        let loss = self.uplink.max(self.downlink);
        if loss >= POOR_LOSS || self.round_trip >= POOR_ROUND_TRIP {
            Quality::Poor
        } else if loss >= FAIR_LOSS || self.round_trip >= FAIR_ROUND_TRIP {
            Quality::Fair
        } else {
            Quality::Good
        }
    }

    /// The quality, where it changed and has held.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Quality> {
        let quality = self.judge();
        if self.reported.unwrap_or(Quality::Good) == quality {
            self.candidate = None;
            return None;
        }
        let since = match self.candidate {
            Some((candidate, since)) if candidate == quality => since,
            _ => {
                self.candidate = Some((quality, now));
                now
            }
        };
        if now.saturating_duration_since(since) < HOLDS {
            return None;
        }
        self.candidate = None;
        self.reported = Some(quality);
        Some(quality)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn loss_that_lasts_is_reported_once_and_so_is_its_end() {
        let start = Instant::now();
        let mut meter = QualityMeter::default();
        let mut reports = Vec::new();
        for second in 0..60_u64 {
            meter.handle_uplink(if (10..30).contains(&second) { 60 } else { 0 });
            reports.extend(meter.poll(start + Duration::from_secs(second)));
        }
        assert_eq!(reports, [Quality::Poor, Quality::Fair, Quality::Good]);
    }
}
