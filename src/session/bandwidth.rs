//! How much a subscriber's link takes: a send-side estimate from transport-wide feedback.
//! Knows no tracks and no packets, only what was sent when, and what of it arrived when.
//!
//! Simple on purpose: it goes down on loss or a standing queue to what really arrived, and feels its way
//! up while neither shows. The full one with probe clusters comes with the networks issue.

use std::time::{Duration, Instant};

/// Enough for a few faces; a thin link shows itself within the first second.
const START: f64 = 3_000_000.0;

/// Below this nothing but sound is possible, and sound is not held back.
const MIN: f64 = 60_000.0;

/// No single subscriber is sent more.
const MAX: f64 = 50_000_000.0;

/// Over this many milliseconds of standing queue the link is full.
const QUEUE_LIMIT_MS: f64 = 120.0;

/// Over this share lost, the link is full; below, loss is the radio's.
const LOSS_LIMIT: f64 = 0.10;

/// How much of what arrived is used after the link was full.
const BACK_OFF: f64 = 0.85;

/// Below this share of the estimate sent, what arrived tells how little was sent, not what the link takes:
/// the estimate is halved instead, and a link that is really full halves it again.
const TESTED: f64 = 0.5;

/// Growth per second while nothing speaks against it.
const GROWTH: f64 = 1.08;

/// The same after [`CALM`]: what took the link away was a stall, not its width.
const RECOVERY: f64 = 1.5;

/// On a link that is full, growth fills the queue again earlier than this after a step down.
const CALM: Duration = Duration::from_secs(4);

/// Recovery ends where everybody starts; above, the link is felt for slowly.
const RECOVERED: f64 = START;

/// Feedback is judged in windows of this length.
const WINDOW: Duration = Duration::from_millis(400);

/// For how long the smallest delay counts as that of an empty queue.
const BASE_MEMORY: Duration = Duration::from_secs(10);

/// After a step down, what is on the way already must not cause the next.
const SETTLE: Duration = Duration::from_millis(800);

/// One packet that feedback tells of.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// When it left.
    pub sent: Instant,
    /// Its bytes on the wire.
    pub bytes: u32,
    /// When it arrived, by the receiver's clock from an arbitrary start; `None` when it did not.
    pub arrived: Option<Duration>,
}

/// The estimate of one subscriber.
#[derive(Debug)]
pub struct Bandwidth {
    estimate: f64,
    epoch: Option<Instant>,
    window_start: Option<Instant>,
    window_bytes: u64,
    window_sent: u64,
    received: u32,
    lost: u32,
    queue_ms: f64,
    base_ms: f64,
    next_base_ms: f64,
    base_since: Option<Instant>,
    stepped_down: Option<Instant>,
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self {
            estimate: START,
            epoch: None,
            window_start: None,
            window_bytes: 0,
            window_sent: 0,
            received: 0,
            lost: 0,
            queue_ms: 0.0,
            base_ms: f64::INFINITY,
            next_base_ms: f64::INFINITY,
            base_since: None,
            stepped_down: None,
        }
    }
}

impl Bandwidth {
    /// Bits per second.
    #[must_use]
    pub fn estimate(&self) -> u32 {
        self.estimate as u32
    }

    /// One packet of a feedback message.
    pub fn handle_report(&mut self, now: Instant, report: Report) {
        let epoch = *self.epoch.get_or_insert(report.sent);
        self.window_start.get_or_insert(now);
        self.window_sent += u64::from(report.bytes);
        let Some(arrived) = report.arrived else {
            self.lost += 1;
            return;
        };
        self.received += 1;
        self.window_bytes += u64::from(report.bytes);
        let sent_ms = report.sent.saturating_duration_since(epoch).as_secs_f64() * 1000.0;
        let delay = arrived.as_secs_f64() * 1000.0 - sent_ms;
        self.forget_base(now);
        self.base_ms = self.base_ms.min(delay);
        self.next_base_ms = self.next_base_ms.min(delay);
        self.queue_ms += (delay - self.base_ms - self.queue_ms) * 0.1;
    }

    fn forget_base(&mut self, now: Instant) {
        let since = *self.base_since.get_or_insert(now);
        if now.saturating_duration_since(since) > BASE_MEMORY {
            self.base_ms = self.next_base_ms;
            self.next_base_ms = f64::INFINITY;
            self.base_since = Some(now);
        }
    }

    /// The end of a feedback message: the estimate may move. Returns whether it did by much (5 %).
    pub fn handle_feedback_end(&mut self, now: Instant) -> bool {
        let Some(start) = self.window_start else { return false };
        let elapsed = now.saturating_duration_since(start);
        if elapsed < WINDOW || self.received + self.lost < 10 {
            return false;
        }
        let seconds = elapsed.as_secs_f64();
        let arrived = self.window_bytes as f64 * 8.0 / seconds;
        let loss = f64::from(self.lost) / f64::from(self.received + self.lost);
        let before = self.estimate;
        let settling = self.stepped_down.is_some_and(|at| now.saturating_duration_since(at) < SETTLE);
        if (loss > LOSS_LIMIT || self.queue_ms > QUEUE_LIMIT_MS) && !settling {
            let sent = self.window_sent as f64 * 8.0 / seconds;
            let untested = if sent < self.estimate * TESTED { self.estimate / 2.0 } else { 0.0 };
            self.estimate = self.estimate.min(untested.max(arrived * BACK_OFF));
            self.stepped_down = Some(now);
        } else if loss < LOSS_LIMIT / 5.0 && self.queue_ms < QUEUE_LIMIT_MS / 2.0 {
            let calm = self.stepped_down.is_some_and(|at| now.saturating_duration_since(at) > CALM);
            let growth = if calm && self.estimate < RECOVERED { RECOVERY } else { GROWTH };
            self.estimate *= growth.powf(seconds);
        }
        self.estimate = self.estimate.clamp(MIN, MAX);
        self.window_start = Some(now);
        self.window_bytes = 0;
        self.window_sent = 0;
        self.received = 0;
        self.lost = 0;
        (self.estimate / before - 1.0).abs() > 0.05
    }

    /// What a receiver without transport-wide feedback says (REMB), in bits per second.
    pub fn handle_remb(&mut self, bits_per_second: u64) {
        self.estimate = (bits_per_second as f64).clamp(MIN, MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends at the estimate (never over `rate_limit`) through a link of `link` bit/s with a queue.
    fn run(bandwidth: &mut Bandwidth, start: Instant, seconds: u64, link: f64, offered: f64) -> (Instant, f64) {
        let mut now = start;
        let mut free_at = 0.0_f64;
        let mut worst: f64 = 0.0;
        let base = now;
        let mut inbox: Vec<Report> = Vec::new();
        for ms in 0..seconds * 1000 {
            now = start + Duration::from_millis(ms);
            let rate = offered.min(f64::from(bandwidth.estimate()));
            if ms % 5 == 0 {
                let bytes = rate / 8.0 * 0.005;
                let at = ms as f64 / 1000.0;
                free_at = free_at.max(at) + bytes * 8.0 / link;
                let queue = free_at - at;
                worst = if ms > seconds * 500 { worst.max(queue) } else { 0.0 };
                let lost = queue > 0.6;
                if lost {
                    free_at -= bytes * 8.0 / link;
                }
                let arrived = (!lost).then(|| now.duration_since(base) + Duration::from_secs_f64(queue + 5.0));
                inbox.push(Report { sent: now, bytes: bytes as u32, arrived });
            }
            if ms % 100 == 99 {
                for report in inbox.drain(..) {
                    bandwidth.handle_report(now, report);
                }
                bandwidth.handle_feedback_end(now);
            }
        }
        (now, worst)
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn it_finds_a_thin_link_and_leaves_no_standing_queue() {
        let mut bandwidth = Bandwidth::default();
        let (_, queue) = run(&mut bandwidth, start(), 20, 500_000.0, 2_500_000.0);
        assert!((250_000..=620_000).contains(&bandwidth.estimate()), "{}", bandwidth.estimate());
        assert!(queue < 0.4, "{queue}");
    }

    #[test]
    fn a_stall_while_little_is_sent_does_not_take_the_link_away() {
        let mut bandwidth = Bandwidth::default();
        let (mut now, _) = run(&mut bandwidth, start(), 5, 100_000_000.0, 100_000.0);
        let began = now;
        // One second in which nothing moves, and then everything at once.
        for packet in 0..50 {
            let sent = now + Duration::from_millis(packet * 20);
            let arrived = Some(Duration::from_secs(11));
            bandwidth.handle_report(began + Duration::from_secs(1), Report { sent, bytes: 250, arrived });
        }
        now = began + Duration::from_millis(1_100);
        bandwidth.handle_feedback_end(now);
        assert!(bandwidth.estimate() > 1_000_000, "{}", bandwidth.estimate());
    }

    #[test]
    fn it_recovers_from_a_stall_of_a_wide_link() {
        let mut bandwidth = Bandwidth::default();
        let (stalled, _) = run(&mut bandwidth, start(), 2, 60_000.0, 2_000_000.0);
        assert!(bandwidth.estimate() < 150_000, "{}", bandwidth.estimate());
        run(&mut bandwidth, stalled, 14, 100_000_000.0, 2_000_000.0);
        assert!(bandwidth.estimate() > 1_000_000, "{}", bandwidth.estimate());
    }

    #[test]
    fn it_grows_on_a_wide_link() {
        let mut bandwidth = Bandwidth::default();
        run(&mut bandwidth, start(), 10, 100_000_000.0, 2_000_000.0);
        assert!(bandwidth.estimate() > 5_000_000);
    }
}
