//! People who speak at once are not cut off: the loudness of all goes down for that moment, and comes back slowly. Knows
//! samples only.

use super::PACKET;

/// The loudest sample that comes out; what a decoder makes of it is a little louder.
const CEILING: f32 = 0.9;
/// How much comes back with each packet: all of it within two seconds.
const BACK: f32 = 0.01;

/// What is between two windows.
#[derive(Debug)]
pub(super) struct Limiter {
    gain: f32,
}

impl Limiter {
    pub(super) const fn new() -> Self {
        Self { gain: 1.0 }
    }

    /// Makes whole packets of samples no louder than may be; `ahead` follows them.
    pub(super) fn apply(&mut self, samples: &mut [f32], ahead: &[f32]) {
        let needs = |packet: &[f32]| {
            let peak = packet.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            if peak > CEILING { CEILING / peak } else { 1.0 }
        };
        let mut needed: Vec<f32> = samples.chunks(PACKET).map(needs).collect();
        needed.push(needs(&ahead[..ahead.len().min(PACKET)]));
        for (packet, pair) in samples.chunks_mut(PACKET).zip(needed.windows(2)) {
            // It is as low as the next packet needs when that begins.
            let (from, to) = (self.gain.min(pair[0]), (self.gain + BACK).min(pair[0]).min(pair[1]));
            let step = (to - from) / packet.len() as f32;
            let mut gain = from;
            for sample in packet {
                gain += step;
                *sample = (*sample * gain).clamp(-1.0, 1.0);
            }
            self.gain = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_loud_is_turned_down_before_it_comes_and_back_slowly() {
        let tone = |len: usize, loud: f32| (0..len).map(move |at| loud * (at as f32 * 0.1).sin());
        let mut samples: Vec<f32> =
            tone(10 * PACKET, 0.3).chain(tone(5 * PACKET, 3.0)).chain(tone(150 * PACKET, 0.3)).collect();
        let mut limiter = Limiter::new();
        let (first, rest) = samples.split_at_mut(8 * PACKET);
        limiter.apply(first, rest);
        limiter.apply(rest, &[]);
        let peak = |from: usize, to: usize| {
            samples[from * PACKET..to * PACKET].iter().fold(0.0_f32, |peak, one| peak.max(one.abs()))
        };
        assert!((0.29..0.31).contains(&peak(0, 9)), "as it was");
        assert!((0.85..=CEILING + 0.001).contains(&peak(10, 15)), "{}", peak(10, 15));
        assert!(peak(15, 17) < 0.15, "still low: {}", peak(15, 17));
        assert!((0.29..0.31).contains(&peak(160, 165)), "as before: {}", peak(160, 165));
        // Where one does not begin anew.
        for (from, to) in [(0, 10), (10, 15), (15, 165)] {
            let pairs = samples[from * PACKET..to * PACKET].windows(2);
            let steepest = pairs.map(|pair| (pair[1] - pair[0]).abs()).fold(0.0_f32, f32::max);
            assert!(steepest < 0.1, "no click from {from} to {to}: {steepest}");
        }
    }
}
