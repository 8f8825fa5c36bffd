//! The receiver's side of transport-wide congestion control: what arrived when, and the feedback
//! that tells the sender. Is told the time; knows no estimator.

use super::rtcp::{MAX_STATUSES, TICK, TICKS_PER_REFERENCE, Writer};
use super::sequence::Unwrapper;
use std::time::{Duration, Instant};

/// How long an arrival waits for its feedback. libwebrtc sends between 50 and 250 ms; the shorter,
/// the sooner a publisher notices a queue, at 20 small packets a second.
pub const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// After how many arrivals feedback is due at once, so that one packet can tell of them all.
pub const FEEDBACK_ARRIVALS: u32 = 100;
/// How many numbers are remembered: two seconds of 500 packets. What is reordered or lost further back than
/// this is never told of.
pub const REMEMBERED: u64 = 1024;

/// The arrivals of one transport.
#[derive(Debug)]
pub struct ArrivalRecorder {
    numbers: Unwrapper,
    /// Arrival in ticks since `epoch`, plus one; 0 for none. A number's place is itself modulo the length.
    arrivals: Box<[u32; REMEMBERED as usize]>,
    epoch: Option<Instant>,
    /// The first number that the next feedback tells of.
    start: u64,
    /// Arrivals since the last feedback.
    pending: u32,
    due: Option<Instant>,
    feedback_count: u8,
}

impl Default for ArrivalRecorder {
    fn default() -> ArrivalRecorder {
        ArrivalRecorder::new()
    }
}

impl ArrivalRecorder {
    /// With nothing recorded. Allocates what it will ever need.
    #[must_use]
    pub fn new() -> ArrivalRecorder {
        ArrivalRecorder {
            numbers: Unwrapper::new(),
            arrivals: Box::new([0; REMEMBERED as usize]),
            epoch: None,
            start: 0,
            pending: 0,
            due: None,
            feedback_count: 0,
        }
    }

    /// A packet with this transport-wide number arrived at `now`. A duplicate or very late one changes nothing.
    pub fn record(&mut self, now: Instant, sequence: u16) {
        let before = self.numbers.highest();
        let number = self.numbers.peek(sequence);
        match before {
            None => self.start = number,
            Some(highest) if number + REMEMBERED <= highest => return,
            Some(highest) if number > highest => {
                self.forget(highest + 1..number + 1);
                // What left the memory can be told no more; a jump makes the feedback start behind it.
                self.start = self.start.max((number + 1).saturating_sub(REMEMBERED));
                if number - highest > REMEMBERED {
                    self.start = number;
                }
            }
            Some(_) => {}
        }
        self.numbers.unwrap(sequence);
        let epoch = *self.epoch.get_or_insert(now);
        let ticks = ticks(now.saturating_duration_since(epoch));
        let slot = &mut self.arrivals[(number % REMEMBERED) as usize];
        if *slot != 0 {
            return;
        }
        *slot = ticks.wrapping_add(1).max(1);
        self.start = self.start.min(number);
        self.pending += 1;
        if self.pending >= FEEDBACK_ARRIVALS {
            self.due = Some(now);
        } else if self.due.is_none() {
            self.due = Some(now + FEEDBACK_INTERVAL);
        }
    }

    fn forget(&mut self, numbers: std::ops::Range<u64>) {
        if numbers.end - numbers.start >= REMEMBERED {
            self.arrivals.fill(0);
        } else {
            for number in numbers {
                self.arrivals[(number % REMEMBERED) as usize] = 0;
            }
        }
    }

    /// When feedback is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Writes feedback where it is due: one or more packets, until all is told or `out` is full, in which
    /// case the rest stays due. Whether any was written.
    pub fn poll_feedback(&mut self, now: Instant, sender: u32, media: u32, out: &mut Writer<'_>) -> bool {
        if self.due.is_none_or(|due| now < due) {
            return false;
        }
        let mut written = false;
        while self.write_one(sender, media, out) {
            written = true;
        }
        if self.first_arrival().is_none() {
            self.pending = 0;
            self.due = None;
        }
        written
    }

    /// The first number that is still to be told of and has arrived.
    fn first_arrival(&self) -> Option<(u64, u32)> {
        let highest = self.numbers.highest()?;
        (self.start..=highest).find_map(|number| Some((number, self.arrival(number)?)))
    }

    fn arrival(&self, number: u64) -> Option<u32> {
        self.arrivals[(number % REMEMBERED) as usize].checked_sub(1)
    }

    fn write_one(&mut self, sender: u32, media: u32, out: &mut Writer<'_>) -> bool {
        let (Some((_, first)), Some(highest)) = (self.first_arrival(), self.numbers.highest()) else {
            return false;
        };
        // Ticks are counted modulo 2^32, which is the 24 bits of the reference and the eight below.
        let reference = first / TICKS_PER_REFERENCE;
        let mut last = reference * TICKS_PER_REFERENCE;
        let mut deltas = [None; MAX_STATUSES];
        let mut len = 0;
        for (delta, number) in deltas.iter_mut().zip(self.start..=highest) {
            if let Some(ticks) = self.arrival(number) {
                // A pause or reordering beyond 8 s does not fit into a delta: the next feedback starts there.
                let Ok(since) = i16::try_from(ticks.wrapping_sub(last) as i32) else { break };
                *delta = Some(since);
                last = ticks;
            }
            len += 1;
        }
        // Losses at the end may only be late: the next feedback tells of them. The last number is never one.
        let Some(arrivals) = deltas.get(..len) else { return false };
        if !out.transport_feedback(sender, media, self.start as u16, self.feedback_count, reference, arrivals) {
            return false;
        }
        self.start += len as u64;
        self.feedback_count = self.feedback_count.wrapping_add(1);
        true
    }
}

/// Modulo 2^32, which is 12 days.
fn ticks(duration: Duration) -> u32 {
    let tick = TICK.subsec_micros();
    let fraction = u64::from(duration.subsec_micros() / tick);
    duration.as_secs().wrapping_mul(u64::from(1_000_000 / tick)).wrapping_add(fraction) as u32
}

#[cfg(test)]
#[path = "twcc_recorder_tests.rs"]
mod tests;
