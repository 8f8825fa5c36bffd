//! One publisher to many, in both shapes, and what a subscriber's session holds of memory.
// acceptance: P1, P4

use crate::bare::Limit;
use crate::field::{self, Outcome};
use crate::scenario::{Scenario, Shape};
use crate::{cost, report};
use std::time::Duration;

/// How many subscribers, unless told otherwise.
pub const COUNTS: [usize; 6] = [10, 50, 100, 200, 400, 800];

/// Runs all.
pub fn run(counts: &[usize], time: Duration) -> Vec<Outcome> {
    let shapes = [Shape::Burst, Shape::Paced];
    let scenarios = shapes.iter().flat_map(|shape| counts.iter().map(|count| Scenario::one_to(*count, *shape)));
    scenarios.map(|scenario| field::run(&scenario, time)).collect()
}

/// Prints the tables.
pub fn print(outcomes: Vec<Outcome>, limit: &Limit) {
    let (burst, paced): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|outcome| outcome.scenario.shape == Shape::Burst);
    for (name, outcomes) in [("frames in one burst", &burst), ("frames over 11.7 ms", &paced)] {
        report::heading(&format!("P1: one publisher to many, {name} (bound: 1.4 × from 100 subscribers on)"));
        cost::table(outcomes);
        if let Some((sent, received)) = cost::fit(outcomes) {
            println!("\nCPU = {:.2} µs × sent + {:.2} µs × received.", sent / 1e3, received / 1e3);
        }
    }
    report::heading("P1 beside the bare limit at the same rhythm: a core that rests between frames begins cold");
    let rhythm = burst.iter().zip(&paced).filter_map(|(burst, paced)| {
        let bare = limit.at_rhythm(burst.scenario.listeners)?;
        let ratio = |outcome: &Outcome| format!("{:.2}", outcome.cost() / bare);
        Some(vec![burst.scenario.name.clone(), format!("{:.2}", bare / 1e3), ratio(burst), ratio(paced)])
    });
    let rhythm: Vec<_> = rhythm.collect();
    report::table(&["scenario", "bare limit at this rhythm, µs", "burst ×", "paced ×"], &rhythm);
    report::heading("P4: memory of the media plane (bounds: 40 MiB idle, 300 KiB a subscriber's session)");
    let memory = |outcome: &Outcome| {
        let run = &outcome.run;
        vec![
            outcome.scenario.name.clone(),
            format!("{:.1}", run.idle_kib as f64 / 1024.0),
            format!("{:.0}", run.session_kib),
        ]
    };
    report::table(&["scenario", "idle MiB", "KiB per session"], &burst.iter().map(memory).collect::<Vec<_>>());
}
