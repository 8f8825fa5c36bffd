//! What losses say: too many of them are a link that is full, unless they stay as many when less is sent.
//! Knows no delays.

/// Losses are judged over at least so long, in microseconds, and so many packets.
const WINDOW_US: u64 = 400_000;
const PACKETS: u32 = 20;

/// A few packets are judged after this long, too.
const PATIENCE_US: u64 = 1_500_000;
const FEW: u32 = 10;

/// With fewer packets than this, one lost more or less is nothing to go by.
const MANY: u32 = 60;

/// So many standard deviations fewer might be lost of others of the same kind.
const DOUBT: f64 = 1.5;

/// Over this share lost, beyond what a radio loses by itself, the link is full.
const FULL: f64 = 0.10;

/// Under this share nothing is wrong.
const FINE: f64 = 0.03;

/// How much of a loss that lasts becomes the radio's own with each window.
const LEARNT: f64 = 0.1;

/// A radio that loses more than this by itself is sent no more than now.
const BEARABLE: f64 = 0.15;

/// How much of what arrives is sent after that.
const BACK_OFF: f64 = 0.95;

/// The rate and the share lost when the estimate was last cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    sent: f64,
    loss: f64,
}

/// Losses of the current window, and what was learnt of the link.
#[derive(Debug, Default)]
pub(super) struct Loss {
    since_us: Option<u64>,
    arrived: u32,
    lost: u32,
    arrived_bytes: u64,
    sent_bytes: u64,
    cut: Option<Cut>,
    /// What is lost however little is sent.
    inherent: f64,
    /// Of the last window.
    last: f64,
}

impl Loss {
    pub(super) fn add(&mut self, bytes: u32, arrived: bool) {
        self.sent_bytes += u64::from(bytes);
        if arrived {
            self.arrived += 1;
            self.arrived_bytes += u64::from(bytes);
        } else {
            self.lost += 1;
        }
    }

    /// Losses forbid to send more.
    pub(super) fn forbids_more(&self) -> bool {
        self.inherent > BEARABLE || self.last > FINE + self.inherent * 1.5
    }

    /// At the end of feedback: what the estimate must not exceed, where the window's losses say so.
    pub(super) fn judge(&mut self, now_us: u64) -> Option<f64> {
        let since = *self.since_us.get_or_insert(now_us);
        let elapsed = now_us.saturating_sub(since);
        let packets = self.arrived + self.lost;
        let enough = elapsed >= WINDOW_US && packets >= PACKETS || elapsed >= PATIENCE_US && packets >= FEW;
        if !enough {
            return None;
        }
        let loss = f64::from(self.lost) / f64::from(packets);
        // Of twenty sounds two are lost now and then where one in fifty is.
        let sure = ((f64::from(self.lost) - DOUBT * f64::from(self.lost).sqrt()) / f64::from(packets)).max(0.0);
        let rate = |bytes: u64| bytes as f64 * 8e6 / elapsed as f64;
        let (sent, arrived) = (rate(self.sent_bytes), rate(self.arrived_bytes));
        (self.arrived, self.lost, self.arrived_bytes, self.sent_bytes) = (0, 0, 0, 0);
        self.since_us = Some(now_us);
        self.last = if packets < MANY { sure } else { loss };
        if loss < self.inherent {
            self.inherent = (self.inherent + loss) / 2.0;
        } else if sure < FULL {
            self.inherent += (loss - self.inherent) * LEARNT;
        }
        if sure < FULL {
            return None;
        }
        if self.cut.is_some_and(|cut| sent < cut.sent * 0.9 && loss > cut.loss * 0.7) {
            self.inherent = self.inherent.max(loss);
        }
        if loss - self.inherent < FULL.max(self.inherent / 2.0) {
            return None;
        }
        self.cut = Some(Cut { sent, loss });
        Some(arrived * BACK_OFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One second of packets at this rate; what the judgement is.
    fn second(loss: &mut Loss, at: u64, bits_per_second: u32, lost_per_mille: u32) -> Option<f64> {
        let packets = bits_per_second / 8 / 1000;
        (0..packets).for_each(|packet| loss.add(1000, packet * 7919 % 1000 >= lost_per_mille));
        loss.judge(at * 1_000_000)
    }

    #[test]
    fn a_link_that_loses_what_is_too_much_gets_what_arrives() {
        let mut loss = Loss::default();
        loss.judge(0);
        assert_eq!(second(&mut loss, 1, 2_000_000, 20), None);
        let bound = second(&mut loss, 2, 2_000_000, 750).expect("too much");
        assert!((bound - 475_000.0).abs() < 40_000.0, "{bound}");
        assert!(loss.forbids_more());
        assert_eq!(second(&mut loss, 3, 470_000, 0), None);
        assert!(!loss.forbids_more());
    }

    #[test]
    fn two_lost_of_twenty_sounds_say_nothing_and_half_of_them_do() {
        let mut loss = Loss::default();
        loss.judge(0);
        let mut window = |lost: u32, at: u64| {
            (0..20).for_each(|packet| loss.add(150, packet >= lost));
            (loss.judge(at * 400_000), loss.forbids_more())
        };
        assert_eq!(window(2, 1), (None, false));
        assert!(window(10, 2).0.is_some());
        assert_eq!(window(0, 3), (None, false));
    }

    #[test]
    fn a_radio_that_loses_always_is_not_starved() {
        let mut loss = Loss::default();
        loss.judge(0);
        let mut rate = 2_000_000.0;
        for at in 1..30 {
            if let Some(bound) = second(&mut loss, at, rate as u32, 130) {
                rate = bound.min(rate);
            }
        }
        assert!(rate > 1_300_000.0, "{rate}");
        assert!(!loss.forbids_more());
    }
}
