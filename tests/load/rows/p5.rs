//! Growth: what a forwarded packet costs with few and with many subscribers, publishers and meetings.
// acceptance: P5

use crate::field::{self, Outcome};
use crate::scenario::growth;
use crate::{cost, report};
use std::time::Duration;

/// Runs all; each with the name of what grows.
pub fn run(time: Duration) -> Vec<(&'static str, Outcome)> {
    growth().into_iter().map(|(axis, scenario)| (axis, field::run(&scenario, time))).collect()
}

/// The most that a row costs over one before it: what grows must not cost more.
fn growth_of(costs: &[f64]) -> f64 {
    let mut least = f64::INFINITY;
    costs.iter().fold(0.0, |growth: f64, cost| {
        let over = cost / least;
        least = least.min(*cost);
        growth.max(over)
    })
}

/// Prints the table.
pub fn print(outcomes: Vec<(&'static str, Outcome)>) {
    report::heading("P5: growth (15 frames of 8 packets, 50 sounds a second; bound: within 1.3 ×)");
    let (axes, outcomes): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
    cost::table(&outcomes);
    // Where few get what comes, receiving weighs more: that is no growth, so it is taken off.
    let without =
        |outcome: &Outcome| (outcome.cpu_ns as f64 - outcome.bare_received()) / outcome.bursts.bare_ns(&outcome.limit);
    let mut rows = Vec::new();
    for axis in ["subscribers", "publishers", "meetings"] {
        let of: Vec<_> =
            outcomes.iter().zip(&axes).filter(|(_, of)| **of == axis).map(|(outcome, _)| outcome).collect();
        let growth =
            |cost: &dyn Fn(&Outcome) -> f64| growth_of(&of.iter().map(|outcome| cost(outcome)).collect::<Vec<_>>());
        rows.push(vec![
            axis.to_owned(),
            format!("**{:.2}**", growth(&without)),
            format!("{:.2}", growth(&Outcome::ratio)),
            format!("{:.2}", growth(&Outcome::cost)),
        ]);
    }
    println!(
        "\nThe most that a row costs over a smaller one of its kind; few cost more each, because a core that slept wakes for less:"
    );
    report::table(
        &["what grows", "× bare limit, bare receiving taken off", "× bare limit", "µs per forwarded packet"],
        &rows,
    );
}
