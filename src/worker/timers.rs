//! When sessions want to be woken. Knows no clock and nothing of what happens then.
//!
//! A heap in which an entry that was overtaken stays until its time and is skipped then: cheaper than
//! finding it, and a session arms a few times a second at most.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// The deadlines of things that have a small number for a name.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u32)>>,
    /// By name: the earliest entry that counts.
    armed: Vec<Option<Instant>>,
}

impl Timers {
    /// Wakes `name` at `at` at the latest; an earlier deadline stays.
    pub fn arm(&mut self, name: u32, at: Instant) {
        let index = name as usize;
        if self.armed.len() <= index {
            self.armed.resize(index + 1, None);
        }
        if self.armed[index].is_none_or(|armed| at < armed) {
            self.armed[index] = Some(at);
            self.heap.push(Reverse((at, name)));
        }
    }

    /// Forgets `name`.
    pub fn disarm(&mut self, name: u32) {
        if let Some(armed) = self.armed.get_mut(name as usize) {
            *armed = None;
        }
    }

    /// The next deadline.
    pub fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, name))) = self.heap.peek() {
            if self.armed.get(*name as usize).copied().flatten() == Some(*at) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Something whose deadline has come; it is disarmed.
    pub fn pop(&mut self, now: Instant) -> Option<u32> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, name)) = self.heap.pop()?;
        self.armed[name as usize] = None;
        Some(name)
    }

    /// Whether nothing waits.
    pub fn is_empty(&mut self) -> bool {
        self.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn the_earliest_deadline_of_each_name_counts_and_only_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.arm(1, at(50));
        timers.arm(1, at(20));
        timers.arm(1, at(30));
        timers.arm(0, at(10));
        timers.arm(2, at(5));
        timers.disarm(2);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(60)), Some(0));
        assert_eq!(timers.pop(at(60)), Some(1));
        assert_eq!(timers.pop(at(60)), None);
        assert!(timers.is_empty());
    }
}
