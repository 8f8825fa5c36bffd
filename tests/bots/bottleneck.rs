//! The thin part of a link: a rate that changes by the millisecond, and a queue that is full at some point. And the
//! rates of many kinds of links, from a seed.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// What a link passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub name: &'static str,
    /// Bits per second in each millisecond; the last goes on for ever.
    pub rates: Vec<u32>,
    /// Milliseconds that anything may wait: today's routers bound time, not bytes.
    pub longest_wait: u64,
    /// Thousandths that are lost by the way, whatever is sent.
    pub loss: u32,
    /// What others send: when in microseconds, and how many bytes.
    pub others: Vec<(u64, usize)>,
}

/// UDP and IP (v4) headers, which take their time on the link, too.
pub const OVERHEAD: usize = 28;

const PACKET: usize = 1200;

fn between(random: &mut StdRng, low: f64, high: f64) -> f64 {
    low + f64::from(random.next_u32()) / f64::from(u32::MAX) * (high - low)
}

impl Shape {
    fn of(name: &'static str, rates: Vec<u32>, longest_wait: u64) -> Self {
        Self { name, rates, longest_wait, loss: 0, others: Vec::new() }
    }

    /// The same rate for ever.
    pub fn steady(bits: u32, longest_wait: u64) -> Self {
        Self::of("steady", vec![bits], longest_wait)
    }

    /// 5 Mbit/s, at 20 s 500 kbit/s, at 40 s 5 Mbit/s again.
    pub fn n2(seconds: usize) -> Self {
        let rate = |ms: usize| if (20_000..40_000).contains(&ms) { 500_000 } else { 5_000_000 };
        Self::of("down to a tenth and back", (0..seconds * 1000).map(rate).collect(), 250)
    }

    /// Another rate between 0.4 and 6 Mbit/s every 5 to 15 s.
    pub fn steps(seed: u64, seconds: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut rates = Vec::new();
        while rates.len() < seconds * 1000 {
            let bits = 400_000.0 * 15_f64.powf(between(&mut random, 0.0, 1.0));
            rates.extend(std::iter::repeat_n(bits as u32, between(&mut random, 5_000.0, 15_000.0) as usize));
        }
        Self::of("steps", rates, 250)
    }

    /// Slowly down from 4 Mbit/s to 0.6 and up again.
    pub fn ramp(seconds: usize) -> Self {
        let half = seconds * 500;
        let rate = |ms: usize| {
            let way = ms.abs_diff(half) as f64 / half as f64;
            (600_000.0 * (4_000.0_f64 / 600.0).powf(way)) as u32
        };
        Self::of("slow ramp", (0..seconds * 1000).map(rate).collect(), 250)
    }

    /// 4 Mbit/s, of which others take 0.5 to 2.5 for some seconds now and then, and short loads at the full rate.
    pub fn cross(seed: u64, seconds: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut shape = Self::of("cross traffic", vec![4_000_000; seconds * 1000], 250);
        let mut at = between(&mut random, 4e6, 8e6);
        while at < seconds as f64 * 1e6 {
            if random.next_u32() % 3 == 0 {
                // A web page: paced as by a sender that the link limits.
                for _ in 0..(between(&mut random, 20_000.0, 60_000.0) as usize / PACKET) {
                    shape.others.push((at as u64, PACKET));
                    at += PACKET as f64 * 8.0 / 3.0;
                }
            } else {
                let bits = between(&mut random, 500_000.0, 2_500_000.0);
                let until = at + between(&mut random, 4e6, 10e6);
                while at < until {
                    shape.others.push((at as u64, PACKET));
                    at += PACKET as f64 * 8e6 / bits;
                }
            }
            at += between(&mut random, 3e6, 8e6);
        }
        shape
    }

    /// Around 6 Mbit/s with moments in which nothing moves.
    pub fn wifi(seed: u64, seconds: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut rates, mut level) = (Vec::new(), 0.0);
        while rates.len() < seconds * 1000 {
            level = level * 0.9 + between(&mut random, -0.15, 0.15);
            let bits = (6_000_000.0 * f64::exp(level)) as u32;
            rates.extend(std::iter::repeat_n(bits, between(&mut random, 40.0, 160.0) as usize));
            let silent = if random.next_u32() % 16 == 0 { (30.0, 70.0) } else { (2.0, 15.0) };
            rates.extend(std::iter::repeat_n(0, between(&mut random, silent.0, silent.1) as usize));
        }
        rates.push(6_000_000);
        Self { loss: 5, ..Self::of("Wi-Fi bursts", rates, 250) }
    }

    /// A random walk between 0.8 and 8 Mbit/s.
    pub fn cellular(seed: u64, seconds: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut rates, mut level) = (Vec::new(), 0.5_f64);
        while rates.len() < seconds * 1000 {
            level = (level + between(&mut random, -0.035, 0.035)).clamp(0.0, 1.0);
            rates.extend(std::iter::repeat_n((800_000.0 * 10_f64.powf(level)) as u32, 100));
        }
        Self::of("cellular walk", rates, 300)
    }

    /// Bits per second in a millisecond.
    pub fn rate(&self, ms: u64) -> u32 {
        self.rates.get(ms as usize).or(self.rates.last()).copied().unwrap_or(0)
    }

    /// What is left for us in each second: bits.
    pub fn left(&self, second: u64) -> f64 {
        let all: f64 = (second * 1000..(second + 1) * 1000).map(|ms| f64::from(self.rate(ms)) / 1000.0).sum();
        let others = self.others.iter().filter(|(at, _)| at / 1_000_000 == second);
        (all - others.map(|(_, bytes)| (bytes + OVERHEAD) as f64 * 8.0).sum::<f64>()).max(0.0)
    }
}

/// A link with what waits before it.
#[derive(Debug)]
pub struct Bottleneck {
    pub shape: Shape,
    next_other: usize,
    /// When the last bit of all that waits is through, in microseconds.
    free_at: f64,
}

impl Bottleneck {
    pub fn new(shape: Shape) -> Self {
        Self { shape, next_other: 0, free_at: 0.0 }
    }

    /// A datagram of so many bytes comes at this microsecond; when its last bit is through. `None` where no more may
    /// wait. Moments must not go back.
    pub fn pass(&mut self, at: u64, bytes: usize) -> Option<u64> {
        while let Some((other, bytes)) =
            self.shape.others.get(self.next_other).copied().filter(|(other, _)| *other <= at)
        {
            self.next_other += 1;
            self.queue(other, bytes);
        }
        self.queue(at, bytes)
    }

    fn queue(&mut self, at: u64, bytes: usize) -> Option<u64> {
        if self.free_at > (at + self.shape.longest_wait * 1000) as f64 {
            return None;
        }
        let bytes = bytes + OVERHEAD;
        let mut now = self.free_at.max(at as f64);
        let mut bits = bytes as f64 * 8.0;
        loop {
            let ms = (now / 1000.0).floor();
            let rate = f64::from(self.shape.rate(ms as u64));
            let fits = ((ms + 1.0) * 1000.0 - now) * rate / 1e6;
            if bits <= fits {
                now += bits * 1e6 / rate;
                break;
            }
            bits -= fits;
            now = (ms + 1.0) * 1000.0;
        }
        self.free_at = now;
        Some(now.ceil() as u64)
    }

    /// Microseconds that a datagram would wait.
    pub fn delay(&self, at: u64) -> u64 {
        (self.free_at - at as f64).max(0.0) as u64
    }
}
