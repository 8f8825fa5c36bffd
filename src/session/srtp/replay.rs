//! Which indexes of a stream were seen: rollover counting and replay windows (RFC 3711 §3.3.1,
//! §3.3.2). Knows no keys and no packets.

/// How far behind the newest packet of a stream one is still taken, in packets. RFC 3711 asks for at
/// least 64. A packet that was lost and sent again with its own number (not as RTX) comes late by a
/// round trip or two: 1,024 packets are 0.4 s at 25 Mbit/s, and 10 s and more at usual rates.
pub const REPLAY_WINDOW: u64 = 1024;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// The largest index of SRTP: 48 bits.
const MAX_INDEX: u64 = (1 << 48) - 1;

/// What is remembered of one received stream, that is of one SSRC under one set of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// The highest authenticated index (rollover counter and sequence number), once there was one.
    highest: Option<u64>,
    /// A bit for each of the last indexes, at its place modulo the window's size.
    seen: [u64; WORDS],
}

impl Default for StreamState {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamState {
    /// Nothing was received yet; the rollover counter is 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { highest: None, seen: [0; WORDS] }
    }

    /// The highest authenticated 48-bit index: rollover counter × 65,536 + sequence number.
    #[must_use]
    pub const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// The index that a packet with this sequence number most likely has: the one nearest to the
    /// highest seen. There is none below 0, nor above 48 bits.
    pub(super) fn estimate(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(sequence);
        };
        // The distance around the 16-bit circle, from −32,768 to 32,767.
        let distance = sequence.wrapping_sub((highest & 0xffff) as u16).cast_signed();
        let nearest = highest.saturating_add_signed(i64::from(distance));
        let wraps_below_zero = distance < 0 && highest < u64::from(distance.unsigned_abs());
        if wraps_below_zero || nearest > MAX_INDEX { (highest & !0xffff) | u64::from(sequence) } else { nearest }
    }

    /// Whether the index is new and within reach.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.highest {
            None => true,
            Some(highest) if index > highest => true,
            Some(highest) if highest - index >= REPLAY_WINDOW => false,
            Some(_) => {
                let (word, bit) = place(index);
                self.seen[word] & bit == 0
            }
        }
    }

    /// Notes an authenticated index.
    pub(super) fn accept(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {}
            Some(highest) => {
                if index - highest >= REPLAY_WINDOW {
                    self.seen = [0; WORDS];
                } else {
                    for skipped in highest + 1..index {
                        let (word, bit) = place(skipped);
                        self.seen[word] &= !bit;
                    }
                }
                self.highest = Some(index);
            }
            None => self.highest = Some(index),
        }
        let (word, bit) = place(index);
        self.seen[word] |= bit;
    }
}

const fn place(index: u64) -> (usize, u64) {
    let at = index % REPLAY_WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}

/// A short window: the highest index and the 127 below it. Of a sender's SRTCP, and of what was sealed for one SSRC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShortWindow {
    highest: u64,
    /// Bit n: the index n below the highest was seen.
    seen: u128,
}

impl ShortWindow {
    pub(super) const fn starting_with(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    /// Whether the index is new and within reach.
    #[must_use]
    pub const fn is_new(self, index: u64) -> bool {
        if index > self.highest {
            return true;
        }
        let below = self.highest - index;
        below < u128::BITS as u64 && self.seen & (1 << below) == 0
    }

    /// Notes an index.
    pub fn accept(&mut self, index: u64) {
        let shifted = |bits: u128, by: u64| u32::try_from(by).ok().and_then(|by| bits.checked_shl(by)).unwrap_or(0);
        if index > self.highest {
            self.seen = shifted(self.seen, index - self.highest) | 1;
            self.highest = index;
        } else {
            self.seen |= shifted(1, self.highest - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn at(highest: u64) -> StreamState {
        let mut state = StreamState::new();
        state.accept(highest);
        state
    }

    #[test]
    fn the_estimate_is_the_index_nearest_to_the_highest() {
        assert_eq!(StreamState::new().estimate(65_535), 65_535);
        assert_eq!(at(65_535).estimate(0), 65_536);
        assert_eq!(at(65_536).estimate(65_535), 65_535);
        assert_eq!(at(3 << 16).estimate(0xfff0), (3 << 16) - 16);
        assert_eq!(at((3 << 16) + 100).estimate(99), (3 << 16) + 99);
    }

    #[test]
    fn the_estimate_never_leaves_the_48_bits() {
        // Below 0 there is nothing, so a high number after a low one is ahead, not behind.
        assert_eq!(at(100).estimate(60_000), 60_000);
        assert_eq!(at(MAX_INDEX).estimate(0), MAX_INDEX - 0xffff);
    }

    #[test]
    fn a_leap_further_than_the_window_forgets_everything_before() {
        let mut state = at(5);
        state.accept(5 + REPLAY_WINDOW);
        assert!(!state.is_new(5), "it is out of reach");
        assert!(state.is_new(6));
        state.accept(5 + 3 * REPLAY_WINDOW);
        assert!(state.is_new(5 + 3 * REPLAY_WINDOW - 1));
    }

    proptest! {
        #[test]
        fn an_index_is_new_exactly_when_a_plain_set_says_so(
            steps in prop::collection::vec(-1500i64..1500, 1..400),
        ) {
            let mut state = StreamState::new();
            let mut seen = BTreeSet::new();
            let mut index = 70_000u64;
            for step in steps {
                index = index.saturating_add_signed(step);
                let newest = seen.last().copied().unwrap_or(index);
                let expected = !seen.contains(&index) && index + REPLAY_WINDOW > newest;
                prop_assert_eq!(state.is_new(index), expected);
                if expected {
                    state.accept(index);
                    seen.insert(index);
                }
            }
        }

        #[test]
        fn an_rtcp_index_is_new_exactly_when_a_plain_set_says_so(
            steps in prop::collection::vec(-200i32..200, 1..300),
        ) {
            let mut index = 1000u64;
            let mut window = ShortWindow::starting_with(index);
            let mut seen = BTreeSet::from([index]);
            for step in steps {
                index = index.saturating_add_signed(i64::from(step));
                let newest = seen.last().copied().unwrap();
                let expected = !seen.contains(&index) && index + 128 > newest;
                prop_assert_eq!(window.is_new(index), expected);
                if expected {
                    window.accept(index);
                    seen.insert(index);
                }
            }
        }

        #[test]
        fn no_sealed_index_is_new_twice_and_none_nearby_is_refused(steps in prop::collection::vec(-200_i64..300, 1..400)) {
            let (mut window, mut was, mut index) = (ShortWindow::default(), BTreeSet::new(), 1_000_i64);
            for step in steps {
                index = (index + step).max(0);
                let number = index as u64;
                let highest = was.last().copied().unwrap_or(0);
                let near = number + 128 > highest;
                prop_assert_eq!(window.is_new(number), near && !was.contains(&number), "{} of {}", number, highest);
                if window.is_new(number) {
                    window.accept(number);
                    was.insert(number);
                }
            }
        }
    }
}
