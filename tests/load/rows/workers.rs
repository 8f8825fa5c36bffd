//! One meeting on one worker and over two: what a forwarded packet costs, and how long a frame takes until its last
//! destination has it.
//!
//! The machine has two cores and the load generator needs one of them, so throughput can't be measured over both. The
//! generator therefore works in bursts: it sends a frame and then sleeps while the server forwards it, on one core or
//! on two; what comes waits in its sockets with the kernel's receive stamps.

use crate::field::{self, Outcome};
use crate::scenario::{Scenario, Shape};
use crate::stopwatch::Timed;
use crate::{cost, report};
use std::time::Duration;

/// Subscribers, half of them on each of two workers.
const COUNTS: [usize; 2] = [100, 200];

/// Longer than one worker takes for a frame to all.
const REST: Duration = Duration::from_millis(20);

fn one(listeners: usize, spread: bool, time: Duration) -> Outcome {
    let mut scenario = Scenario { rest: REST, checks: 1, ..Scenario::one_to(listeners, Shape::Burst) };
    scenario.fps = 10;
    scenario.spread = spread.then_some(listeners / 2 + 1);
    scenario.name = format!("1 to {listeners}, {}", if spread { "two workers" } else { "one worker" });
    field::run_and_look(&scenario, time, |_| ()).0
}

/// Runs all: each with one worker and with two.
pub fn run(time: Duration) -> Vec<[Outcome; 2]> {
    COUNTS.iter().map(|listeners| [false, true].map(|spread| one(*listeners, spread, time))).collect()
}

/// Prints the tables.
pub fn print(measured: &[[Outcome; 2]]) {
    report::heading(
        "Two workers: one meeting, half of its subscribers on each (10 frames of 8 packets, 50 sounds a second)",
    );
    let headers: Vec<_> = cost::HEADERS.into_iter().collect();
    let all = measured.iter().flatten().map(cost::row);
    report::table(&headers, &all.collect::<Vec<_>>());
    println!("\nUntil the last destination has a frame, while the load generator rests:");
    let mut rows = Vec::new();
    for pair in measured {
        let times = pair.each_ref().map(|outcome| {
            let mut last = outcome.timed.as_ref().map(Timed::last_destinations).unwrap_or_default();
            (last.at(0.5), last.at(0.9))
        });
        let cell = |(half, most): (f64, f64)| format!("{half:.2} / {most:.2}");
        rows.push(vec![
            format!("1 to {}", pair[0].scenario.listeners),
            cell(times[0]),
            cell(times[1]),
            format!("**{:.2}**", times[0].0 / times[1].0),
            format!("{:.2}", pair[1].cost() / pair[0].cost()),
        ]);
    }
    report::table(
        &[
            "scenario",
            "one worker p50 / p90 ms",
            "two workers p50 / p90 ms",
            "times as fast",
            "processor time a packet ×",
        ],
        &rows,
    );
}
