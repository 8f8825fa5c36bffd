//! What a publisher without transport-wide feedback is told to send at most (REMB, draft-alvestrand-rmcat-remb-03).
//! Knows no payload and no subscribers.
//!
//! The estimator is the one of the other direction. It is told RTP time instead of send times: frames carry their
//! capture time, and it minds the least delay of some frames, so that encoding and pacing do not look like a queue.

use crate::rtp::rtcp::Writer;
use crate::session::bandwidth::{Bandwidth, Report};
use std::time::{Duration, Instant};

/// How often the estimate is looked at while packets come.
const LOOK: Duration = Duration::from_millis(100);

/// How often it is told while nothing changes.
const REPEAT: Duration = Duration::from_secs(1);

/// A fall to less than this share of what was told last is told at once.
const FALL: f64 = 0.97;

/// An RTP clock that goes so far from ours between two packets was set anew.
const JUMP: Duration = Duration::from_secs(2);

/// Ticks of every picture's RTP clock per second.
const TICKS: u32 = 90_000;

/// More lost at a time is a stream that begins anew.
const MOST_LOST: u64 = 500;

/// When the packets of one stream left, by its RTP clock and from its first packet on.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    timestamp: u32,
    sent: Instant,
    arrived: Instant,
    highest: u64,
}

impl Stream {
    /// When a packet left, if the stream's first one took no time: the estimator minds differences only.
    fn sent(&mut self, now: Instant, timestamp: u32) -> Instant {
        let ticks = timestamp.wrapping_sub(self.timestamp) as i32;
        let way = Duration::from_secs(u64::from(ticks.unsigned_abs())) / TICKS;
        let sent = if ticks < 0 { self.sent.checked_sub(way) } else { self.sent.checked_add(way) };
        let elapsed = now.saturating_duration_since(self.arrived);
        let follows = if ticks < 0 { way < JUMP } else { way.abs_diff(elapsed) < JUMP };
        self.sent = sent.filter(|_| follows).unwrap_or(now);
        (self.timestamp, self.arrived) = (timestamp, now);
        self.sent
    }

    /// How many packets before this one did not come. Late ones count as lost, as repairs do.
    fn lost(&mut self, sequence: u64) -> u64 {
        let missing = sequence.saturating_sub(self.highest + 1);
        self.highest = self.highest.max(sequence);
        if missing > MOST_LOST { 0 } else { missing }
    }
}

/// The estimate of one publisher's way to us.
#[derive(Debug)]
pub(super) struct Remb {
    bandwidth: Bandwidth,
    streams: Vec<Stream>,
    start: Option<Instant>,
    next_look: Option<Instant>,
    told: Option<(u32, Instant)>,
}

impl Remb {
    pub(super) fn new() -> Self {
        Self { bandwidth: Bandwidth::unbounded(), streams: Vec::new(), start: None, next_look: None, told: None }
    }

    /// A packet of a media stream of pictures, with its number unwrapped.
    pub(super) fn handle_packet(&mut self, now: Instant, ssrc: u32, sequence: u64, timestamp: u32, bytes: usize) {
        let start = *self.start.get_or_insert(now);
        let place = self.streams.iter().position(|stream| stream.ssrc == ssrc).unwrap_or_else(|| {
            self.streams.push(Stream { ssrc, timestamp, sent: now, arrived: now, highest: sequence });
            self.streams.len() - 1
        });
        let Some(stream) = self.streams.get_mut(place) else { return };
        let (sent, lost) = (stream.sent(now, timestamp), stream.lost(sequence));
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        for _ in 0..lost {
            self.bandwidth.handle_report(Report { sent, bytes, arrived: None });
        }
        let arrived = Some(now.saturating_duration_since(start));
        self.bandwidth.handle_report(Report { sent, bytes, arrived });
        self.next_look.get_or_insert(now + LOOK);
    }

    /// When [`Remb::poll`] has something to do.
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.next_look
    }

    /// Looks at what came, and writes what the peer is to be told.
    pub(super) fn poll(&mut self, now: Instant, sender: u32, out: &mut Writer<'_>) {
        if self.next_look.is_none_or(|at| at > now) {
            return;
        }
        // The next packet sets it.
        self.next_look = None;
        self.bandwidth.handle_feedback_end(now);
        let estimate = self.bandwidth.estimate();
        let due = self.told.is_none_or(|(told, at)| {
            f64::from(estimate) < f64::from(told) * FALL || now.saturating_duration_since(at) >= REPEAT
        });
        if !due {
            return;
        }
        let ssrcs: Vec<u32> = self.streams.iter().map(|stream| stream.ssrc).collect();
        if out.remb(sender, u64::from(estimate), &ssrcs) {
            self.told = Some((estimate, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::rtcp::{Packet, packets};

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    /// An encoder that does as it is told, on a link with a queue; frames of 30 to the second.
    struct Publisher {
        remb: Remb,
        start: Instant,
        us: u64,
        sequence: u64,
        free_at: u64,
        most: u64,
        told: Vec<u64>,
        worst_ms: u64,
    }

    impl Publisher {
        fn new(most: u64) -> Self {
            let remb = Remb::new();
            Self { remb, start: start(), us: 0, sequence: 70_000, free_at: 0, most, told: Vec::new(), worst_ms: 0 }
        }

        fn send(&mut self, seconds: u64, link: u64) {
            self.worst_ms = 0;
            for _ in 0..seconds * 30 {
                self.us += 33_333;
                let rate = self.told.last().copied().unwrap_or(u64::MAX).min(self.most);
                let timestamp = 4_294_000_000_u32.wrapping_add((self.us * 9 / 100) as u32);
                let bytes = rate / 8 / 30;
                for packet in 0..bytes.div_ceil(1200) {
                    let len = (bytes - packet * 1200).min(1200);
                    self.free_at = self.free_at.max(self.us) + len * 8_000_000 / link;
                    self.worst_ms = self.worst_ms.max((self.free_at - self.us) / 1000);
                    let at = self.start + Duration::from_micros(self.free_at);
                    self.poll(at);
                    self.remb.handle_packet(at, 5, self.sequence, timestamp, len as usize);
                    self.sequence += 1;
                }
            }
        }

        fn poll(&mut self, now: Instant) {
            let mut buffer = [0; 100];
            let mut out = Writer::new(&mut buffer);
            self.remb.poll(now, 1, &mut out);
            for packet in packets(out.written()) {
                let Ok(Packet::Remb(remb)) = packet else { panic!("{packet:?}") };
                assert!(remb.streams().eq([5]));
                self.told.push(remb.bitrate);
            }
        }
    }

    #[test]
    fn a_publisher_on_a_wide_link_is_not_bounded() {
        let mut publisher = Publisher::new(3_000_000);
        publisher.send(10, 50_000_000);
        assert!((9..=11).contains(&publisher.told.len()), "{:?}", publisher.told);
        assert!(publisher.told.iter().all(|rate| *rate > 10_000_000), "{:?}", publisher.told);
    }

    #[test]
    fn a_publisher_on_a_thin_link_is_told_and_its_queue_goes() {
        let mut publisher = Publisher::new(3_000_000);
        publisher.send(5, 50_000_000);
        publisher.send(6, 1_000_000);
        publisher.send(10, 1_000_000);
        let last = *publisher.told.last().expect("told");
        assert!((700_000..=1_100_000).contains(&last), "{:?}", publisher.told);
        assert!(publisher.worst_ms < 200, "{} ms", publisher.worst_ms);
        publisher.send(25, 50_000_000);
        assert!(publisher.told.last() > Some(&3_000_000), "{:?}", publisher.told);
    }

    #[test]
    fn losses_and_clocks_set_anew_are_no_queues() {
        let mut remb = Remb::new();
        let start = start();
        for packet in 0..1000_u32 {
            let at = start + Duration::from_millis(u64::from(packet) * 10);
            remb.poll(at, 1, &mut Writer::new(&mut [0; 100]));
            // One of a hundred is missing; the clock jumps twice.
            let timestamp = packet.wrapping_mul(900).wrapping_add((packet / 300).wrapping_mul(3_000_000_000));
            if packet % 100 != 50 {
                remb.handle_packet(at, 5, u64::from(packet), timestamp, 1000);
            }
        }
        assert!(remb.told.is_some_and(|(told, _)| told > 10_000_000), "{:?}", remb.told);
    }
}
