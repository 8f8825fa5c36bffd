//! What arrived of one RTP stream: which numbers, with how much loss and jitter, and what to ask for
//! again. Is told the time; knows no payload and no session.

mod repair;
mod statistics;
mod window;

pub use repair::{MAX_MISSING, RepairPolicy};
pub use window::WINDOW;

use super::rtcp::{Ntp, ReportBlock};
use super::sequence::Unwrapper;
use repair::Repair;
use statistics::Statistics;
use std::time::{Duration, Instant};
use window::Window;

/// How a packet came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// On the stream itself.
    Media,
    /// As a retransmission (RFC 4588), with its original number.
    Retransmission,
}

/// What a packet is to the stream. The number is the unwrapped one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Seen for the first time, in order or late.
    New(u64),
    /// Seen for the first time, after it was asked for.
    Repaired(u64),
    /// Seen before; to be dropped.
    Duplicate,
    /// So far behind that nobody can tell whether it was seen; to be dropped.
    TooOld,
}

impl Arrival {
    /// The unwrapped number of a packet that is to be used.
    #[must_use]
    pub const fn sequence(self) -> Option<u64> {
        match self {
            Arrival::New(sequence) | Arrival::Repaired(sequence) => Some(sequence),
            Arrival::Duplicate | Arrival::TooOld => None,
        }
    }
}

/// The log of one stream. Per packet: [`ReceiveLog::on_packet`]; when [`ReceiveLog::poll_timeout`] is
/// reached: [`ReceiveLog::poll_nack`], then [`ReceiveLog::take_key_frame_request`].
#[derive(Debug)]
pub struct ReceiveLog {
    numbers: Unwrapper,
    window: Window,
    statistics: Statistics,
    repair: Option<Repair>,
}

impl ReceiveLog {
    /// Of a stream of so many ticks per second, whose losses are repaired as `policy` says, or not at all.
    /// Allocates what it will ever need.
    #[must_use]
    pub fn new(clock_rate: u32, policy: Option<RepairPolicy>) -> ReceiveLog {
        ReceiveLog {
            numbers: Unwrapper::new(),
            window: Window::new(),
            statistics: Statistics::new(clock_rate),
            repair: policy.map(Repair::new),
        }
    }

    /// Takes note of a packet.
    pub fn on_packet(&mut self, now: Instant, sequence: u16, timestamp: u32, via: Via) -> Arrival {
        let before = self.numbers.highest();
        let number = self.numbers.peek(sequence);
        match self.window.insert(number) {
            window::Insert::Before => return Arrival::TooOld,
            window::Insert::Seen => return Arrival::Duplicate,
            window::Insert::New => {}
        }
        self.numbers.unwrap(sequence);
        if via == Via::Media {
            self.statistics.on_packet(now, number, timestamp);
        }
        let Some(repair) = &mut self.repair else {
            return Arrival::New(number);
        };
        match before {
            Some(highest) if number > highest => repair.on_gap(now, highest + 1..number),
            Some(_) if repair.on_filled(number) => return Arrival::Repaired(number),
            _ => {}
        }
        Arrival::New(number)
    }

    /// A key frame began at this (unwrapped) number: what is missing before it needs no repair.
    pub fn on_key_frame(&mut self, sequence: u64) {
        if let Some(repair) = &mut self.repair {
            repair.forget_before(sequence);
        }
    }

    /// The round-trip time to the sender, which spaces the requests.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        if let Some(repair) = &mut self.repair {
            repair.set_round_trip(round_trip);
        }
    }

    /// Appends to `lost` the numbers to ask for now, ascending; at most [`MAX_MISSING`].
    pub fn poll_nack(&mut self, now: Instant, lost: &mut Vec<u16>) {
        if let Some(repair) = &mut self.repair {
            repair.poll(now, lost);
        }
    }

    /// When [`ReceiveLog::poll_nack`] next has something to do; may be early, never late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.repair.as_ref().and_then(Repair::next_due)
    }

    /// Whether a loss was given up since the last call, so that only a key frame helps.
    pub fn take_key_frame_request(&mut self) -> bool {
        self.repair.as_mut().is_some_and(Repair::take_key_frame_request)
    }

    /// A sender report of this stream arrived.
    pub fn on_sender_report(&mut self, now: Instant, ntp: Ntp) {
        self.statistics.on_sender_report(now, ntp);
    }

    /// The next report block about this stream, whose loss fraction counts from the one before; `None`
    /// before the first packet.
    pub fn report(&mut self, now: Instant, ssrc: u32) -> Option<ReportBlock> {
        self.statistics.report(now, ssrc)
    }

    /// How many packets were expected between the last two reports, and how many of them did not come by themselves.
    #[must_use]
    pub const fn last_interval(&self) -> (u64, u64) {
        self.statistics.last_interval()
    }

    /// The highest unwrapped number.
    #[must_use]
    pub const fn highest(&self) -> Option<u64> {
        self.numbers.highest()
    }

    /// Packets that came on the stream itself, without duplicates.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.statistics.received()
    }

    /// Interarrival jitter (RFC 3550 §6.4.1).
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.statistics.jitter()
    }
}

#[cfg(test)]
mod tests;
