//! Loss and jitter of one received stream (RFC 3550 appendices A.3 and A.8). Is told the time.

use crate::rtp::rtcp::{Ntp, ReportBlock, to_short};
use std::time::{Duration, Instant};

/// A change of transit time beyond this is a jump of the sender's clock, not jitter.
const MAX_TRANSIT_CHANGE: u64 = 5;

/// Counters since the first packet.
#[derive(Debug)]
pub(super) struct Statistics {
    clock_rate: u32,
    received: u64,
    span: Option<Span>,
    transit: Option<Transit>,
    /// In 1/16 ticks.
    jitter: u32,
    prior_expected: u64,
    prior_received: u64,
    /// Expected and lost between the last two reports.
    interval: (u64, u64),
    last_sender_report: Option<(Instant, Ntp)>,
}

/// The lowest and the highest number.
#[derive(Debug, Clone, Copy)]
struct Span {
    lowest: u64,
    highest: u64,
}

impl Span {
    const fn expected(self) -> u64 {
        self.highest - self.lowest + 1
    }
}

/// Against what transit times are measured: the first arrival, and the latest transit in ticks.
#[derive(Debug, Clone, Copy)]
struct Transit {
    epoch: Instant,
    last: u32,
}

impl Statistics {
    pub(super) const fn new(clock_rate: u32) -> Statistics {
        Statistics {
            clock_rate,
            received: 0,
            span: None,
            transit: None,
            jitter: 0,
            prior_expected: 0,
            prior_received: 0,
            interval: (0, 0),
            last_sender_report: None,
        }
    }

    pub(super) fn on_packet(&mut self, now: Instant, number: u64, timestamp: u32) {
        self.received += 1;
        let in_order = self.span.is_none_or(|span| number > span.highest);
        self.span = Some(match self.span {
            Some(Span { lowest, highest }) => Span { lowest: lowest.min(number), highest: highest.max(number) },
            None => Span { lowest: number, highest: number },
        });
        // A late packet says how it was held up, not how the stream arrives.
        if in_order {
            self.update_jitter(now, timestamp);
        }
    }

    fn update_jitter(&mut self, now: Instant, timestamp: u32) {
        let epoch = self.transit.map_or(now, |transit| transit.epoch);
        let last = self.ticks(now.saturating_duration_since(epoch)).wrapping_sub(timestamp);
        if let Some(transit) = self.transit {
            let change = (last.wrapping_sub(transit.last) as i32).unsigned_abs();
            if u64::from(change) < MAX_TRANSIT_CHANGE * u64::from(self.clock_rate) {
                self.jitter = self.jitter.saturating_add(change).saturating_sub((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(Transit { epoch, last });
    }

    fn ticks(&self, duration: Duration) -> u32 {
        let rate = u64::from(self.clock_rate);
        let fraction = u64::from(duration.subsec_nanos()) * rate / 1_000_000_000;
        duration.as_secs().wrapping_mul(rate).wrapping_add(fraction) as u32
    }

    pub(super) fn on_sender_report(&mut self, now: Instant, ntp: Ntp) {
        self.last_sender_report = Some((now, ntp));
    }

    pub(super) fn report(&mut self, now: Instant, ssrc: u32) -> Option<ReportBlock> {
        let span = self.span?;
        let expected = span.expected();
        // More can be received than expected in an interval in which early packets came late.
        let expected_since = expected - self.prior_expected;
        let lost_since = expected_since.saturating_sub(self.received - self.prior_received);
        self.interval = (expected_since, lost_since);
        self.prior_expected = expected;
        self.prior_received = self.received;
        let fraction_lost = match (lost_since * 256).checked_div(expected_since) {
            Some(fraction) => u8::try_from(fraction).unwrap_or(u8::MAX),
            None => 0,
        };
        let lost = i64::try_from(expected).unwrap_or(i64::MAX) - i64::try_from(self.received).unwrap_or(i64::MAX);
        let (last_sender_report, delay_since) = match self.last_sender_report {
            Some((at, ntp)) => (ntp.middle(), to_short(now.saturating_duration_since(at))),
            None => (0, 0),
        };
        Some(ReportBlock {
            ssrc,
            fraction_lost,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            // Unwrapped numbers begin in the second cycle, reports in the first.
            highest_sequence: span.highest.wrapping_sub(1 << 16) as u32,
            jitter: self.jitter >> 4,
            last_sender_report,
            delay_since,
        })
    }

    pub(super) const fn last_interval(&self) -> (u64, u64) {
        self.interval
    }

    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn jitter(&self) -> Duration {
        let nanos = (u64::from(self.jitter >> 4) * 1_000_000_000).checked_div(u64::from(self.clock_rate));
        Duration::from_nanos(nanos.unwrap_or_default())
    }
}
