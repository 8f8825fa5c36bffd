//! The events of one seat: their numbers and those that a client may have missed. Knows no meaning.

use crate::protocol::Event;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// The largest integer that JavaScript counts exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Numbers from 1 without gaps. An event that replaces all state is not kept: it can be made afresh.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Outbox {
    /// The number of the newest event.
    last: u64,
    /// Whether what `missed` holds is all that came after the last snapshot; not so after a restart.
    #[serde(skip)]
    resumable: bool,
    #[serde(skip)]
    missed: VecDeque<Arc<Event>>,
}

impl Outbox {
    /// Numbers an event and keeps it.
    pub(super) fn push(&mut self, event: Arc<Event>, bound: usize) -> u64 {
        self.last += 1;
        self.missed.push_back(event);
        if self.missed.len() > bound {
            self.missed.pop_front();
        }
        self.last
    }

    /// Numbers an event that replaces all state; what came before needs no repeating.
    pub(super) fn push_snapshot(&mut self) -> u64 {
        self.last += 1;
        self.resumable = true;
        self.missed.clear();
        self.last
    }

    /// Numbers the last event of a connection, which the seat does not count.
    pub(super) const fn number_of_last_word(&self) -> u64 {
        self.last + 1
    }

    /// The events after `seen`, with their numbers; `None` where some of them are gone.
    pub(super) fn after(&self, seen: u64) -> Option<Vec<(u64, Arc<Event>)>> {
        let missing = usize::try_from(self.last.checked_sub(seen)?).ok()?;
        if seen == 0 || !self.resumable || missing > self.missed.len() {
            return None;
        }
        let events = self.missed.iter().skip(self.missed.len() - missing);
        Some(events.enumerate().map(|(index, event)| (seen + 1 + index as u64, Arc::clone(event))).collect())
    }

    /// After a restart the client may have seen more than was stored; numbers never go back for it.
    pub(super) fn catch_up(&mut self, seen: u64) {
        if !self.resumable {
            self.last = self.last.max(seen.min(MAX_SAFE_INTEGER));
        }
    }

    /// How many are kept.
    #[cfg(debug_assertions)]
    pub(super) fn kept(&self) -> usize {
        self.missed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ParticipantId;

    fn left(number: u32) -> Arc<Event> {
        Arc::new(Event::Left { participant: ParticipantId(number) })
    }

    #[test]
    fn what_was_missed_comes_with_its_numbers() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.push_snapshot(), 1);
        for number in 2..=6 {
            assert_eq!(outbox.push(left(number), 10), u64::from(number));
        }
        let numbers = |seen| outbox.after(seen).map(|events| events.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        assert_eq!(numbers(4), Some(vec![5, 6]));
        assert_eq!(numbers(6), Some(vec![]));
        assert_eq!(numbers(1), Some(vec![2, 3, 4, 5, 6]));
        assert_eq!(numbers(0), None, "a page that saw nothing needs everything");
        assert_eq!(numbers(7), None, "a number that was never given");
    }

    #[test]
    fn the_buffer_is_bounded() {
        let mut outbox = Outbox::default();
        outbox.push_snapshot();
        for number in 0..100 {
            outbox.push(left(number), 8);
        }
        assert!(outbox.after(93).is_some());
        assert!(outbox.after(92).is_none());
    }

    #[test]
    fn after_a_restart_everything_is_told_afresh_and_numbers_do_not_go_back() {
        let mut outbox = Outbox::default();
        outbox.push_snapshot();
        outbox.push(left(1), 8);
        let stored = serde_json::to_string(&outbox).unwrap();
        let mut outbox: Outbox = serde_json::from_str(&stored).unwrap();
        assert!(outbox.after(2).is_none());
        outbox.catch_up(40);
        assert_eq!(outbox.push_snapshot(), 41);
        outbox.catch_up(u64::MAX);
        assert_eq!(outbox.push_snapshot(), 42, "a client cannot raise it again");
    }
}
