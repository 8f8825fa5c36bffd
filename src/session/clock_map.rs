//! The one clock map (design §4.11): when, by the server's clock, a packet's content was captured.
//! For sender reports to subscribers, recording and program date time. Knows no packets, only times.
//!
//! A participant's own tracks are aligned by their sender reports, since those share one clock;
//! participants among each other by arrival, since their clocks may be hours apart or absent: the
//! smallest of the delays in a window is taken for the way's own.

use std::time::{Duration, Instant};

/// The smallest delay is looked for in windows of this length; the last whole window and the running one count.
const WINDOW: Duration = Duration::from_secs(20);

/// The smallest of some values over a sliding window of two halves.
#[derive(Debug, Clone, Copy)]
struct Smallest {
    running: Option<i64>,
    last: Option<i64>,
    since: Option<Instant>,
}

impl Smallest {
    const fn new() -> Self {
        Self { running: None, last: None, since: None }
    }

    fn add(&mut self, now: Instant, value: i64) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) > WINDOW {
            self.last = self.running.take();
            self.since = Some(now);
        }
        self.running = Some(self.running.map_or(value, |smallest| smallest.min(value)));
    }

    fn get(&self) -> Option<i64> {
        self.running.into_iter().chain(self.last).min()
    }
}

/// A participant's clock against the server's.
#[derive(Debug, Clone, Copy)]
pub struct SenderClock {
    /// Server time minus sender time, in nanoseconds.
    offset: Smallest,
}

impl SenderClock {
    /// A clock of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { offset: Smallest::new() }
    }

    /// A sender report came: its NTP time in nanoseconds, and the server's time at arrival in
    /// nanoseconds since the server's own start.
    pub fn handle_report(&mut self, now: Instant, sender_ns: i64, server_ns: i64) {
        self.offset.add(now, server_ns.wrapping_sub(sender_ns));
    }
}

impl Default for SenderClock {
    fn default() -> Self {
        Self::new()
    }
}

/// One stream's RTP time.
#[derive(Debug, Clone, Copy)]
pub struct StreamClock {
    rate: u32,
    /// RTP timestamp and sender's time of the newest sender report.
    report: Option<(u32, i64)>,
    /// Timestamp and server time of a packet that all arrival delays are measured from.
    base: Option<(u32, i64)>,
    delay: Smallest,
}

impl StreamClock {
    /// A stream with so many ticks a second, of which nothing is known.
    #[must_use]
    pub const fn new(rate: u32) -> Self {
        Self { rate, report: None, base: None, delay: Smallest::new() }
    }

    fn ns_since(&self, from: u32, timestamp: u32) -> i64 {
        i64::from(timestamp.wrapping_sub(from) as i32) * 1_000_000_000 / i64::from(self.rate.max(1))
    }

    /// A packet arrived.
    pub fn handle_packet(&mut self, now: Instant, timestamp: u32, server_ns: i64) {
        let (from, at) = *self.base.get_or_insert((timestamp, server_ns));
        let media = self.ns_since(from, timestamp);
        self.delay.add(now, server_ns.wrapping_sub(at).wrapping_sub(media));
        // RTP time wraps after hours; the base moves along long before half of that.
        if media > 3_600_000_000_000 {
            self.base = Some((timestamp, at.wrapping_add(media)));
        }
    }

    /// A sender report came.
    pub fn handle_report(&mut self, timestamp: u32, sender_ns: i64) {
        self.report = Some((timestamp, sender_ns));
    }

    /// When the content with this timestamp was captured, in the server's nanoseconds: by the sender's
    /// reports where there are any, else by arrival.
    #[must_use]
    pub fn server_ns(&self, clock: &SenderClock, timestamp: u32) -> Option<i64> {
        if let (Some((from, sender_ns)), Some(offset)) = (self.report, clock.offset.get()) {
            return Some(sender_ns.wrapping_add(self.ns_since(from, timestamp)).wrapping_add(offset));
        }
        let (from, at) = self.base?;
        Some(at.wrapping_add(self.ns_since(from, timestamp)).wrapping_add(self.delay.get()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_participants_sound_and_picture_are_aligned_by_its_reports_whatever_its_clock_says() {
        let now = start();
        let mut clock = SenderClock::new();
        let (mut sound, mut picture) = (StreamClock::new(48_000), StreamClock::new(90_000));
        let hours_off = 5 * 3_600_000 * MS;
        // The picture's packets are 80 ms later on the way than the sound's.
        sound.handle_packet(now, 1_000, 100 * MS);
        picture.handle_packet(now, 7_000_000, 180 * MS);
        clock.handle_report(now, hours_off + 90 * MS, 100 * MS);
        clock.handle_report(now, hours_off + 90 * MS, 180 * MS);
        sound.handle_report(1_000, hours_off + 90 * MS);
        picture.handle_report(7_000_000, hours_off + 90 * MS);
        let heard = sound.server_ns(&clock, 1_000 + 48_000).expect("known");
        let seen = picture.server_ns(&clock, 7_000_000 + 90_000).expect("known");
        assert_eq!(heard, seen);
        assert_eq!(heard, 1_100 * MS);
    }

    #[test]
    fn without_reports_the_quickest_arrival_decides() {
        let now = start();
        let mut stream = StreamClock::new(90_000);
        for (frame, late) in [(0_u32, 40), (1, 3), (2, 60), (3, 25)] {
            stream.handle_packet(now, frame.wrapping_mul(3_000), (i64::from(frame) * 1000 / 30 + late) * MS);
        }
        let at = stream.server_ns(&SenderClock::new(), 9_000).expect("known");
        assert!((at - 103 * MS).abs() < MS, "{at}");
    }
}
