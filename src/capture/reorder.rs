//! One stream's packets in the order of their numbers: what is missing is waited for as long as it may be repaired, then
//! it is a gap. Knows nothing of what is in them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a missing packet is waited for: some round trips of asking again.
pub(super) const PATIENCE: Duration = Duration::from_millis(300);
/// So many are held at most; a large screen's key frame has some hundreds.
const MOST: usize = 4096;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    Item(T),
    /// Something before the next one will not come.
    Gap,
}

#[derive(Debug)]
pub(super) struct Reorder<T> {
    next: Option<u64>,
    held: BTreeMap<u64, (Instant, T)>,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self { next: None, held: BTreeMap::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes one. What comes twice or too late is left out.
    pub(super) fn push(&mut self, now: Instant, number: u64, item: T) {
        if number >= *self.next.get_or_insert(number) {
            self.held.entry(number).or_insert((now, item));
        }
    }

    pub(super) fn pop(&mut self, now: Instant) -> Option<Next<T>> {
        let next = self.next?;
        let (&first, &(since, _)) = self.held.first_key_value()?;
        if first == next {
            self.next = Some(next + 1);
            return self.held.remove(&first).map(|(_, item)| Next::Item(item));
        }
        if now < since + PATIENCE && self.held.len() <= MOST {
            return None;
        }
        self.next = Some(first);
        Some(Next::Gap)
    }

    /// When the patience with what is missing ends.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let (first, (since, _)) = self.held.first_key_value()?;
        (Some(*first) != self.next).then(|| *since + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn all(reorder: &mut Reorder<u64>, now: Instant) -> Vec<Next<u64>> {
        std::iter::from_fn(|| reorder.pop(now)).collect()
    }

    #[test]
    fn order_is_restored_and_patience_ends() {
        let now = clock::now();
        let mut reorder = Reorder::default();
        [10, 12, 11, 12, 9, 14].into_iter().for_each(|number| reorder.push(now, number, number));
        assert_eq!(all(&mut reorder, now), [Next::Item(10), Next::Item(11), Next::Item(12)]);
        assert_eq!(reorder.poll_timeout(), Some(now + PATIENCE));
        assert_eq!(all(&mut reorder, now + PATIENCE), [Next::Gap, Next::Item(14)]);
        reorder.push(now, 13, 13);
        assert_eq!((all(&mut reorder, now), reorder.poll_timeout()), (vec![], None));
    }
}
