//! The most that one core forwards without loss: one publisher to a hundred, and more such meetings until not all arrives.
// acceptance: P1

use crate::field::{Field, Outcome};
use crate::report;
use crate::scenario::{Scenario, Shape};
use std::time::Duration;

/// Subscribers of a meeting.
const LISTENERS: usize = 100;

/// What two windows' edges may miss of what is wanted; less than that was not forwarded.
const ALL: f64 = 0.985;

/// A busier load generator is what is measured.
const LOAD_BUSY: f64 = 0.95;

/// Meetings at most.
const MOST_MEETINGS: usize = 60;

/// Each step that was looked at, and what the whole run lost.
pub struct Saturation {
    steps: Vec<Outcome>,
    lost: i64,
    why: String,
}

/// Why a step is the last one.
fn is_too_much(outcome: &Outcome) -> Option<&'static str> {
    if outcome.load_share > LOAD_BUSY {
        return Some("the load generator has no more to give");
    }
    (outcome.complete() < ALL).then_some("not all arrives")
}

/// Runs it.
pub fn run(time: Duration) -> Saturation {
    let scenario = Scenario::one_to(LISTENERS, Shape::Burst);
    let mut field = Field::new(&scenario);
    let mut steps: Vec<Outcome> = Vec::new();
    let mut why = "as many meetings as are tried";
    while field.meetings() < MOST_MEETINGS {
        let from = field.load.clients.len();
        // Large steps while there is room.
        let more = steps.last().map_or(4, |last| if last.core() < 0.6 { 4 } else { 1 });
        for _ in 0..more {
            field.add_meeting();
        }
        field.join();
        field.start_sending(from);
        field.settle();
        let outcome = field.measure(time.min(Duration::from_secs(2)));
        let end = is_too_much(&outcome);
        eprintln!("{} × 1 to {LISTENERS}: {:.0} packets/s", field.meetings(), outcome.out_a_second());
        steps.push(outcome);
        if let Some(end) = end {
            why = end;
            break;
        }
    }
    let run = field.close();
    Saturation { steps, lost: run.lost, why: format!("{why}; {}", run.why) }
}

/// Prints the table.
pub fn print(saturation: &Saturation) {
    report::heading("Saturation: one publisher to 100, more and more such meetings (bound: 600,000 packets/s)");
    let held = saturation.steps.iter().rfind(|step| is_too_much(step).is_none());
    let row = |outcome: &Outcome| {
        vec![
            outcome.scenario.meetings.to_string(),
            format!("{:.0}", outcome.out_a_second()),
            format!("{:.1} %", outcome.complete() * 100.0),
            format!("{:.2}", outcome.cost() / 1e3),
            format!("{:.0} %", outcome.core() * 100.0),
            format!("{:.0} %", outcome.load_share * 100.0),
        ]
    };
    let headers = ["meetings", "packets/s out", "of what is wanted", "µs per packet", "server's core", "load's core"];
    report::table(&headers, &saturation.steps.iter().map(row).collect::<Vec<_>>());
    let held = held.map_or(0.0, Outcome::out_a_second);
    println!(
        "\nHeld: **{held:.0} packets/s**. It ended because: {}. Lost in all: {}.",
        saturation.why, saturation.lost
    );
}
