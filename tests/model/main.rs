//! The rings between threads and the call that ends a sleep, in every order in which their steps can happen (loom, with
//! the C11 memory model): nothing is lost, torn or taken twice, and nobody sleeps while something waits for him.
//!
//! `worker::ring` and `net::udp::raised` are the server's own sources; the queue under the ring is crossbeam's, step by
//! step ([`queue`]); the eventfd and its `ppoll` are a count under a lock, without a time-out: a call that is lost is a
//! thread that never ends, which loom finds.

mod queue;
#[path = "../../src/net/udp/raised.rs"]
mod raised;
#[path = "../../src/worker/ring.rs"]
mod ring;

use loom::sync::atomic;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use raised::Raised;
use ring::Ring;

/// A ring and the eventfd of the thread that takes out of it.
struct Worker {
    ring: Ring<(usize, usize)>,
    raised: Raised,
    count: Mutex<u64>,
    changed: Condvar,
}

impl Worker {
    fn new(places: usize) -> Arc<Self> {
        let (count, changed) = (Mutex::new(0), Condvar::new());
        Arc::new(Self { ring: Ring::new(places), raised: Raised::new(), count, changed })
    }

    /// As `worker::thread` hands over: put in first, then wake.
    fn give(&self, item: (usize, usize)) -> bool {
        let taken = self.ring.push(item);
        if taken {
            self.wake();
        }
        taken
    }

    fn wake(&self) {
        self.raised.raise(|| {
            *self.count.lock().unwrap() += 1;
            self.changed.notify_one();
        });
    }

    fn wait(&self) {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.changed.wait(count).unwrap();
        }
        drop(count);
        self.raised.lower(|| *self.count.lock().unwrap() = 0);
    }
}

/// Explores with so many preemptions at most: nearly all mistakes show with two (Musuvathi and Qadeer, 2007).
fn explore(preemptions: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(run);
}

/// So many who each give so many, and one who sleeps until all is there that was taken in.
fn hand_over(places: usize, givers: usize, each: usize) {
    let worker = Worker::new(places);
    let threads: Vec<_> = (0..givers)
        .map(|giver| {
            let worker = worker.clone();
            thread::spawn(move || (0..each).filter(|number| worker.give((giver, *number))).count())
        })
        .collect();
    let mut came = Vec::new();
    // Nothing can be refused while there is a place for each.
    let expected = if places >= givers * each { givers * each } else { 1 };
    while came.len() < expected {
        worker.wait();
        worker.ring.drain(|item| came.push(item));
    }
    let taken: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    worker.ring.drain(|item| came.push(item));
    assert_eq!(came.len(), taken, "lost, or twice");
    for giver in 0..givers {
        let of: Vec<_> = came.iter().filter(|(of, _)| *of == giver).map(|(_, number)| *number).collect();
        assert!(of.windows(2).all(|pair| pair[0] < pair[1]), "out of order or twice: {of:?}");
    }
}

#[test]
fn one_gives_three() {
    explore(3, || hand_over(3, 1, 3));
}

#[test]
fn two_give_at_once() {
    explore(2, || hand_over(2, 2, 1));
}

#[test]
fn a_ring_that_is_full_refuses_and_loses_nothing_that_it_took() {
    explore(2, || hand_over(2, 1, 3));
    explore(2, || hand_over(1, 2, 1));
}
