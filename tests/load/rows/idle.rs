//! What sessions cost that send nothing: cost must follow packets, not sessions.
// acceptance: P6

use crate::field::{Field, Outcome};
use crate::{report, scenario};
use std::time::Duration;

/// Runs all.
pub fn run(time: Duration) -> Vec<Outcome> {
    let one = |scenario: &scenario::Scenario| {
        let mut field = Field::open(scenario);
        // The handshakes' last flights.
        field.run(Duration::from_secs(1));
        let mut outcome = field.measure(time);
        outcome.run = field.close();
        eprintln!("{}: {:.2} % of a core", scenario.name, outcome.core() * 100.0);
        outcome
    };
    scenario::idle().iter().map(one).collect()
}

/// Prints the table.
pub fn print(outcomes: &[Outcome]) {
    report::heading("Idle sessions (each checks its address every 2.5 s)");
    let row = |outcome: &Outcome| {
        let sessions = outcome.scenario.sessions();
        let micros = outcome.cpu_ns as f64 / 1e3 / outcome.seconds / sessions as f64;
        vec![
            outcome.scenario.name.clone(),
            sessions.to_string(),
            format!("{micros:.1}"),
            format!("{:.2} %", outcome.core() * 100.0),
            format!("{:.0}", outcome.run.session_kib),
        ]
    };
    let headers = ["scenario", "sessions", "µs of a core per session and second", "server's core", "KiB per session"];
    report::table(&headers, &outcomes.iter().map(row).collect::<Vec<_>>());
}
