//! What can be said about a link, in the words of the control lines. Knows no packet.

use serde::Deserialize;
use std::time::Duration;

/// One direction of a link. A control line replaces all of it; what is left out does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bits a second, IP headers included; none is no limit.
    pub rate: Option<u64>,
    /// Bytes that wait before that rate; what does not fit is dropped as it comes.
    pub queue: usize,
    /// Milliseconds that every packet takes.
    pub delay_ms: f64,
    /// Up to so many more, as a line between a new value every [`Settings::JITTER_STEP`]; the order stays.
    pub jitter_ms: f64,
    /// Share of packets that are lost, each for itself, 0 to 1.
    pub loss: f64,
    /// Loss that comes in bursts, beside that.
    pub burst: Option<Burst>,
    /// Share of packets that stay behind and arrive [`Settings::reorder_ms`] late.
    pub reorder: f64,
    /// By how much those are late.
    pub reorder_ms: f64,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Nothing passes.
    pub down: bool,
}

/// The model of Gilbert and Elliott: a good state without loss, and a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Chance of each packet to find that the bad state begins.
    pub enter: f64,
    /// Chance of each packet in it to find that it is over.
    pub leave: f64,
    /// Share of packets lost in it.
    pub loss: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate: None,
            queue: 64 * 1024,
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss: 0.0,
            burst: None,
            reorder: 0.0,
            reorder_ms: 15.0,
            duplicate: 0.0,
            down: false,
        }
    }
}

impl Settings {
    /// How long jitter takes from one value to the next.
    pub const JITTER_STEP: Duration = Duration::from_millis(100);

    /// How long so many bytes take at the rate.
    pub(crate) fn transmission(&self, bytes: usize) -> Duration {
        match self.rate {
            Some(rate @ 1..) => Duration::from_nanos((bytes as u64 * 8).saturating_mul(1_000_000_000) / rate),
            _ => Duration::ZERO,
        }
    }
}
