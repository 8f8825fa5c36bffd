//! Which few of many sounds are passed on: the loudest, without flapping. Is told the time; knows
//! neither packets nor people.

use std::time::{Duration, Instant};

/// How long a chosen one stays at least, however loud others are: a slot that changes its sound more often cuts words.
pub const MIN_HOLD: Duration = Duration::from_secs(1);
/// How much louder than the softest chosen one, in dB, another must be to displace it.
pub const DISPLACE_BY: f32 = 6.0;
/// How much louder than the one before, in dB, one must be to pass it in the order.
pub const REORDER_BY: f32 = 3.0;

/// A sound that may be chosen.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<K> {
    /// Whose.
    pub key: K,
    /// Smoothed, in −dBov: the smaller, the louder; see [`super::Loudness::level`].
    pub level: f32,
    /// Loud enough for speech at the moment.
    pub loud: bool,
    /// Speaking, pauses included.
    pub speaking: bool,
}

/// One that is chosen.
#[derive(Debug, Clone, Copy)]
struct Chosen<K> {
    candidate: Candidate<K>,
    since: Instant,
    /// Whether it is among the candidates of this update.
    present: bool,
}

/// The choice among the sounds of one meeting. While there is room everybody is chosen, also who is silent, so that in a
/// small meeting no word's beginning is cut.
#[derive(Debug)]
pub struct Speakers<K> {
    slots: usize,
    /// The loudest first.
    chosen: Vec<Chosen<K>>,
}

impl<K: Copy + Eq> Speakers<K> {
    /// Chooses at most `slots`. Allocates what it will ever need.
    #[must_use]
    pub fn new(slots: usize) -> Speakers<K> {
        Speakers { slots, chosen: Vec::with_capacity(slots) }
    }

    /// Chooses anew among all candidates, each of which is given once. Whether the choice or its order changed.
    pub fn update(&mut self, now: Instant, candidates: impl Iterator<Item = Candidate<K>> + Clone) -> bool {
        for chosen in &mut self.chosen {
            chosen.present = false;
        }
        for candidate in candidates.clone() {
            if let Some(chosen) = self.chosen.iter_mut().find(|chosen| chosen.candidate.key == candidate.key) {
                chosen.candidate = candidate;
                chosen.present = true;
            }
        }
        let before = self.chosen.len();
        self.chosen.retain(|chosen| chosen.present);
        let mut changed = self.chosen.len() != before;
        for _ in 0..self.slots {
            changed |= match self.loudest_outside(candidates.clone()) {
                Some(challenger) => self.admit(now, challenger),
                None => break,
            };
        }
        changed | self.reorder()
    }

    /// The chosen, loudest first.
    pub fn chosen(&self) -> impl Iterator<Item = K> + '_ {
        self.chosen.iter().map(|chosen| chosen.candidate.key)
    }

    /// Those of the chosen who speak, loudest first.
    pub fn speaking(&self) -> impl Iterator<Item = K> + '_ {
        self.chosen.iter().filter(|chosen| chosen.candidate.speaking).map(|chosen| chosen.candidate.key)
    }

    /// Whether a sound is chosen.
    pub fn is_chosen(&self, key: K) -> bool {
        self.chosen.iter().any(|chosen| chosen.candidate.key == key)
    }

    fn loudest_outside(&self, candidates: impl Iterator<Item = Candidate<K>>) -> Option<Candidate<K>> {
        candidates
            .filter(|candidate| !self.is_chosen(candidate.key))
            .min_by(|a, b| (!a.loud, a.level).partial_cmp(&(!b.loud, b.level)).unwrap_or(std::cmp::Ordering::Equal))
    }

    /// Gives the challenger a free slot, or that of one which has to yield. Whether it did.
    fn admit(&mut self, now: Instant, challenger: Candidate<K>) -> bool {
        let chosen = Chosen { candidate: challenger, since: now, present: true };
        if self.chosen.len() < self.slots {
            self.chosen.push(chosen);
            return true;
        }
        if !challenger.loud {
            return false;
        }
        let held = |chosen: &Chosen<K>| now.saturating_duration_since(chosen.since) >= MIN_HOLD;
        let softest = self.chosen.iter_mut().filter(|chosen| held(chosen)).max_by(|a, b| {
            let key = |chosen: &Chosen<K>| (!chosen.candidate.speaking, chosen.candidate.level);
            key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        match softest {
            Some(softest)
                if challenger.level + DISPLACE_BY <= softest.candidate.level
                    && (challenger.speaking || !softest.candidate.speaking) =>
            {
                *softest = chosen;
                true
            }
            _ => false,
        }
    }

    /// Lets the clearly louder pass; speakers come before all others. Whether the order changed.
    fn reorder(&mut self) -> bool {
        let mut changed = false;
        for end in (1..self.chosen.len()).rev() {
            for i in 0..end {
                let (a, b) = (self.chosen[i].candidate, self.chosen[i + 1].candidate);
                let passes = match (a.speaking, b.speaking) {
                    (false, true) => true,
                    (true, false) => false,
                    // Among the silent an order means nothing, and noise would change it all the time.
                    (false, false) => false,
                    (true, true) => b.level + REORDER_BY <= a.level,
                };
                if passes {
                    self.chosen.swap(i, i + 1);
                    changed = true;
                }
            }
        }
        changed
    }
}

#[cfg(test)]
#[path = "speakers_tests.rs"]
mod tests;
