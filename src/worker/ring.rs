//! The rings between threads: many put in, one takes out, nobody waits. Take their memory once; what finds one full
//! is dropped by whoever holds it. Know no sessions and no clocks.
//!
//! `tests/model` includes this file, with a queue whose every step it can look into.

use super::queue::ArrayQueue;

/// So many places, for good.
pub struct Ring<T>(ArrayQueue<T>);

impl<T> Ring<T> {
    /// An empty ring with room for so many.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self(ArrayQueue::new(places.max(1)))
    }

    /// Puts something in; false where there was no room, and it is gone. Wake the taker afterwards.
    #[must_use]
    pub fn push(&self, item: T) -> bool {
        self.0.push(item).is_ok()
    }

    /// Takes out what waits, oldest first; no more than there is room for, so that those who put in faster than
    /// this goes do not keep it busy for ever. Whoever put in what is left has woken the taker again.
    pub fn drain(&self, mut each: impl FnMut(T)) {
        for _ in 0..self.0.capacity() {
            let Some(item) = self.0.pop() else { return };
            each(item);
        }
    }
}
