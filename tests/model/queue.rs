//! The steps of `crossbeam_queue::ArrayQueue` 0.3.14 on atomics that loom can reorder: which value is read and written in
//! which order, and with which ordering. What it holds stands beside, and is checked at each step to be whole.

use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread::yield_now;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize as Plain;

struct Slot<T> {
    stamp: AtomicUsize,
    /// Written and read as plain memory is: whoever has not synchronised may see what was there before.
    mark: AtomicUsize,
    /// What is really there, with the mark that belongs to it. Outside of the model, so that it orders nothing.
    value: Mutex<Option<(usize, T)>>,
}

/// A bounded queue of many who put in and many who take out.
pub struct ArrayQueue<T> {
    head: AtomicUsize,
    tail: AtomicUsize,
    slots: Vec<Slot<T>>,
    lap: usize,
    marks: Plain,
}

impl<T> ArrayQueue<T> {
    pub fn new(places: usize) -> Self {
        let slot = |index| Slot { stamp: AtomicUsize::new(index), mark: AtomicUsize::new(0), value: Mutex::new(None) };
        Self {
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            slots: (0..places).map(slot).collect(),
            lap: (places + 1).next_power_of_two(),
            marks: Plain::new(1),
        }
    }

    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    fn after(&self, place: usize) -> usize {
        let index = place & (self.lap - 1);
        if index + 1 < self.slots.len() { place + 1 } else { (place & !(self.lap - 1)) + self.lap }
    }

    pub fn push(&self, item: T) -> Result<(), T> {
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[tail & (self.lap - 1)];
            let stamp = slot.stamp.load(Ordering::Acquire);
            if tail == stamp {
                let moved = self.tail.compare_exchange(tail, self.after(tail), Ordering::SeqCst, Ordering::Relaxed);
                match moved {
                    Ok(_) => {
                        slot.put(self.marks.fetch_add(1, std::sync::atomic::Ordering::Relaxed), item);
                        slot.stamp.store(tail + 1, Ordering::Release);
                        return Ok(());
                    }
                    Err(other) => tail = other,
                }
            } else if stamp + self.lap == tail + 1 {
                fence(Ordering::SeqCst);
                if self.head.load(Ordering::Relaxed) + self.lap == tail {
                    return Err(item);
                }
                yield_now();
                tail = self.tail.load(Ordering::Relaxed);
            } else {
                yield_now();
                tail = self.tail.load(Ordering::Relaxed);
            }
        }
    }

    pub fn pop(&self) -> Option<T> {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[head & (self.lap - 1)];
            let stamp = slot.stamp.load(Ordering::Acquire);
            if head + 1 == stamp {
                let moved = self.head.compare_exchange(head, self.after(head), Ordering::SeqCst, Ordering::Relaxed);
                match moved {
                    Ok(_) => {
                        let item = slot.take();
                        slot.stamp.store(head + self.lap, Ordering::Release);
                        return Some(item);
                    }
                    Err(other) => head = other,
                }
            } else if stamp == head {
                fence(Ordering::SeqCst);
                if self.tail.load(Ordering::Relaxed) == head {
                    return None;
                }
                yield_now();
                head = self.head.load(Ordering::Relaxed);
            } else {
                yield_now();
                head = self.head.load(Ordering::Relaxed);
            }
        }
    }
}

impl<T> Slot<T> {
    fn put(&self, mark: usize, item: T) {
        let before = self.value.try_lock().expect("nobody else is here").replace((mark, item));
        assert!(before.is_none(), "something that nobody took is overwritten");
        // The second half of writing it; whoever looks between the two finds it torn.
        self.mark.store(mark, Ordering::Relaxed);
    }

    fn take(&self) -> T {
        let seen = self.mark.load(Ordering::Relaxed);
        let (mark, item) = self.value.try_lock().expect("nobody else is here").take().expect("taken twice");
        assert_eq!(seen, mark, "torn");
        item
    }
}
