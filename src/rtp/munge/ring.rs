//! The latest few of something, the newest at hand: packets ask for that alone, so the others stand apart
//! and cost no cache line. Allocates once.

/// The newest value and the latest `N` before it.
#[derive(Debug)]
pub(super) struct Ring<T, const N: usize> {
    newest: T,
    len: usize,
    /// Where the newest goes when the next one comes.
    next: usize,
    older: Box<[T; N]>,
}

impl<T: Copy + Default, const N: usize> Ring<T, N> {
    pub(super) fn new() -> Ring<T, N> {
        Ring { newest: T::default(), len: 0, next: 0, older: Box::new([T::default(); N]) }
    }

    /// Adds the newest, and forgets the oldest where there are enough.
    pub(super) fn push(&mut self, value: T) {
        if self.len > 0 {
            self.older[self.next] = self.newest;
            self.next = (self.next + 1) % N;
        }
        self.newest = value;
        self.len = (self.len + 1).min(N + 1);
    }

    /// Removes the newest.
    pub(super) fn pop(&mut self) {
        if self.len > 1 {
            self.next = (self.next + N - 1) % N;
            self.newest = self.older[self.next];
        }
        self.len = self.len.saturating_sub(1);
    }

    pub(super) fn last(&self) -> Option<&T> {
        (self.len > 0).then_some(&self.newest)
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        (self.len > 0).then_some(&mut self.newest)
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &T> {
        let older = (1..self.len).map(|back| &self.older[(self.next + N - back) % N]);
        self.last().into_iter().chain(older)
    }
}
