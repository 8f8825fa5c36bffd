//! A sender that follows its estimator as pictures do, over a model of a link: frames in bursts, sounds, repairs and
//! probes; feedback every 50 ms. Nothing of the server but its estimator.

use crate::bottleneck::{Bottleneck, OVERHEAD};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use symposia::session::bandwidth::{Bandwidth, Demand, Report};

/// One way, beside the queue.
const WAY_US: u64 = 20_000;
const FEEDBACK_US: u64 = 50_000;
const FRAME_US: u64 = 33_333;
const SOUND_US: u64 = 20_000;
const PACKET: usize = 1200;

/// The share of the estimate that repairs may take.
const REPAIRS: f64 = 0.4;

/// How a sender's frames fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Second {
    pub estimate: f64,
    pub sent: f64,
    pub arrived: f64,
    /// The longest that anything waited before its first bit left.
    pub queue_ms: f64,
}

#[derive(Clone)]
struct Frame {
    key: bool,
    /// Packets that it still lacks, and when its last one came.
    lacks: usize,
    last: u64,
}

impl Frame {
    const MISSED: Frame = Frame { key: false, lacks: 1, last: 0 };
}

struct Packet {
    sent: u64,
    bytes: usize,
    frame: Option<u64>,
    arrived: Option<u64>,
}

pub struct Sender {
    pub bandwidth: Bandwidth,
    pub most: f64,
    from: u64,
    /// No two cameras keep the same time.
    frame_us: u64,
    frame: u64,
    next_frame: u64,
    next_sound: u64,
    next_feedback: u64,
    /// Sent and not told of, in order.
    flying: VecDeque<Packet>,
    /// On the way back: when it is here.
    told: VecDeque<(u64, Packet)>,
    resend: Vec<(usize, Option<u64>)>,
    random: StdRng,
    frames: Vec<Frame>,
    /// Bytes that may be sent again now.
    repairs: f64,
    wants_key: bool,
    /// What was before this frame was given up.
    repaired_from: u64,
    key_rate: f64,
    pub delays: Vec<f64>,
    pub seconds: Vec<Second>,
    pub probed: u64,
    pub sent_bytes: u64,
}

impl Sender {
    /// Begins at `from` microseconds and wants `most` bits per second.
    pub fn new(seed: u64, from: u64, most: f64) -> Self {
        Self {
            bandwidth: Bandwidth::default(),
            most,
            from,
            frame_us: FRAME_US + seed % 7 * 70,
            frame: 0,
            next_frame: from,
            next_sound: from,
            next_feedback: from,
            flying: VecDeque::new(),
            told: VecDeque::new(),
            resend: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            frames: Vec::new(),
            repairs: 0.0,
            wants_key: true,
            repaired_from: 0,
            key_rate: 0.0,
            delays: Vec::new(),
            seconds: Vec::new(),
            probed: 0,
            sent_bytes: 0,
        }
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        self.random.next_u32() % 1000 < thousandths
    }

    fn send(&mut self, link: &mut Bottleneck, at: u64, bytes: usize, frame: Option<u64>, useful: bool) {
        self.sent_bytes += bytes as u64;
        let through = link.pass(at, bytes);
        // What its own bits take is no queue.
        let own = (bytes + OVERHEAD) as f64 * 8000.0 / f64::from(link.shape.rate(at / 1000).max(1));
        let lost = self.chance(link.shape.loss);
        let second = self.second(at);
        second.sent += (bytes + OVERHEAD) as f64 * 8.0;
        let Some(through) = through else {
            self.flying.push_back(Packet { sent: at, bytes, frame, arrived: None });
            return;
        };
        let waited = ((through - at) as f64 / 1000.0 - own).max(0.0);
        second.queue_ms = second.queue_ms.max(waited);
        if at >= self.from + 5_000_000 {
            self.delays.push(waited);
        }
        let arrived = (!lost).then_some(through + WAY_US);
        self.flying.push_back(Packet { sent: at, bytes, frame, arrived });
        if let Some(arrived) = arrived {
            if useful {
                self.second(through + WAY_US).arrived += (bytes + OVERHEAD) as f64 * 8.0;
            }
            if let Some(frame) = frame.and_then(|frame| self.frames.get_mut(frame as usize)) {
                frame.lacks = frame.lacks.saturating_sub(1);
                frame.last = frame.last.max(arrived);
            }
        }
    }

    fn second(&mut self, at: u64) -> &mut Second {
        let place = (at / 1_000_000) as usize;
        while self.seconds.len() <= place {
            self.seconds.push(Second { estimate: 0.0, sent: 0.0, arrived: 0.0, queue_ms: 0.0 });
        }
        &mut self.seconds[place]
    }

    /// Whatever is due at this microsecond.
    pub fn poll(&mut self, epoch: Instant, link: &mut Bottleneck, now: u64) {
        if now < self.from {
            return;
        }
        let at = |us: u64| epoch + Duration::from_micros(us);
        while self.next_sound <= now {
            self.next_sound += SOUND_US;
            self.send(link, now, 120, None, true);
        }
        self.send_frame(link, now);
        self.send_again(link, now);
        if self.bandwidth.poll_timeout().is_some_and(|due| due <= at(now))
            && let Some(bytes) = self.bandwidth.poll_probe(at(now))
        {
            let packets = (bytes as usize).div_ceil(PACKET);
            (0..packets).for_each(|_| self.send(link, now, PACKET, None, false));
            self.probed += (packets * PACKET) as u64;
            self.bandwidth.handle_probed(at(now), (packets * PACKET) as u64);
        }
        self.feed_back(epoch, now);
        self.second(now).estimate = f64::from(self.bandwidth.estimate());
    }

    fn send_frame(&mut self, link: &mut Bottleneck, now: u64) {
        if self.next_frame <= now {
            self.next_frame += self.frame_us;
            let rate = (f64::from(self.bandwidth.estimate()).min(self.most) - 60_000.0).max(20_000.0);
            // Encoders hit their rate over a second, not with each frame.
            let noise = 0.75 + f64::from(self.random.next_u32()) / f64::from(u32::MAX) * 0.5;
            // A layer that gives way to a much smaller one stops, and that one's key frame comes a round trip later.
            if rate < self.key_rate / 2.0 {
                (self.key_rate, self.wants_key) = (rate, true);
                self.repaired_from = self.frame;
                self.next_frame += 2 * self.frame_us;
                self.frames.extend([Frame::MISSED; 3]);
                self.frame += 3;
                return;
            }
            let key = std::mem::take(&mut self.wants_key);
            if key {
                self.key_rate = rate;
            }
            self.key_rate = self.key_rate.max(rate);
            let share = if key { 2.5 } else { 0.99 };
            let bytes = (rate / 8.0 * self.frame_us as f64 / 1e6 * noise * share) as usize;
            let packets = bytes.div_ceil(PACKET).max(1);
            self.frames.push(Frame { key, lacks: packets, last: 0 });
            for _ in 0..packets {
                self.send(link, now, (bytes / packets).max(60), Some(self.frame), true);
            }
            self.frame += 1;
        }
    }

    /// As the server does: repairs take a share of the estimate, and what can't be repaired begins anew.
    fn send_again(&mut self, link: &mut Bottleneck, now: u64) {
        let rate = f64::from(self.bandwidth.estimate());
        self.repairs = (self.repairs + rate * REPAIRS / 8000.0).min(rate * REPAIRS / 8.0 * 0.5);
        for (bytes, frame) in std::mem::take(&mut self.resend) {
            if frame.is_none_or(|frame| frame < self.repaired_from) {
                continue;
            }
            if self.repairs >= bytes as f64 {
                self.repairs -= bytes as f64;
                self.send(link, now, bytes, frame, true);
            } else {
                self.wants_key = true;
            }
        }
    }

    fn feed_back(&mut self, epoch: Instant, now: u64) {
        let at = |us: u64| epoch + Duration::from_micros(us);
        if self.next_feedback <= now {
            self.next_feedback += FEEDBACK_US;
            // All up to the newest that has arrived; what is missing before it is told as lost.
            let newest = self.flying.iter().rposition(|packet| packet.arrived.is_some_and(|at| at <= now));
            for _ in 0..newest.map_or(0, |newest| newest + 1) {
                let packet = self.flying.pop_front().expect("it is there");
                self.told.push_back((now + WAY_US, packet));
            }
        }
        let mut heard = false;
        while let Some((_, packet)) = self.told.front().filter(|(due, _)| *due <= now) {
            heard = true;
            let arrived = packet.arrived.map(|us| Duration::from_micros(us / 250 * 250 + 7_000_000));
            self.bandwidth.handle_report(Report { sent: at(packet.sent), bytes: packet.bytes as u32, arrived });
            if packet.arrived.is_none() && packet.frame.is_some() {
                self.resend.push((packet.bytes, packet.frame));
            }
            self.told.pop_front();
        }
        if heard {
            self.bandwidth.handle_feedback_end(at(now));
            let now_rate = f64::from(self.bandwidth.estimate()).min(self.most);
            let next = if now_rate < self.most { now_rate * 1.1 + 1.0 } else { 0.0 };
            self.bandwidth
                .set_demand(at(now), Demand { now: now_rate as u32, next: next as u32, all: self.most as u32 });
        }
    }

    /// The longest pause between pictures that can be shown, in ms, of those sent between these microseconds.
    pub fn longest_freeze(&self, from: u64, to: u64) -> f64 {
        let (mut shown, mut longest, mut whole) = (None::<u64>, 0.0_f64, false);
        for (number, frame) in self.frames.iter().enumerate() {
            let sent = self.from + number as u64 * self.frame_us;
            whole = frame.lacks == 0 && (whole || frame.key);
            if !whole || sent < from || sent > to {
                continue;
            }
            // Nothing is shown before what came before it.
            let at = shown.map_or(frame.last, |before| before.max(frame.last));
            longest = longest.max(shown.map_or(0.0, |before| (at - before) as f64 / 1000.0));
            shown = Some(at);
        }
        longest
    }

    pub fn delay_p95(&self) -> f64 {
        let mut delays = self.delays.clone();
        delays.sort_by(f64::total_cmp);
        delays.get(delays.len() * 95 / 100).copied().unwrap_or(0.0)
    }
}
