//! What one peer, and one meeting, may ask of the media plane. Told the time; knows no packets.

use std::time::{Duration, Instant};

/// The bounds that the workers and those who place sessions on them keep; `[limits]` of the settings has the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLimits {
    /// RTP streams that one session may send.
    pub streams: usize,
    /// Lost packets that one session may ask for again per second.
    pub nacks_per_second: u32,
    /// Key frames that one session may ask for per second.
    pub key_frame_requests_per_second: u32,
    /// A publisher is asked for one key frame per layer in this time, however many subscribers want one.
    pub key_frame_window: Duration,
    /// Sessions of one meeting or broadcast that one worker takes while others have room.
    pub sessions_per_worker: usize,
}

/// Those of the default settings, which a test of the server compares.
impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            streams: 48,
            nacks_per_second: 600,
            key_frame_requests_per_second: 10,
            key_frame_window: Duration::from_millis(400),
            sessions_per_worker: 150,
        }
    }
}

/// So much of something in each second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    per_second: u32,
    used: u32,
    since: Option<Instant>,
}

impl Allowance {
    pub(super) const fn new(per_second: u32) -> Self {
        Self { per_second, used: 0, since: None }
    }

    /// Whether some is left.
    pub(super) fn has(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= Duration::from_secs(1) {
            self.used = 0;
            self.since = Some(now);
        }
        self.used < self.per_second
    }

    /// Uses one where some is left; whether it was.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let has = self.has(now);
        self.used += u32::from(has);
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_new_each_second() {
        let now = crate::clock::now();
        let mut allowance = Allowance::new(3);
        assert_eq!((0..10).filter(|_| allowance.take(now)).count(), 3);
        assert!(!allowance.take(now + Duration::from_millis(999)));
        assert!(allowance.take(now + Duration::from_secs(1)));
        assert!(!Allowance::new(0).take(now));
    }
}
