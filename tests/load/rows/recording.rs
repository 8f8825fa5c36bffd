//! What it costs to record: the same meeting with and without, in turns, so that the machine is the same for both.
// acceptance: R6

use crate::field::Field;
use crate::{report, scenario};
use std::time::Duration;

/// Turns without and with.
const TURNS: usize = 3;
/// Until a recording has begun, asked for key frames and made its files; and until its end is on the disk.
const SETTLED: Duration = Duration::from_secs(2);

/// What one meeting showed.
pub struct Outcome {
    name: String,
    tracks: usize,
    /// Shares of a core, of each turn.
    without: Vec<f64>,
    with: Vec<f64>,
    /// Bytes written a second, and frames that were not kept.
    bytes: f64,
    dropped: u64,
}

impl Outcome {
    /// Shares of a core.
    fn means(&self) -> (f64, f64) {
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        (mean(&self.without), mean(&self.with))
    }

    fn per_track(&self) -> f64 {
        let (without, with) = self.means();
        (with - without) / self.tracks as f64
    }
}

/// Runs all.
pub fn run(time: Duration) -> Vec<Outcome> {
    let one = |scenario: &scenario::Scenario| {
        let mut field = Field::open(scenario);
        field.start_sending(0);
        field.run(Duration::from_secs(1));
        // What the first recording starts is not a recording's cost.
        field.server.record(0, true);
        field.run(SETTLED);
        field.server.record(0, false);
        let mut outcome = Outcome {
            name: scenario.name.clone(),
            tracks: scenario.publishers + scenario.microphones,
            without: Vec::new(),
            with: Vec::new(),
            bytes: 0.0,
            dropped: 0,
        };
        for _ in 0..TURNS {
            field.run(SETTLED);
            outcome.without.push(field.measure(time).core());
            field.server.record(0, true);
            field.run(SETTLED);
            let before = field.server.recorded();
            let measured = field.measure(time);
            let after = field.server.recorded();
            field.server.record(0, false);
            outcome.with.push(measured.core());
            outcome.bytes += (after.1 - before.1) as f64 / measured.seconds / TURNS as f64;
            outcome.dropped += after.0 - before.0;
        }
        eprintln!("{}: {:.3} % of a core per track", outcome.name, outcome.per_track() * 100.0);
        field.close();
        outcome
    };
    scenario::recorded().iter().map(one).collect()
}

/// Prints the table.
pub fn print(outcomes: &[Outcome]) {
    report::heading("Recording (bound: 1 % of a core per track)");
    let row = |outcome: &Outcome| {
        let (without, with) = outcome.means();
        let turns = |all: &[f64]| all.iter().map(|core| format!("{:.1}", core * 100.0)).collect::<Vec<_>>().join(", ");
        vec![
            outcome.name.clone(),
            outcome.tracks.to_string(),
            format!("**{:.3} %**", outcome.per_track() * 100.0),
            format!("{:.1} % ({})", without * 100.0, turns(&outcome.without)),
            format!("{:.1} % ({})", with * 100.0, turns(&outcome.with)),
            format!("{:.2}", with / without),
            format!("{:.1}", outcome.bytes * 8.0 / 1e6),
            outcome.dropped.to_string(),
        ]
    };
    let headers = [
        "scenario",
        "tracks",
        "of a core per track",
        "server's core without (turns)",
        "with (turns)",
        "with / without",
        "Mbit/s to the disk",
        "frames not kept",
    ];
    report::table(&headers, &outcomes.iter().map(row).collect::<Vec<_>>());
}
