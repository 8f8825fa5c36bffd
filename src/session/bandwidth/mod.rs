//! How much a subscriber's link takes: a send-side estimate from transport-wide feedback, and the probes that it
//! asks for before it goes up. Knows no tracks and no packets, only what was sent when, and what of it arrived when.
//!
//! The way of what feedback tells: `queue` (does a queue stand?), `meter` (how much arrives?), `loss` and
//! `probe`, and from all of them `control` makes the estimate. Nothing of it runs when a packet is sent.

mod control;
mod loss;
mod meter;
mod probe;
mod queue;

use control::{Control, Heard, Outcome};
use loss::Loss;
use meter::Meter;
pub use probe::Demand;
use probe::{Found, Probes};
use queue::Queue;
use std::time::{Duration, Instant};

/// Enough for a face; the first probe comes with the first packets and shows what there is.
const START: f64 = 1_000_000.0;

/// Below this nothing but sound is possible, and sound is not held back.
const MIN: f64 = 30_000.0;

/// No single subscriber is sent more.
const MAX: f64 = 50_000_000.0;

/// What arrived is measured over this long when the link is full, and over this long else, in microseconds.
const SHORT_US: u64 = 160_000;
const LAST_US: u64 = 60_000;
const LONG_US: u64 = 500_000;

/// How much of what a probe measured is used.
const PROBED: f64 = 0.95;

/// From so many times the estimate on, what arrived of a probe that filled the link is believed.
const MUCH_MORE: f64 = 1.5;

/// After so many [`Bandwidth::handle_silence`] in a row with packets sent and nothing heard, the link is dead.
const DEAD_AFTER: u32 = 6;

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
    control: Control,
    queue: Queue,
    arrived: Meter,
    sent: Meter,
    loss: Loss,
    probes: Probes,
    /// Where microseconds begin.
    epoch: Option<Instant>,
    heard_us: Option<u64>,
    /// The newest packet that feedback told of.
    told_us: u64,
    /// Looks in a row at which packets had been sent and no feedback had come.
    silent: u32,
    /// Feedback came since that was last looked at.
    heard: bool,
    reported: f64,
    guess: bool,
    /// What left before went another way.
    way_since: Option<Instant>,
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self::starting_at(START)
    }
}

impl Bandwidth {
    fn starting_at(estimate: f64) -> Self {
        Self {
            control: Control::new(estimate, (MIN, MAX)),
            queue: Queue::default(),
            arrived: Meter::default(),
            sent: Meter::default(),
            loss: Loss::default(),
            probes: Probes::default(),
            epoch: None,
            heard_us: None,
            told_us: 0,
            silent: 0,
            heard: false,
            reported: estimate,
            guess: true,
            way_since: None,
        }
    }

    /// Of a peer that is told only when there is something to tell: nothing is thought of its link before it was full.
    #[must_use]
    pub fn unbounded() -> Self {
        Self::starting_at(MAX)
    }

    /// Bits per second; 0 while the link is dead.
    #[must_use]
    pub fn estimate(&self) -> u32 {
        if self.is_dead() { 0 } else { self.control.estimate as u32 }
    }

    /// Packets leave and nothing is heard of them any more.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.silent >= DEAD_AFTER
    }

    fn us(&mut self, at: Instant) -> u64 {
        at.saturating_duration_since(*self.epoch.get_or_insert(at)).as_micros() as u64
    }

    fn begin_anew(&mut self) {
        let (estimate, demand) = (self.control.estimate.min(START), self.probes.demand());
        let (epoch, guess, heard_us, way_since) = (self.epoch, self.guess, self.heard_us, self.way_since);
        *self = Self { epoch, guess, heard_us, way_since, ..Self::starting_at(estimate) };
        self.probes.set_demand(demand);
    }

    /// What is sent from now on goes to another address: nothing is known of that way, and feedback of what left before
    /// says nothing of it.
    pub fn handle_new_way(&mut self, now: Instant) {
        self.begin_anew();
        self.way_since = Some(now);
    }

    /// Whether what left at this moment went the way that things go now.
    #[must_use]
    pub fn went_this_way(&self, sent: Instant) -> bool {
        self.way_since.is_none_or(|since| sent >= since)
    }

    /// One packet of a feedback message.
    pub fn handle_report(&mut self, report: Report) {
        if !self.went_this_way(report.sent) {
            return;
        }
        let sent = self.us(report.sent);
        let arrived = report.arrived.map(|at| at.as_micros() as u64);
        self.sent.add(sent, report.bytes);
        // What a probe overfilled says nothing of what goes without it.
        if !self.probes.add(sent, report.bytes, arrived) {
            self.loss.add(report.bytes, arrived.is_some());
        }
        self.told_us = self.told_us.max(sent);
        if let Some(arrived) = arrived {
            self.arrived.add(arrived, report.bytes);
            self.queue.add(sent, arrived);
        }
    }

    /// The end of a feedback message: the estimate may move. Returns whether it did by much (5 %).
    pub fn handle_feedback_end(&mut self, now: Instant) -> bool {
        let was_dead = self.is_dead();
        if was_dead {
            // What was known of the link is old; it begins as everybody does, but not above what it had.
            self.guess = false;
            self.begin_anew();
        }
        self.silent = 0;
        self.heard = true;
        let now_us = self.us(now);
        let elapsed = now_us - self.heard_us.replace(now_us).unwrap_or(now_us);
        let lossy = self.loss.forbids_more();
        let outcome = self.control.handle(&Heard {
            now_us,
            told_us: self.told_us,
            elapsed: elapsed.min(1_000_000) as f64 / 1e6,
            standing: self.queue.standing(),
            standing_last: self.queue.standing_last(),
            arrived_now: self.arrived.rate_without_gap(SHORT_US),
            arrived_last: self.arrived.rate(LAST_US),
            arrived: self.arrived.rate(LONG_US),
            sent: self.sent.rate(LONG_US),
            sent_now: self.sent.rate(SHORT_US),
            lossy,
        });
        match outcome {
            Outcome::Usual => {}
            Outcome::Cut => {
                self.guess = false;
                self.probes.stop(now_us);
            }
            Outcome::NotOurs => self.queue.accept(),
        }
        if let Some(bound) = self.loss.judge(now_us)
            && bound < self.control.estimate
        {
            self.guess = false;
            self.control.set_full(now_us, bound);
            self.probes.stop(now_us);
        }
        match self.probes.judge(now_us, self.told_us) {
            Some(Found::AtLeast(rate)) if rate * PROBED > self.control.estimate => self.control.set(rate * PROBED),
            // Where others share a link, who sends more of a moment's flood gets more of it: only much more is believed.
            Some(Found::Full(rate))
                if rate * PROBED > self.control.estimate
                    && (!self.control.was_full(now_us) || rate > self.control.estimate * MUCH_MORE) =>
            {
                self.control.set_full(now_us, rate * PROBED);
            }
            _ => {}
        }
        self.consider_probe(now_us);
        let moved = was_dead || (self.control.estimate / self.reported - 1.0).abs() > 0.05;
        if moved {
            self.reported = self.control.estimate;
        }
        moved
    }

    fn consider_probe(&mut self, now_us: u64) {
        if self.control.is_free() && !self.loss.forbids_more() && !self.is_dead() {
            self.probes.consider(now_us, self.control.estimate);
        }
    }

    /// What is sent and what it would take to send more; whether that changed.
    pub fn set_demand(&mut self, now: Instant, demand: Demand) -> bool {
        if self.probes.demand() == demand {
            return false;
        }
        let now_us = self.us(now);
        self.probes.set_demand(demand);
        self.consider_probe(now_us);
        true
    }

    /// More would be sent than the link takes as far as is known.
    #[must_use]
    pub fn is_more_wanted(&self) -> bool {
        self.probes.demand().next > self.estimate()
    }

    /// Nothing has shown yet how much the link takes.
    #[must_use]
    pub const fn is_guess(&self) -> bool {
        self.guess && !self.is_dead()
    }

    /// When [`Bandwidth::poll_probe`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.epoch? + Duration::from_micros(self.probes.next_us()?))
    }

    /// Bytes that shall be sent now beside media, to find out whether the link takes more; to be answered with
    /// [`Bandwidth::handle_probed`].
    pub fn poll_probe(&mut self, now: Instant) -> Option<u64> {
        let now_us = self.us(now);
        self.probes.poll(now_us)
    }

    /// So many bytes of that were sent.
    pub fn handle_probed(&mut self, now: Instant, bytes: u64) {
        let now_us = self.us(now);
        self.probes.filled(now_us, bytes);
    }

    /// Whether feedback came since the last time this was asked.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Another while is over in which packets were sent and none was told of. Returns whether the link is dead by
    /// now, and was not before.
    pub fn handle_silence(&mut self) -> bool {
        // Who never gave feedback may be unable to; the consent checks of ICE judge it.
        if self.heard_us.is_none() {
            return false;
        }
        self.silent = self.silent.saturating_add(1);
        self.silent == DEAD_AFTER
    }

    /// What a receiver without transport-wide feedback says (REMB), in bits per second.
    pub fn handle_remb(&mut self, bits_per_second: u64) {
        self.guess = false;
        self.control.set(bits_per_second as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    struct Link {
        bandwidth: Bandwidth,
        start: Instant,
        ms: u64,
        free_at: f64,
        bits_per_second: f64,
    }

    impl Link {
        fn new(bits_per_second: f64) -> Self {
            Self { bandwidth: Bandwidth::default(), start: start(), ms: 0, free_at: 0.0, bits_per_second }
        }

        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }

        /// Sends so much for a while, with feedback every 50 ms; the longest queue in milliseconds.
        fn send(&mut self, ms: u64, most: f64) -> f64 {
            let (mut reports, mut worst) = (Vec::new(), 0.0_f64);
            for now in self.ms..self.ms + ms {
                if now % 5 == 0 {
                    let bytes = most.min(f64::from(self.bandwidth.estimate())) / 8.0 * 0.005;
                    self.free_at = self.free_at.max(now as f64) + bytes * 8000.0 / self.bits_per_second;
                    worst = worst.max(self.free_at - now as f64);
                    let arrived = Some(Duration::from_secs_f64(self.free_at / 1000.0 + 3.0));
                    reports.push((self.free_at, Report { sent: self.at(now), bytes: bytes as u32, arrived }));
                }
                if now % 50 == 49 {
                    let here = reports.iter().take_while(|(at, _)| *at <= now as f64).count();
                    for (_, report) in reports.drain(..here) {
                        self.bandwidth.handle_report(report);
                    }
                    self.bandwidth.handle_feedback_end(self.at(now));
                }
            }
            self.ms += ms;
            worst
        }
    }

    #[test]
    fn a_thin_link_is_found_and_leaves_no_standing_queue() {
        let mut link = Link::new(500_000.0);
        assert!(link.bandwidth.is_guess());
        link.send(10_000, 2_000_000.0);
        let worst = link.send(10_000, 2_000_000.0);
        assert!((380_000..=560_000).contains(&link.bandwidth.estimate()), "{}", link.bandwidth.estimate());
        assert!(worst < 120.0 && !link.bandwidth.is_guess(), "{worst}");
    }

    #[test]
    fn where_little_is_sent_the_estimate_neither_runs_away_nor_goes() {
        let mut link = Link::new(100_000_000.0);
        link.send(60_000, 100_000.0);
        assert_eq!(link.bandwidth.estimate(), START as u32);
        // A second in which nothing moves, and then everything at once.
        let (from, to) = (link.ms, link.ms + 1000);
        for packet in 0..50 {
            let arrived = Some(Duration::from_millis(to + 3000));
            let report = Report { sent: link.at(from + packet * 20), bytes: 250, arrived };
            link.bandwidth.handle_report(report);
        }
        link.bandwidth.handle_feedback_end(link.at(to));
        assert_eq!(link.bandwidth.estimate(), START as u32);
    }

    #[test]
    fn a_way_that_becomes_longer_is_no_full_link_for_ever() {
        let mut link = Link::new(100_000_000.0);
        link.send(5_000, 800_000.0);
        // As after a change of network: everything takes 200 ms more.
        link.start -= Duration::from_millis(200);
        link.ms += 200;
        link.free_at += 400.0;
        let mut later = Vec::new();
        for _ in 0..40 {
            for now in (link.ms..link.ms + 500).step_by(10) {
                let arrived = Some(Duration::from_millis(now + 3200));
                let bytes = link.bandwidth.estimate().min(800_000) / 800;
                later.push(Report { sent: link.at(now), bytes, arrived });
                if now % 50 == 0 {
                    later.drain(..).for_each(|report| link.bandwidth.handle_report(report));
                    link.bandwidth.handle_feedback_end(link.at(now + 200));
                }
            }
            link.ms += 500;
        }
        assert!(link.bandwidth.estimate() > 600_000, "{}", link.bandwidth.estimate());
    }

    #[test]
    fn of_a_new_way_nothing_is_known_and_old_feedback_says_nothing() {
        let mut link = Link::new(200_000.0);
        link.send(10_000, 2_000_000.0);
        let before = link.bandwidth.estimate();
        assert!(before < 300_000, "{before}");
        let moved = link.at(link.ms);
        link.bandwidth.handle_new_way(moved);
        assert!(link.bandwidth.control.is_free() && link.bandwidth.estimate() == before);
        for packet in 0..40 {
            let arrived = Some(Duration::from_millis(13_400 + packet * 30));
            let report = Report { sent: link.at(9_800 + packet * 5), bytes: 1200, arrived };
            link.bandwidth.handle_report(report);
            link.bandwidth.handle_feedback_end(link.at(link.ms + packet));
        }
        assert_eq!(link.bandwidth.estimate(), before);
        // As long a way as before took with all that waited, and wide.
        (link.free_at, link.bits_per_second) = (0.0, 20_000_000.0);
        link.start += Duration::from_millis(100);
        link.send(10_000, 2_000_000.0);
        assert!(link.bandwidth.estimate() > before * 2, "{}", link.bandwidth.estimate());
    }

    #[test]
    fn a_dead_link_takes_nothing_until_it_is_heard_again() {
        let mut link = Link::new(2_000_000.0);
        link.send(3_000, 900_000.0);
        let before = link.bandwidth.estimate();
        assert!((1..DEAD_AFTER).all(|_| !link.bandwidth.handle_silence()));
        assert!(!link.bandwidth.is_dead());
        assert!(link.bandwidth.handle_silence());
        assert_eq!(link.bandwidth.estimate(), 0);
        let report = Report { sent: link.at(8_000), bytes: 100, arrived: Some(Duration::from_secs(12)) };
        link.bandwidth.handle_report(report);
        assert!(link.bandwidth.handle_feedback_end(link.at(8_050)));
        assert!(link.bandwidth.estimate() > 0 && link.bandwidth.estimate() <= before);
        assert!((0..100).all(|_| !Bandwidth::default().handle_silence()), "who never gave feedback is not judged");
    }

    #[test]
    fn what_a_receiver_says_of_itself_counts_at_once() {
        let mut bandwidth = Bandwidth::default();
        bandwidth.handle_remb(420_000);
        assert_eq!((bandwidth.estimate(), bandwidth.is_guess()), (420_000, false));
    }
}
