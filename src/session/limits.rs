//! What one peer, and one meeting, may ask of the media plane. Told the time; knows no packets.

use std::time::{Duration, Instant};

/// The bounds that the workers and those who place sessions on them keep; `[limits]` of the settings has the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLimits {
    /// RTP streams that one session may send.
    pub streams: usize,
    /// Datagrams that one session may send per second.
    pub packets_per_second: u32,
    /// Bytes that one session may send per second.
    pub bytes_per_second: u32,
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
            packets_per_second: 4_000,
            bytes_per_second: 5_000_000,
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

/// Whether a datagram of a peer's is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is.
    Admitted,
    /// It is not: the peer sends too much in this second, for the first time.
    FirstRefused,
    /// It is not.
    Refused,
}

/// What one peer sent in this second, whatever it was: looking at a datagram costs more than counting it, and what is forwarded
/// costs everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uplink {
    packets: u32,
    bytes: u32,
    since: Instant,
    refused: bool,
}

impl Uplink {
    pub(super) const fn new(now: Instant) -> Self {
        Self { packets: 0, bytes: 0, since: now, refused: false }
    }

    /// One more came.
    pub(super) fn admit(&mut self, now: Instant, bytes: usize, limits: &MediaLimits) -> Admission {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            (self.packets, self.bytes, self.since) = (0, 0, now);
        }
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.packets <= limits.packets_per_second && self.bytes <= limits.bytes_per_second {
            return Admission::Admitted;
        }
        if std::mem::replace(&mut self.refused, true) { Admission::Refused } else { Admission::FirstRefused }
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

    #[test]
    fn a_peer_sends_so_much_in_each_second_and_is_told_of_once() {
        let start = crate::clock::now();
        let at = |ms| start + Duration::from_millis(ms);
        let limits = MediaLimits { packets_per_second: 3, bytes_per_second: 1_000, ..MediaLimits::default() };
        let mut uplink = Uplink::new(start);
        let mut admitted = |ms, bytes| uplink.admit(at(ms), bytes, &limits);
        for ms in [0, 1, 2] {
            assert_eq!(admitted(ms, 100), Admission::Admitted);
        }
        assert_eq!([admitted(3, 100), admitted(999, 1)], [Admission::FirstRefused, Admission::Refused]);
        assert_eq!([admitted(1_000, 999), admitted(1_001, 2)], [Admission::Admitted, Admission::Refused]);
        assert_eq!([admitted(2_001, 1_001), admitted(3_001, 1_000)], [Admission::Refused, Admission::Admitted]);
    }
}
