//! The sender's side of transport-wide congestion control: what was sent when, matched with the
//! feedback about it. Is told the time; knows no estimator.

use super::rtcp::{Status, TICK, TICKS_PER_REFERENCE, TransportFeedback};
use super::sequence::nearest;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

/// A packet that was sent. `T` is the caller's own mark, such as a probe's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<T> {
    /// When.
    pub at: Instant,
    /// How large, in bytes.
    pub size: u16,
    /// The caller's mark.
    pub mark: T,
}

/// What feedback says of one packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged<T> {
    /// Its unwrapped transport-wide number.
    pub sequence: u64,
    /// How it was sent.
    pub sent: Sent<T>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has not arrived, as far as the receiver knows. It may be told of again.
    Lost,
    /// It arrived, but the receiver does not say when.
    Arrived,
    /// It arrived so long after a moment that only the receiver knows; differences count.
    ArrivedAt(Duration),
}

/// Why feedback was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It tells of more packets than are remembered: a stranger's, or forged to make us work.
    TooMany,
    /// Nothing was sent yet.
    NothingSent,
}

/// Beyond any datagram's size: the packet was told of as lost.
const TOLD: u16 = 1 << 15;

/// A packet of which no feedback has said that it arrived. Eight bytes without a mark: the packets of a
/// frame stand in one cache line.
#[derive(Debug, Clone, Copy)]
struct Slot<T> {
    /// Microseconds since the history's first packet, modulo 2³²: the latest packet's tell which 71 minutes.
    at: u32,
    /// Never 0, so that an empty place needs no byte more; with [`TOLD`] once its loss was told.
    size: NonZeroU16,
    mark: T,
}

/// The packets sent over one transport, of which it numbers and remembers the latest.
#[derive(Debug)]
pub struct SendHistory<T> {
    /// A number's place is itself modulo the length, a power of two.
    slots: Box<[Option<Slot<T>>]>,
    next: u64,
    /// When the first packet was sent.
    epoch: Option<Instant>,
    /// When the latest packet was sent, in microseconds since the first.
    latest: u64,
    /// Unwrapped reference time of the latest feedback, in units of 64 ms.
    reference: Option<i64>,
}

impl<T: Copy> SendHistory<T> {
    /// Remembers `capacity` packets, rounded up to a power of two of at most 32,768 (more cannot be told apart
    /// by 16 bits). Allocates what it will ever need.
    #[must_use]
    pub fn new(capacity: usize) -> SendHistory<T> {
        let capacity = capacity.clamp(1, 1 << 15).next_power_of_two();
        SendHistory {
            slots: vec![None; capacity].into_boxed_slice(),
            next: 1 << 16,
            epoch: None,
            latest: 0,
            reference: None,
        }
    }

    fn place(&self, sequence: u64) -> usize {
        (sequence as usize) & (self.slots.len() - 1)
    }

    /// How many packets were sent, from some number on.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.next
    }

    /// The number of the next packet, to be written into it before it is sealed.
    #[must_use]
    pub const fn next_sequence(&self) -> u16 {
        self.next as u16
    }

    /// Where the next packet will be noted, for a prefetch.
    #[must_use]
    pub fn next_place(&self) -> &impl Sized {
        &self.slots[self.place(self.next)]
    }

    /// A packet of `size` bytes leaves at `now`; returns its number. Of one without bytes nothing is remembered.
    pub fn record(&mut self, now: Instant, size: u16, mark: T) -> u16 {
        let sequence = self.next;
        self.next += 1;
        let place = self.place(sequence);
        let epoch = *self.epoch.get_or_insert(now);
        // Should time go back, the latest stays: ages are counted from it.
        self.latest = self.latest.max(now.saturating_duration_since(epoch).as_micros() as u64);
        self.slots[place] = NonZeroU16::new(size & !TOLD).map(|size| Slot { at: self.latest as u32, size, mark });
        sequence as u16
    }

    /// Calls `each` for every packet that the feedback tells of and that is remembered, in the order of
    /// their numbers. An arrival is told once, and so is a loss: who sends a packet again under its old number makes the
    /// receiver report all from there on once more. What comes after its loss was told has no time, since that tells
    /// how long the repair took.
    ///
    /// # Errors
    /// When the feedback is to be ignored as a whole.
    pub fn on_feedback(
        &mut self,
        feedback: &TransportFeedback<'_>,
        mut each: impl FnMut(Acknowledged<T>),
    ) -> Result<(), Ignored> {
        if usize::from(feedback.status_count) > self.slots.len() {
            return Err(Ignored::TooMany);
        }
        let latest = self.next - 1;
        if latest < 1 << 16 {
            return Err(Ignored::NothingSent);
        }
        let mut ticks = self.unwrap_reference(feedback.reference) * i64::from(TICKS_PER_REFERENCE);
        for (number, status) in feedback.statuses() {
            let fate = match status {
                Status::Lost => Fate::Lost,
                Status::Untimed => Fate::Arrived,
                Status::After(delta) => {
                    ticks += i64::from(delta);
                    Fate::ArrivedAt(time_of(ticks))
                }
            };
            let sequence = nearest(latest, number);
            // A place holds the latest packet of its number; what is older than that is forgotten.
            if sequence > latest || latest - sequence >= self.slots.len() as u64 {
                continue;
            }
            let place = self.place(sequence);
            let Some(slot) = self.slots[place] else { continue };
            let Some(at) = self.moment(slot.at) else { continue };
            let size = slot.size.get() & !TOLD;
            let told = slot.size.get() & TOLD != 0;
            let fate = match fate {
                Fate::Lost if told => continue,
                Fate::Lost => Fate::Lost,
                Fate::ArrivedAt(_) if told => Fate::Arrived,
                arrived => arrived,
            };
            self.slots[place] = (fate == Fate::Lost).then_some(Slot { size: slot.size | TOLD, ..slot });
            let sent = Sent { at, size, mark: slot.mark };
            each(Acknowledged { sequence, sent, fate });
        }
        Ok(())
    }

    /// The moment of a packet that was sent less than 71 minutes before the latest.
    fn moment(&self, at: u32) -> Option<Instant> {
        let ago = u64::from((self.latest as u32).wrapping_sub(at));
        self.epoch.map(|epoch| epoch + Duration::from_micros(self.latest.saturating_sub(ago)))
    }

    /// Counts the wraps of the 24-bit reference time. Begins in the second cycle, so that feedback
    /// that was overtaken does not come out negative.
    fn unwrap_reference(&mut self, reference: u32) -> i64 {
        const CYCLE: i64 = 1 << 24;
        let unwrapped = match self.reference {
            None => CYCLE + i64::from(reference),
            Some(last) => {
                let ahead = (i64::from(reference) - last).rem_euclid(CYCLE);
                if ahead < CYCLE / 2 { last + ahead } else { last + ahead - CYCLE }
            }
        };
        self.reference = Some(unwrapped.max(0));
        unwrapped
    }
}

fn time_of(ticks: i64) -> Duration {
    let ticks = u64::try_from(ticks).unwrap_or_default();
    Duration::from_micros(ticks.saturating_mul(u64::from(TICK.subsec_micros())))
}

#[cfg(test)]
#[path = "twcc_history_tests.rs"]
mod tests;
