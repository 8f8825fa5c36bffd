//! When to ask for what is missing (generic NACK, RFC 4585 §6.2.1), and when to give up. Is told the time.

use std::ops::Range;
use std::time::{Duration, Instant};

/// How many missing numbers are kept. More at once is no loss that a repair helps: even asked for in one
/// NACK they would be a burst of 300 KB.
pub const MAX_MISSING: usize = 256;

/// How losses of one stream are repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairPolicy {
    /// How long a gap may be mere reordering before the first request.
    pub reorder_wait: Duration,
    /// The shortest time between two requests for one number; the round-trip time where that is longer.
    pub min_interval: Duration,
    /// How many requests a number gets.
    pub max_tries: u8,
    /// After how long a number is of no use any more.
    pub max_age: Duration,
    /// Whether a loss given up needs a key frame.
    pub key_frames: bool,
}

impl RepairPolicy {
    /// Picture: a decoder stands still without the packet, so it is worth ten tries (as libwebrtc and
    /// mediasoup make) and the time that two of them need at a round trip of 500 ms.
    pub const VIDEO: RepairPolicy = RepairPolicy {
        reorder_wait: Duration::from_millis(10),
        min_interval: Duration::from_millis(20),
        max_tries: 10,
        max_age: Duration::from_millis(1500),
        key_frames: true,
    };

    /// Sound: what is not there when it is to be heard is concealed, and half a second is the longest that
    /// listeners' jitter buffers grow in practice.
    pub const AUDIO: RepairPolicy = RepairPolicy {
        reorder_wait: Duration::from_millis(10),
        min_interval: Duration::from_millis(20),
        max_tries: 5,
        max_age: Duration::from_millis(500),
        key_frames: false,
    };
}

/// A missing number.
#[derive(Debug, Clone, Copy)]
struct Missing {
    number: u64,
    /// Since when it is known to be missing.
    since: Instant,
    /// When to ask next.
    due: Instant,
    tries: u8,
}

/// The missing numbers of one stream.
#[derive(Debug)]
pub(super) struct Repair {
    policy: RepairPolicy,
    /// Ascending; its capacity is [`MAX_MISSING`] from the beginning.
    missing: Vec<Missing>,
    interval: Duration,
    next_due: Option<Instant>,
    key_frame_request: bool,
}

impl Repair {
    /// Before the round-trip time is known: what browsers assume.
    const INITIAL_INTERVAL: Duration = Duration::from_millis(100);

    pub(super) fn new(policy: RepairPolicy) -> Repair {
        Repair {
            policy,
            missing: Vec::with_capacity(MAX_MISSING),
            interval: Self::INITIAL_INTERVAL,
            next_due: None,
            key_frame_request: false,
        }
    }

    /// Everything in `gap`, which is after all that is known, has not arrived.
    pub(super) fn on_gap(&mut self, now: Instant, gap: Range<u64>) {
        let len = gap.end.saturating_sub(gap.start);
        if len == 0 {
            return;
        }
        if len > (MAX_MISSING - self.missing.len()) as u64 {
            self.missing.clear();
            self.next_due = None;
            self.key_frame_request |= self.policy.key_frames;
            return;
        }
        let due = now + self.policy.reorder_wait;
        self.missing.extend(gap.map(|number| Missing { number, since: now, due, tries: 0 }));
        self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
    }

    /// A number arrived that is not the highest; whether it had been asked for.
    pub(super) fn on_filled(&mut self, number: u64) -> bool {
        let Ok(at) = self.missing.binary_search_by_key(&number, |missing| missing.number) else {
            return false;
        };
        let asked = self.missing.remove(at).tries > 0;
        if self.missing.is_empty() {
            self.next_due = None;
        }
        asked
    }

    pub(super) fn forget_before(&mut self, number: u64) {
        let keep_from = self.missing.partition_point(|missing| missing.number < number);
        self.missing.drain(..keep_from);
        if self.missing.is_empty() {
            self.next_due = None;
        }
    }

    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        // A quarter on top: an answer that is only a little late must not be asked for again.
        self.interval = (round_trip + round_trip / 4).clamp(self.policy.min_interval, self.policy.max_age);
    }

    pub(super) fn poll(&mut self, now: Instant, lost: &mut Vec<u16>) {
        if self.next_due.is_none_or(|due| now < due) {
            return;
        }
        let (policy, interval) = (self.policy, self.interval);
        let (mut next_due, mut gave_up) = (None::<Instant>, false);
        self.missing.retain_mut(|missing| {
            if now >= missing.due {
                let spent = missing.tries >= policy.max_tries;
                if spent || now.saturating_duration_since(missing.since) >= policy.max_age {
                    gave_up = true;
                    return false;
                }
                lost.push(missing.number as u16);
                missing.tries += 1;
                missing.due = now + interval;
            }
            next_due = Some(next_due.map_or(missing.due, |next| next.min(missing.due)));
            true
        });
        self.next_due = next_due;
        self.key_frame_request |= gave_up && policy.key_frames;
    }

    pub(super) const fn next_due(&self) -> Option<Instant> {
        self.next_due
    }

    pub(super) const fn take_key_frame_request(&mut self) -> bool {
        std::mem::replace(&mut self.key_frame_request, false)
    }
}
