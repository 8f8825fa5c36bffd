//! Growth: what a forwarded packet costs with few and with many subscribers, publishers and meetings.
// acceptance: P5

use crate::bare::Limit;
use crate::field::{self, Outcome};
use crate::scenario::growth;
use crate::{cost, report};
use std::time::Duration;

/// Runs all; each with the name of what grows.
pub fn run(time: Duration) -> Vec<(&'static str, Outcome)> {
    growth().into_iter().map(|(axis, scenario)| (axis, field::run(&scenario, time))).collect()
}

/// The largest over the smallest.
fn spread(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().fold(0.0, f64::max) / values.fold(f64::INFINITY, f64::min)
}

/// Prints the table.
pub fn print(outcomes: Vec<(&'static str, Outcome)>, limit: &Limit) {
    report::heading("P5: growth (15 frames of 8 packets, 50 sounds a second; bound: within 1.3 ×)");
    let (axes, outcomes): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    cost::table(&outcomes, limit);
    // Where few get what comes, receiving weighs more: that is no growth, so it is taken off.
    let received = cost::fit(&outcomes).map_or(0.0, |(_, received)| received);
    let without = |outcome: &Outcome| {
        (outcome.cpu_ns as f64 - received * outcome.received as f64) / outcome.bursts.bare_ns(limit)
    };
    let mut rows = Vec::new();
    for axis in ["subscribers", "publishers", "meetings", "all"] {
        let of: Vec<_> = outcomes.iter().zip(&axes).filter(|(_, of)| axis == "all" || **of == axis).collect();
        rows.push(vec![
            axis.to_owned(),
            format!("**{:.2}**", spread(of.iter().map(|(outcome, _)| without(outcome)))),
            format!("{:.2}", spread(of.iter().map(|(outcome, _)| outcome.ratio(limit)))),
            format!("{:.2}", spread(of.iter().map(|(outcome, _)| outcome.cost()))),
        ]);
    }
    println!("\nLargest over smallest; a received packet counts {:.2} µs (fitted over these rows):", received / 1e3);
    report::table(
        &["what grows", "× bare limit, receiving taken off", "× bare limit", "µs per forwarded packet"],
        &rows,
    );
}
