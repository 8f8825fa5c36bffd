//! Counts allocations on the packet path. The allocator is the whole test binary's, but counts only on a
//! thread that asks for it, and only while it does.
#![expect(unsafe_code, reason = "an allocator can't be written without; it hands everything on to the system's")]

use crate::bots::bot::BotShape;
use crate::bots::netem::Link;
use crate::bots::world::World;
use signaling::ids::Source;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn note() {
    if COUNTING.get() {
        COUNTING.set(false);
        COUNT.set(COUNT.get() + 1);
        if std::env::var_os("SHOW_ALLOCATIONS").is_some() {
            eprintln!("{}", std::backtrace::Backtrace::force_capture());
        }
        COUNTING.set(true);
    }
}

// SAFETY: all four hand their arguments on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: as above; `old` came from the system's allocator, since all does.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ten in a meeting, all sending and watching each other, so that every part of the path is used.
fn meeting(workers: usize) -> World {
    let mut world = if workers > 1 { World::over(1, workers, 10 / workers) } else { World::new(1) };
    for name in 1..=10 {
        let shape = BotShape { video_slots: 9, ..BotShape::default() };
        if workers > 1 {
            world.meet(name, shape)
        } else {
            world.join(name, shape)
        };
    }
    world.connect();
    // One whose link is too thin for bursts: packets go to him one by one.
    world.set_links(9, Link::CLEAN, Link { rate: Some(6_000_000), ..Link::CLEAN });
    for place in 0..10 {
        world.publish(place, if place < 3 { 20 } else { 80 });
        let others: Vec<_> = (1..=10).filter(|n| *n != place as u32 + 1).map(|n| (n, Source::Camera, 360)).collect();
        world.watch_tracks(place, &others);
    }
    // Rings and histories grow to what a second of each track needs; then they stay.
    world.run_ms(4000);
    world
}

// acceptance: P8
#[test]
fn ten_thousand_forwarded_packets_allocate_nothing() {
    [1, 2].into_iter().for_each(forward_ten_thousand);
}

fn forward_ten_thousand(workers: usize) {
    let mut world = meeting(workers);
    let before = world.core.counters.sent;
    world.probe = Some(|inside| COUNTING.set(inside));
    COUNT.set(0);
    while world.core.counters.sent < before + 10_000 {
        world.run_ms(50);
    }
    world.probe = None;
    assert_eq!(world.problems(), [""; 0]);
    assert!(workers == 1 || world.core.counters.taken > 10_000);
    let sent = world.core.counters.sent - before;
    assert_eq!(COUNT.get(), 0, "allocations during {sent} forwarded packets, {workers} workers");
}

#[test]
fn the_counter_counts() {
    COUNT.set(0);
    COUNTING.set(true);
    let text = std::hint::black_box(vec![1_u8; 10]);
    COUNTING.set(false);
    assert_eq!((COUNT.get(), text.len()), (1, 10));
}
