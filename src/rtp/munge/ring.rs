//! The latest few of something, without allocation.

/// The latest `N` values.
#[derive(Debug)]
pub(super) struct Ring<T, const N: usize> {
    values: [T; N],
    /// Where the next one goes.
    next: usize,
    len: usize,
}

impl<T: Copy + Default, const N: usize> Ring<T, N> {
    pub(super) fn new() -> Ring<T, N> {
        Ring { values: [T::default(); N], next: 0, len: 0 }
    }

    /// Adds the newest, and forgets the oldest where there are `N`.
    pub(super) fn push(&mut self, value: T) {
        self.values[self.next] = value;
        self.next = (self.next + 1) % N;
        self.len = (self.len + 1).min(N);
    }

    /// Removes the newest.
    pub(super) fn pop(&mut self) {
        if self.len > 0 {
            self.next = (self.next + N - 1) % N;
            self.len -= 1;
        }
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.newest_first().next()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        if self.len == 0 {
            return None;
        }
        self.values.get_mut((self.next + N - 1) % N)
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &T> {
        (1..=self.len).map(|back| &self.values[(self.next + N - back) % N])
    }
}
