//! A map from incoming to outgoing numbers as runs of constant offset, the newest of which is open.
//! Serves for sequence numbers and for picture ids alike.

use super::ring::Ring;

/// Incoming numbers `first..end` go out from `out` on.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    generation: u32,
    first: u64,
    end: u64,
    out: u64,
}

/// The latest `N` runs. No two of them share an outgoing number.
#[derive(Debug)]
pub(super) struct RunMap<const N: usize> {
    runs: Ring<Run, N>,
}

impl<const N: usize> RunMap<N> {
    pub(super) fn new() -> RunMap<N> {
        RunMap { runs: Ring::new() }
    }

    /// From here on numbers are of a new generation, the first of which goes out as `out`. What was kept free
    /// at `out` and beyond is given up.
    pub(super) fn start(&mut self, generation: u32, first: u64, out: u64) {
        while let Some(run) = self.runs.last_mut() {
            if run.out < out {
                run.end = run.end.min(run.first.saturating_add(out - run.out));
                break;
            }
            self.runs.pop();
        }
        self.runs.push(Run { generation, first, end: u64::MAX, out });
    }

    /// What a number goes out as; `None` for one that was dropped, forgotten, or is before its generation.
    pub(super) fn map(&self, generation: u32, number: u64) -> Option<u64> {
        let run = self.runs.newest_first().find(|run| run.generation == generation && run.first <= number)?;
        (number < run.end).then(|| run.out + (number - run.first))
    }

    /// What went out as this number, with its generation.
    pub(super) fn find(&self, out: u64) -> Option<(u32, u64)> {
        let run = self.runs.newest_first().find(|run| run.out <= out)?;
        let number = run.first + (out - run.out);
        (number < run.end).then_some((run.generation, number))
    }

    /// The number, higher than all before, does not go out, and what follows closes up.
    pub(super) fn drop_next(&mut self, number: u64) {
        let Some(run) = self.runs.last_mut() else { return };
        if number < run.first {
            return;
        }
        if number == run.first {
            run.first += 1;
            return;
        }
        let next = Run { first: number + 1, end: u64::MAX, out: run.out + (number - run.first), ..*run };
        run.end = number;
        self.runs.push(next);
    }

    /// Takes the outgoing number of `next`, higher than all before, for something else.
    pub(super) fn insert_before(&mut self, next: u64) -> Option<u64> {
        let run = self.runs.last_mut()?;
        let out = run.out + next.checked_sub(run.first)?;
        let following = Run { first: next, end: u64::MAX, out: out + 1, ..*run };
        if run.first == next {
            *run = following;
        } else {
            run.end = next;
            self.runs.push(following);
        }
        Some(out)
    }
}
