//! Which indexes of an SSRC were sealed: a second packet under one key, SSRC and index would give the key stream, and
//! GCM's authentication key, away (RFC 7714 §8.4). Whatever goes wrong before, this is where it ends. Knows no packets.

/// How far behind the newest a packet may still go out with its own number; older ones are repaired by RTX.
const WINDOW: u64 = 128;

/// The indexes sealed lately.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    /// One more than the highest; 0 where none was.
    next: u64,
    /// A bit for each of the latest: the lowest is that of the highest index.
    seen: u128,
}

impl Sealed {
    /// Whether a packet of this index was never sealed, as far as is known.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.next.checked_sub(index + 1) {
            None => true,
            Some(behind) if behind < WINDOW => self.seen >> behind & 1 == 0,
            Some(_) => false,
        }
    }

    /// Notes that a packet of this index is sealed.
    pub(super) fn note(&mut self, index: u64) {
        let next = index + 1;
        if next > self.next {
            let ahead = u32::try_from(next - self.next).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0);
            self.next = next;
        }
        let behind = u32::try_from(self.next - next).unwrap_or(u32::MAX);
        self.seen |= 1_u128.checked_shl(behind).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn no_index_is_new_twice_and_none_nearby_is_refused(steps in prop::collection::vec(-200_i64..300, 1..400)) {
            let (mut sealed, mut was, mut index) = (Sealed::default(), BTreeSet::new(), 1_000_i64);
            for step in steps {
                index = (index + step).max(0);
                let number = index as u64;
                let highest = was.last().copied().unwrap_or(0);
                let near = number + WINDOW > highest;
                prop_assert_eq!(sealed.is_new(number), near && !was.contains(&number), "{} of {}", number, highest);
                if sealed.is_new(number) {
                    sealed.note(number);
                    was.insert(number);
                }
            }
        }
    }
}
